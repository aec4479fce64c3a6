"""Personas: choosing one, a channel's own prompt, and the server's library."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import Author
from bot.chat.scopes import Scope, ScopeKind
from bot.storage.database import Database
from bot.storage.settings import SqlSettings
from tests.fake_ollama import FakeOllama
from tests.world import field_of, file_of, refused, said, thread_in

SQL = "Robert'); DROP TABLE personas;-- \" %s :x ? \\"
RHYMES = "Answer in rhymes.\nAlways."


async def test_before_anybody_chose_the_helpful_assistant_answers(alice: MemberActor, channel: ChannelHandle) -> None:
    shown = await alice.slash(channel, "persona show")

    assert said(shown) == "**assistant**, from the bot's own default\n> You are a helpful assistant."
    assert shown.ephemeral


async def test_the_chosen_persona_answers_from_then_on_and_everybody_is_told(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    chosen = await boss.slash(channel, "persona use", name="Drunk-Italian ")
    await alice.slash(channel, "ask", prompt="Hello?")
    shown = await alice.slash(channel, "persona show")

    assert said(chosen) == "**drunk-italian** answers in this channel now."
    assert not chosen.ephemeral
    assert fake.prompts[0][0][1].startswith("You are a drunk Italian")
    assert said(shown).startswith("**drunk-italian**, from this channel\n> You are a drunk Italian")
    assert "-# boss changed persona <t:" in said(shown)


async def test_a_channel_can_have_a_prompt_of_its_own(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    done = await boss.slash(channel, "persona set", prompt=RHYMES)
    answer = await alice.slash(channel, "ask", prompt="Hello?")
    shown = await alice.slash(channel, "persona show")

    assert said(done) == "This channel has its own system prompt now:\n> Answer in rhymes.\n> Always."
    assert fake.prompts[0][0] == ("system", RHYMES)
    assert said(answer).endswith("· custom")
    assert said(shown).startswith("**custom**, from this channel (by boss <t:")
    assert "-# boss changed system prompt <t:" in said(shown)


async def test_a_choice_replaces_the_channels_own_prompt_and_the_other_way_round(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    for command, options in [
        ("persona set", {"prompt": RHYMES}),
        ("persona use", {"name": "go-away"}),
        ("persona set", {"prompt": RHYMES}),
    ]:
        await boss.slash(channel, command, **options)
        await boss.slash(channel, "ask", prompt="Hello?")

    assert [prompt[0][1][:24] for prompt in fake.prompts] == [
        "Answer in rhymes.\nAlways",
        "You do not want to be di",
        "Answer in rhymes.\nAlways",
    ]


async def test_what_was_chosen_can_be_taken_back(boss: MemberActor, channel: ChannelHandle) -> None:
    await boss.slash(channel, "persona use", name="go-away")

    back = await boss.slash(channel, "persona reset")
    again = await boss.slash(channel, "persona reset")

    assert said(back) == "**assistant** answers here, from the bot's own default."
    assert said(again) == "Nothing was set here. **assistant** answers here, from the bot's own default."


async def test_a_thread_that_takes_its_choice_back_goes_by_its_channel_again(
    boss: MemberActor, channel: ChannelHandle
) -> None:
    thread = thread_in(channel, boss)
    await boss.slash(channel, "persona use", name="go-away")
    await boss.slash(thread, "persona use", name="google-it")

    back = await boss.slash(thread, "persona reset")

    assert said(back) == "**go-away** answers here, from this thread's channel."


async def test_a_prompt_too_long_for_a_message_is_shown_as_a_file(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    prompt = "Be kind. " * 400
    await boss.slash(channel, "persona set", prompt=prompt)

    shown = await alice.slash(channel, "persona show")

    assert said(shown) == "It is too long for a message, so here it is as a file."
    assert shown.response is not None
    assert prompt.strip() in file_of(env, shown.response)


# The library


async def test_a_saved_persona_can_be_listed_chosen_and_asked(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    saved = await boss.slash(channel, "persona save", name="Ship's Poet", prompt=RHYMES)
    listed = await alice.slash(channel, "persona list")
    await alice.slash(channel, "ask", prompt="Hello?", persona="ship's POET")

    assert said(saved) == ("**Ship's Poet** is saved as version 1. `/persona use Ship's Poet` lets it answer.")
    names = [line.split("**")[1] for line in said(listed).splitlines()]
    assert names == ["assistant", "google-it", "go-away", "drunk-italian", "commentator", "Ship's Poet"]
    assert "- **Ship's Poet** (version 1, by boss <t:" in said(listed)
    assert said(listed).endswith(": Answer in rhymes. Always.")
    assert fake.prompts[0][0] == ("system", RHYMES)


async def test_saving_again_makes_a_new_version_that_answers_at_once(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)
    await boss.slash(channel, "persona use", name="poet")

    again = await boss.slash(channel, "persona save", name="POET", prompt="Haiku only.")
    await boss.slash(channel, "ask", prompt="Hello?")

    assert said(again).startswith("**poet** is saved as version 2.")
    assert fake.prompts[0][0] == ("system", "Haiku only.")


async def test_two_servers_do_not_see_each_others_personas(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    elsewhere = env.create_guild("Elsewhere")
    room = elsewhere.create_text_channel("room")
    stranger = elsewhere.add_member(alice.user)
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)

    listed = await stranger.slash(room, "persona list")
    offered = await stranger.autocomplete(room, "ask", "persona", "poet")
    answer = await stranger.slash(room, "ask", prompt="Hello?", persona="poet")

    assert "poet" not in said(listed)
    assert offered == []
    assert "⚠️ There is no persona “poet” here." in said(answer)


async def test_editing_opens_a_window_with_the_prompt_in_it(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.slash(channel, "persona save", name="poet", prompt=SQL)

    window = await boss.slash(channel, "persona edit", name="Poet")
    done = await boss.submit_modal(window, {field_of(window): f"{SQL}\n{SQL}"})
    await boss.slash(channel, "ask", prompt="Hello?", persona="poet")

    assert window.modal is not None
    assert window.modal["title"] == "Edit poet"
    assert SQL in {field["value"] for row in window.modal["components"] for field in row["components"]}
    assert said(done).startswith("**poet** is saved as version 2.")
    assert fake.prompts[0][0] == ("system", f"{SQL}\n{SQL}")


async def test_what_was_written_in_a_window_is_given_back_when_it_can_not_be_saved(
    env: Env, boss: MemberActor, channel: ChannelHandle
) -> None:
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)
    window = await boss.slash(channel, "persona edit", name="poet")

    refusal = await boss.submit_modal(window, {field_of(window): " \n "})

    assert refused(refusal) == "A persona needs a system prompt: say who the model is and how it answers."
    [copy] = refusal.followups
    assert copy.ephemeral
    assert copy.content == "Your text is not lost:"
    assert file_of(env, copy) == " \n "


async def test_deleting_a_persona_says_who_falls_back_and_they_do(
    alice: MemberActor, boss: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    other = guild.create_text_channel("other")
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)
    for place in (channel, other):
        await boss.slash(place, "persona use", name="poet")

    deleted = await boss.slash(channel, "persona delete", name="poet")
    answer = await alice.slash(other, "ask", prompt="Hello?")

    assert said(deleted).startswith("The persona “poet” is deleted. The default answers there now: ")
    assert {channel.mention, other.mention} == set(said(deleted).rstrip(".").rpartition(": ")[2].split(", "))
    assert fake.prompts[0][0] == ("system", "You are a helpful assistant.")
    assert said(answer).endswith("· assistant")


async def test_deleting_an_unused_persona_bothers_nobody(boss: MemberActor, channel: ChannelHandle) -> None:
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)

    deleted = await boss.slash(channel, "persona delete", name="poet")
    gone = await boss.slash(channel, "persona use", name="poet")

    assert said(deleted) == "The persona “poet” is deleted. No channel used it."
    assert refused(gone).startswith("There is no persona “poet” here. Available: `assistant`")


async def test_a_deleted_persona_is_named_as_it_was_saved(boss: MemberActor, channel: ChannelHandle) -> None:
    await boss.slash(channel, "persona save", name="Sea Captain", prompt=RHYMES)

    deleted = await boss.slash(channel, "persona delete", name=" sea  CAPTAIN ")

    assert said(deleted) == "The persona “Sea Captain” is deleted. No channel used it."


@pytest.mark.parametrize(
    ("kinds", "sentences"),
    [
        ([ScopeKind.CHANNEL], "The default answers there now: <#{id}>."),
        ([ScopeKind.SERVER], "The default replaces this server's own choice."),
        (
            [ScopeKind.SERVER, ScopeKind.CHANNEL],
            "The default answers there now: <#{id}>. The default replaces this server's own choice.",
        ),
    ],
)
async def test_a_channel_with_the_servers_id_is_told_from_the_server(
    kinds: list[ScopeKind],
    sentences: str,
    boss: MemberActor,
    guild: GuildHandle,
    channel: ChannelHandle,
    database: Database,
) -> None:
    """As in a server of 2016 or before, whose first channel has its id."""
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)
    for kind in kinds:
        await SqlSettings(database).change(
            Scope(kind, guild.id), {"persona": "poet"}, guild_id=guild.id, by=Author(boss.id, "boss")
        )

    deleted = await boss.slash(channel, "persona delete", name="poet")

    assert said(deleted) == f"The persona “poet” is deleted. {sentences.format(id=guild.id)}"


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("save", {"name": "google-it", "prompt": "x"}, "“google-it” comes with the bot and can't be changed;"),
        ("edit", {"name": "Assistant"}, "“assistant” comes with the bot and can't be changed;"),
        ("delete", {"name": "commentator"}, "“commentator” comes with the bot and can't be deleted;"),
        ("save", {"name": "`;--", "prompt": "x"}, "A persona's name has 1 to 32 letters, digits, spaces,"),
        ("save", {"name": "poet", "prompt": "   "}, "A persona needs a system prompt:"),
        ("set", {"prompt": "   "}, "A persona needs a system prompt:"),
        ("edit", {"name": "nobody"}, "There is no persona “nobody” here."),
        ("delete", {"name": "nobody"}, "There is no persona “nobody” here."),
        ("use", {"name": SQL}, f"There is no persona “{SQL}” here."),
    ],
)
async def test_what_can_not_be_done_is_refused_in_a_sentence(
    command: str, options: dict[str, str], sentence: str, boss: MemberActor, channel: ChannelHandle
) -> None:
    before = said(await boss.slash(channel, "persona list"))

    refusal = await boss.slash(channel, f"persona {command}", **options)

    assert refused(refusal).startswith(sentence)
    assert said(await boss.slash(channel, "persona list")) == before


async def test_only_personas_that_can_be_changed_are_offered_for_that(
    boss: MemberActor, channel: ChannelHandle
) -> None:
    await boss.slash(channel, "persona save", name="poet", prompt=RHYMES)

    async def offered(command: str, typed: str) -> list[str]:
        choices = await boss.autocomplete(channel, command, "name", typed)
        return [choice["value"] for choice in choices]

    assert await offered("persona use", "o") == ["google-it", "go-away", "commentator", "poet"]
    assert await offered("persona use", "PO") == ["poet"]
    for command in ("persona save", "persona edit", "persona delete"):
        assert await offered(command, "") == ["poet"]


async def test_no_more_are_offered_than_discord_takes(boss: MemberActor, channel: ChannelHandle) -> None:
    for number in range(30):
        await boss.slash(channel, "persona save", name=f"poet {number}", prompt="x")

    choices = await boss.autocomplete(channel, "persona use", "name", "poet")

    assert len(choices) == 25
