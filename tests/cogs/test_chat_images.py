"""Images that come with a question: seen by models that can see, also in the questions that follow."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama, Json
from tests.files.made import image
from tests.world import file_of, said, texts

BLIND = "plain:1b"


@pytest.fixture
def seeing(fake: FakeOllama) -> FakeOllama:
    """An Ollama whose usual model sees, and which has another one that does not."""
    fake.models[BLIND] = {"context_length": 8192, "capabilities": ["completion"]}
    fake.models[MODEL]["capabilities"] = ["completion", "vision"]
    return fake


def seen(body: Json) -> list[list[str]]:
    """The formats of the images that each message of a request carries."""
    return [[str(_opened(it).format) for it in message.get("images", ())] for message in body["messages"]]


def _opened(data: Any) -> Image.Image:  # noqa: ANN401  # JSON
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_an_image_goes_to_the_model_with_the_question_it_came_with(
    kind: str, alice: MemberActor, channel: ChannelHandle, seeing: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="What is it?", file=(f"it.{kind.lower()}", image(kind)))

    assert seeing.prompts[0][-1] == ("user", f"What is it?\n\n[image: it.{kind.lower()}]")
    assert seen(seeing.asked[0]) == [[], ["JPEG"]]


async def test_several_images_come_in_the_order_in_which_they_are_named(
    alice: MemberActor, channel: ChannelHandle, me: str, seeing: FakeOllama
) -> None:
    files = [("red.png", image(colour="red")), ("blue.png", image(colour="blue"))]

    await alice.send(channel, me, attachments=files)

    assert seeing.prompts[0][-1] == ("user", "[image: red.png]\n\n[image: blue.png]")
    red, blue = (_opened(data).getpixel((5, 5)) for data in seeing.asked[0]["messages"][-1]["images"])
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > blue[0]


async def test_a_further_question_can_be_about_the_image(
    alice: MemberActor, channel: ChannelHandle, me: str, seeing: FakeOllama
) -> None:
    await alice.send(channel, f"{me} What is it?", attachments=[("it.png", image())])

    await alice.send(channel, f"{me} Which colour has it?")

    assert seen(seeing.asked[1]) == [[], ["JPEG"], [], []]
    assert seeing.asked[1]["messages"][:2] == seeing.asked[0]["messages"]


async def test_a_private_question_leaves_no_image_behind(
    alice: MemberActor, channel: ChannelHandle, seeing: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="What is it?", file=("it.png", image()), private=True)

    await alice.slash(channel, "ask", prompt="And now?")

    assert seen(seeing.asked[0]) == [[], ["JPEG"]]
    assert seen(seeing.asked[1]) == [[], []]


async def test_a_model_that_can_not_see_hears_only_that_there_was_an_image(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, me: str, seeing: FakeOllama
) -> None:
    await alice.send(channel, f"{me} What is it?", attachments=[("it.png", image())])
    await boss.slash(channel, "model use", name=BLIND)

    await alice.send(channel, f"{me} Which colour has it?")

    assert seeing.prompts[1][1] == ("user", "What is it?\n\n[image: it.png]")
    assert seen(seeing.asked[1]) == [[], [], [], []]


async def test_the_memory_shows_and_exports_an_image_by_its_name(
    env: Env, alice: MemberActor, channel: ChannelHandle, seeing: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="What is it?", file=("it.png", image()))

    shown = await alice.slash(channel, "history show")
    export = await alice.slash(channel, "history export")

    assert "[image: it.png]" in said(shown)
    assert export.response is not None
    assert "[image: it.png]" in file_of(env, export.response)


async def test_an_image_for_a_model_that_can_not_see_is_refused_with_those_that_can(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.models["llava:7b"] = {"context_length": 4096, "capabilities": ["completion", "vision"]}
    fake.models["gemma3:4b"] = {"context_length": 4096, "capabilities": ["completion", "vision"]}
    monkeypatch.setattr(env.backend.cdn, "get", lambda url: pytest.fail(f"{url} was downloaded"))

    refusal = await alice.slash(channel, "ask", prompt="What is it?", file=("it.png", image()))
    await alice.send(channel, f"{me} What is it?", attachments=[("it.png", image())])

    sentence = (
        f"“{MODEL}” can't see images, but `gemma3:4b` and `llava:7b` can. "
        "Whoever manages this channel can choose another model with `/model use`."
    )
    assert said(refusal) == sentence
    assert texts(channel)[-1] == sentence
    assert fake.asked == []


async def test_where_no_model_can_see_that_is_said(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, f"{me} What is it?", attachments=[("it.png", image())])

    assert texts(channel)[-1] == f"“{MODEL}” can't see images, and no other model of this Ollama server can."
    assert fake.asked == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"not a picture", "“it.png” is damaged, or not an image at all."),
        (image(size=(8, 8)), "“it.png” has 8 by 8 pixels, which is too small or too narrow to see anything."),
    ],
)
async def test_an_image_that_can_not_be_read_is_refused(
    data: bytes, sentence: str, alice: MemberActor, channel: ChannelHandle, seeing: FakeOllama
) -> None:
    refusal = await alice.slash(channel, "ask", prompt="What is it?", file=("it.png", data))

    assert said(refusal) == sentence
    assert seeing.asked == []


@pytest.mark.operator(OLLAMA_NUM_CTX="2048")
async def test_more_images_than_the_context_window_holds_are_refused(
    alice: MemberActor, channel: ChannelHandle, me: str, seeing: FakeOllama
) -> None:
    await alice.send(channel, f"{me} Compare.", attachments=[(f"{number}.png", image()) for number in range(3)])

    assert "fewer images" in texts(channel)[-1]
    assert seeing.asked == []
