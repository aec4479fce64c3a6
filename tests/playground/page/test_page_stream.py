"""What each open tab is told, and what it is not."""

import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

from playground.discord import (
    Actor,
    ChannelHandle,
    GuildHandle,
    LoopbackDiscord,
    Permission,
    Settings,
)
from playground.page import About, Page
from tests.playground.page.visitor import Controls, Readings, Visitor, visiting
from tests.playground.small_bot import SmallBot


async def test_a_tab_is_first_told_the_world(
    visitor: Visitor, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    mia = guild.add_member("Mia", permissions=Permission.MANAGE_MESSAGES)
    server.world.set_commands(None, [{"name": "ask", "description": "Ask"}])
    server.world.set_commands(guild.id, [{"name": "tidy", "description": "Tidy"}])

    async with visitor.stream(anna) as stream:
        kind, world = await stream.next()

    assert kind == "world"
    assert (world["me"], world["bot_id"]) == (str(anna.id), str(server.settings.bot_id))
    assert world["server"] == {"id": str(guild.id), "name": "Demo"}
    assert world["users"] == [
        {"id": str(server.settings.bot_id), "name": "Llampost", "bot": True, "role": ""},
        {"id": str(guild.model.owner_id), "name": "Demo's owner", "bot": False, "role": "owner"},
        {"id": str(anna.id), "name": "Anna", "bot": False, "role": "member"},
        {"id": str(mia.id), "name": "Mia", "bot": False, "role": "moderator"},
    ]
    assert [command["name"] for command in world["commands"]] == ["tidy", "ask"]
    assert world["demo"] == {"model": "tiny", "embedded": True, "note": "A tiny model."}
    assert world["bot"] == {"state": "running", "since": "2026-01-02T00:00:00+00:00", "can_restart": True}


async def test_the_world_has_text_channels_then_threads_then_the_direct_messages(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    thread = general.thread("long talk")
    thread.archive(locked=True)
    code = guild.add_channel("code")

    async with visitor.stream(anna) as stream:
        channels = (await stream.until("world"))["channels"]

    bits = channels[0]["permissions"]
    assert int(bits) & Permission.SEND_MESSAGES
    rest = {"permissions": bits, "archived": False, "locked": False, "may_write": True, "writable_reason": ""}
    assert channels[:2] == [
        {"id": str(general.id), "kind": "text", "name": "general", "parent": None} | rest,
        {"id": str(code.id), "kind": "text", "name": "code", "parent": None} | rest,
    ]
    assert channels[2] == {
        "id": str(thread.id),
        "kind": "thread",
        "name": "long talk",
        "parent": str(general.id),
        "permissions": bits,
        "archived": True,
        "locked": True,
        "may_write": False,
        "writable_reason": "This thread is locked: only who may manage threads can write in it.",
    }
    assert (channels[3]["id"], channels[3]["kind"], channels[3]["name"]) == (str(anna.dm.id), "dm", "Llampost")
    assert len(channels) == 4


async def test_a_tab_that_names_nobody_becomes_the_first_member(
    visitor: Visitor, guild: GuildHandle, anna: Actor
) -> None:
    answer = await visitor.get("stream?as=7")
    assert (answer.status, answer.error) == (404, "Choose who you are first: nobody has this id.")

    async with visitor.stream(None) as stream:
        assert (await stream.until("world"))["me"] == str(guild.model.owner_id) != str(anna.id)


async def test_nobody_acts_as_the_bot(visitor: Visitor, server: LoopbackDiscord) -> None:
    assert (await visitor.get(f"stream?as={server.settings.bot_id}")).status == 404


async def test_a_tab_that_comes_back_finds_everything_as_it_is(
    visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    question = anna.say(general, "One")
    async with visitor.tab(anna) as stream:
        ben.say(general, "Two", reply_to=question, attachments=[("a.txt", b"abc")])
        anna.edit(question, "One!")
        gone = anna.say(general, "Three")
        anna.delete(gone)
        heard = {}
        while (event := await stream.next())[0] != "gone":
            heard[event[1]["id"]] = event[1]
    assert event[1] == {"id": str(gone.id), "channel": str(general.id)}
    del heard[str(gone.id)]

    async with visitor.stream(anna) as stream:
        messages = (await stream.until("messages"))["messages"]

    # The reply quotes what it replies to as that is now.
    heard[messages[1]["id"]]["reply"]["text"] = "One!"
    assert messages == sorted(heard.values(), key=lambda message: int(message["id"]))
    assert [message["content"] for message in messages] == ["One!", "Two"]


async def test_a_message_says_all_that_is_shown_of_it(
    visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    question = ben.say(general, "Who?")
    async with visitor.tab(ben) as stream:
        said = anna.say(general, f"Me, {ben.mention}", reply_to=question, attachments=[("a b.txt", b"abc")])
        message = await stream.until("message")

    assert message == {
        "id": str(said.id),
        "channel": str(general.id),
        "author": str(anna.id),
        "content": f"Me, <@{ben.id}>",
        "at": said.created_at.isoformat(),
        "edited": False,
        "thinking": False,
        "ephemeral": False,
        "reply_to": str(question.id),
        "reply": {"author": str(ben.id), "text": "Who?"},
        "used": None,
        "pings_me": True,
        "attachments": [
            {
                "id": str(said.attachments[0].id),
                "name": "a b.txt",
                "size": 3,
                "url": f"files/{said.attachments[0].id}/a%20b.txt",
                "type": "text/plain; charset=utf-8",
            }
        ],
        "components": [],
        "embeds": [],
    }
    assert (await visitor.get(message["attachments"][0]["url"])).body == b"abc"


async def test_a_reply_to_what_was_deleted_quotes_nothing(
    visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    question = anna.say(general, "Who?")
    anna.say(general, "Me", reply_to=question)
    anna.delete(question)

    async with visitor.stream(anna) as stream:
        [message] = (await stream.until("messages"))["messages"]

    assert (message["reply_to"], message["reply"]) == (str(question.id), {"author": "", "text": ""})


async def test_only_the_newest_hundred_messages_of_each_channel_are_told(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    code = guild.add_channel("code")
    for number in range(101):
        anna.say(general, f"general {number}")
        anna.say(code, f"code {number}")

    async with visitor.stream(anna) as stream:
        messages = (await stream.until("messages"))["messages"]

    assert [message["content"] for message in messages] == [
        f"{name} {number}" for number in range(1, 101) for name in ("general", "code")
    ]


async def test_a_roles_ping_reaches_who_has_it(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    role = guild.add_role("Helpers", mentionable=True)
    helper = guild.add_member("Hana", roles=[role])
    async with visitor.tab(helper) as hers, visitor.tab(anna) as other:
        anna.say(general, f"<@&{role.id}>!")

        assert (await hers.until("message"))["pings_me"]
        assert not (await other.until("message"))["pings_me"]


async def test_an_answer_grows_state_by_state_in_every_tab(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    async with visitor.tab(anna) as first, visitor.tab(anna) as second, visitor.tab(ben) as third:
        answer = await visitor.post("command", anna, channel=str(general.id), command="ask", options={"prompt": "Hi"})
        for stream, asked in ((first, True), (second, True), (third, False)):
            heard = [event for event in await stream.heard_until("and more") if event[0] != "world"]

            messages = [payload for kind, payload in heard if kind == "message"]
            assert [message["content"] for message in messages] == ["", "Hi ...", "Hi !"]
            assert [message["thinking"] for message in messages] == [True, False, False]
            assert {message["id"] for message in messages} == {messages[0]["id"]}
            assert messages[0]["used"] == {"user": str(anna.id), "command": "ask"}
            [button] = messages[1]["components"][0]["components"]
            assert button["label"] == "Stop"
            settled = [payload for kind, payload in heard if kind == "settled"]
            interaction = answer.json["interaction"]
            assert settled == ([{"interaction": interaction, "ok": True, "error": ""}] if asked else [])


async def test_the_world_is_told_again_whenever_it_changes_and_only_then(
    visitor: Visitor,
    server: LoopbackDiscord,
    guild: GuildHandle,
    general: ChannelHandle,
    controls: Controls,
    anna: Actor,
) -> None:
    async with visitor.tab(anna) as stream:
        guild.add_role("Nobody")
        thread = general.thread("aside")
        assert (await stream.next())[1]["channels"][1]["name"] == "aside"
        thread.lock()
        assert (await stream.next())[1]["channels"][1]["locked"]
        server.world.set_commands(None, [{"name": "ask", "description": "Ask"}])
        assert [command["name"] for command in (await stream.next())[1]["commands"]] == ["ask"]
        controls.become("crashed")
        assert (await stream.next())[1]["bot"]["state"] == "crashed"
        controls.become("crashed")
        thread.delete()
        assert [channel["name"] for channel in (await stream.next())[1]["channels"]] == ["general", "Llampost"]


async def test_who_waits_for_a_bot_that_does_not_respond_is_told(anna: Actor) -> None:
    async with LoopbackDiscord(Settings(answer_within=0.05)) as server:
        guild = server.add_guild()
        general, mia = guild.add_channel(), guild.add_member("Mia")
        server.world.set_commands(None, [{"name": "ask", "description": "Ask"}])
        about = About(model="tiny", embedded=True)
        async with (
            Page(server, about=about, bot=Controls(), gauges=Readings()) as page,
            visiting(page) as visitor,
            visitor.tab(mia) as stream,
        ):
            asked = mia.slash(general, "ask")

            settled = await stream.until("settled")

    assert settled == {"interaction": str(asked.id), "ok": False, "error": "Llampost did not respond."}


async def test_gauges_are_told_again_and_again_to_who_watches_them(
    visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    async with visitor.tab(anna) as without, visitor.stream(anna, gauges=True) as watching:
        for _ in range(3):
            assert await watching.until("gauges") == {"calls_per_second": 2.0}
        anna.say(general, "Hello")
        assert await without.heard_until("Hello") == []


async def test_a_closed_tab_is_forgotten_at_once(page: Page, visitor: Visitor, anna: Actor) -> None:
    async with visitor.tab(anna):
        async with visitor.tab(anna):
            assert page.open_tabs == 2
        await visitor.until(lambda: page.open_tabs == 1)
    await visitor.until(lambda: page.open_tabs == 0)


async def test_a_tab_that_stops_reading_is_disconnected_and_the_others_go_on(
    page: Page, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    address = urlsplit(page.url)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((address.hostname, address.port))
        deaf.sendall(f"GET {address.path}stream?as={anna.id} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        async with visitor.tab(anna) as stream:
            await visitor.until(lambda: page.open_tabs == 2)
            said = anna.say(general, "x")
            await stream.until("message")
            sent = 0
            while page.open_tabs == 2 and sent < 5000:
                sent += 1
                anna.edit(said, f"{sent} ".ljust(2000, "ß"))
                assert (await stream.until("message"))["content"].startswith(f"{sent} ")

    assert page.open_tabs == 1
    assert sent < 5000


async def test_when_the_page_closes_its_tabs_are_let_go(
    server: LoopbackDiscord, controls: Controls, anna: Actor
) -> None:
    page = Page(server, about=About(model="tiny", embedded=True), bot=controls, gauges=Readings())
    async with aiohttp.ClientSession() as session:
        async with page:
            tab = await session.get(page.url + "stream")
        with pytest.raises(aiohttp.ClientError):
            await tab.read()
    assert page.open_tabs == 0


async def test_a_port_that_is_taken_is_an_error_that_leaves_nothing_behind(
    page: Page, server: LoopbackDiscord, controls: Controls
) -> None:
    watches = len(server.feed._watches)
    port = urlsplit(page.url).port or 0

    with pytest.raises(OSError, match="in use"):
        async with Page(server, about=About("tiny", embedded=True), bot=controls, gauges=Readings(), port=port):
            pass

    assert len(server.feed._watches) == watches
