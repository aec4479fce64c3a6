"""Who gets in, what may run, and how the page refuses."""

import json
from collections.abc import Sequence

import aiohttp
import pytest
from yarl import URL

from playground.discord import Actor, ChannelHandle, LoopbackDiscord
from playground.page import About, Page
from tests.playground.page.visitor import Answer, Controls, Readings, Visitor

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PATHS = ["", "stream", "index.html", "style/base.css", "files/1/a.txt", "prompts/1"]
MIB = 1024 * 1024


@pytest.mark.parametrize("path", PATHS)
async def test_without_the_token_there_is_nothing(path: str, page: Page, visitor: Visitor) -> None:
    visitor.url = visitor.url.replace(page.token, "secret-of-that-page")

    refused = await visitor.get(path)

    assert (refused.status, refused.error) == (404, "There is nothing here.")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:80"])
async def test_another_name_for_this_machine_is_refused(path: str, host: str, visitor: Visitor) -> None:
    """A site that lets its own name point to 127.0.0.1 could otherwise read the page with its scripts."""
    assert (await visitor.call("GET", path, Host=host)).status == 403


async def test_localhost_is_a_name_for_this_machine_as_well(page: Page, visitor: Visitor) -> None:
    visitor.url = visitor.url.replace("127.0.0.1", "localhost")

    assert (await visitor.get("")).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1", "https://{host}"])
async def test_other_sites_cannot_act(origin: str, visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    body = json.dumps({"as": str(anna.id), "channel": str(general.id), "content": "spam"})

    refused = await visitor.call("POST", "say", data=body, Origin=origin.format(host=visitor.origin[7:]))

    assert (refused.status, refused.error) == (403, "The playground talks only to its own page.")
    assert general.messages() == []


async def test_a_form_of_another_site_cannot_act_without_saying_where_it_is_from(
    visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    data = {"data": json.dumps({"as": str(anna.id), "channel": str(general.id), "content": "spam"})}
    async with aiohttp.ClientSession() as session, session.post(visitor.url + "say", data=data) as answer:
        assert answer.status == 403

    assert general.messages() == []


async def test_every_answer_has_the_headers_that_keep_foreign_code_out(
    visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "x", attachments=[("a.txt", b"x")])
    file = f"files/{said.attachments[0].id}/a.txt"
    answers: Sequence[Answer] = [
        *[await visitor.get(path) for path in ("", "main.js", "nowhere", file, "prompts/1", "prompts/2")],
        await visitor.get("stream?as=1"),
        await visitor.call("GET", "", Host="evil.example"),
        await visitor.call("PUT", "say"),
        await visitor.call("POST", "say", data="{"),
        await visitor.post("say", anna, channel=str(general.id), content="hello"),
        await visitor.upload("say", anna, [("big", b"x" * 26 * MIB)], channel=str(general.id), content=""),
    ]

    assert [answer.status for answer in answers] == [200, 200, 404, 200, 200, 404, 404, 403, 405, 400, 200, 413]
    for answer in answers:
        assert answer.headers.items() >= HEADERS.items()
        if answer.status >= 400:
            assert list(answer.json) == ["error"]


async def test_the_stream_has_these_headers_as_well(visitor: Visitor, anna: Actor) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{visitor.url}stream?as={anna.id}") as answer:
        assert dict(answer.headers).items() >= HEADERS.items()


@pytest.mark.parametrize(
    "path", ["../server.py", "%2e%2e/server.py", "style/../../server.py", "style", "style/", "%00"]
)
async def test_only_files_of_the_page_are_served(path: str, visitor: Visitor) -> None:
    url = URL(visitor.url + path, encoded=True)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [("", "text/html"), ("main.js", "text/javascript"), ("style/base.css", "text/css")],
)
async def test_the_pages_own_files_have_the_types_that_browsers_ask_for(path: str, kind: str, visitor: Visitor) -> None:
    assert (await visitor.get(path)).headers["Content-Type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.js", "x.xhtml", "x.pdf", "x.txt", "x"])
async def test_an_attachment_is_a_download_that_nothing_runs(
    name: str, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    script = b"<script>alert(1)</script>"
    [attachment] = anna.say(general, attachments=[(name, script)]).attachments

    answer = await visitor.get(f"files/{attachment.id}/{name}")

    assert answer.body == script
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"


async def test_a_picture_is_shown_as_a_picture_only(visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    [attachment] = anna.say(general, attachments=[("Föhn 1.png", b"<script>")]).attachments

    answer = await visitor.get(f"files/{attachment.id}/F%C3%B6hn%201.png")

    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''F%C3%B6hn%201.png"


async def test_a_file_is_found_by_its_number_and_its_name(
    visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    [attachment] = anna.say(general, attachments=[("a.txt", b"x")]).attachments

    for path in (f"files/{attachment.id}/b.txt", "files/1/a.txt", "files/x/a.txt"):
        assert (await visitor.get(path)).status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b'{"content": "\\ud800"}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(body: bytes, visitor: Visitor) -> None:
    refused = await visitor.call("POST", "say", data=body)

    assert (refused.status, refused.error) == (400, "The body must be a JSON object.")


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n\r\nnothing\r\n--x--\r\n", b"--x\r\nContent-Disposition: form-data", b"--x\r\nno header\r\n"]
)
async def test_a_broken_form_is_refused(body: bytes, visitor: Visitor) -> None:
    refused = await visitor.call("POST", "say", data=body, Content_Type="multipart/form-data; boundary=x")

    assert refused.status == 400


async def test_a_body_that_is_too_large_is_refused_with_and_without_files(
    visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    plain = await visitor.post("say", anna, channel=str(general.id), content="x" * 26 * MIB)
    form = await visitor.upload("say", anna, [(f"{n}", b"x" * 9 * MIB) for n in range(3)], channel=str(general.id))

    assert plain.status == form.status == 413
    assert plain.error == form.error == "That is too much at once: all files together may have 25 MiB."
    assert general.messages() == []


@pytest.mark.parametrize("token", ["short", "with a blank and more", "{path}/and/much/more"])
def test_a_token_that_could_be_guessed_or_read_as_a_path_is_refused(token: str, server: LoopbackDiscord) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        Page(server, about=About("tiny", embedded=True), bot=Controls(), gauges=Readings(), token=token)


async def test_each_page_has_a_token_of_its_own_unless_it_is_given_one(server: LoopbackDiscord) -> None:
    urls = set()
    for _ in range(2):
        async with Page(server, about=About("tiny", embedded=True), bot=Controls(), gauges=Readings()) as page:
            urls.add(page.url.rstrip("/").rpartition("/")[2])

    assert len(urls) == 2
    assert all(len(token) >= 22 for token in urls)


async def test_a_prompt_is_shown_as_long_as_it_is_kept(visitor: Visitor) -> None:
    assert (await visitor.get("prompts/1")).json == {"n": 1, "model": "tiny"}
    missing = await visitor.get("prompts/2")
    assert (missing.status, missing.error) == (404, "This prompt is not kept any more.")


async def test_a_mistake_of_the_playground_is_logged_and_told_without_its_details(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await visitor.get("prompts/0")

    assert (answer.status, answer.error) == (500, "The playground made a mistake; the terminal says which.")
    assert answer.headers.items() >= HEADERS.items()
    assert "the prompts cannot be read" in caplog.text
