# ruff: noqa: ASYNC240  (nobody else waits while a test looks at a file)
"""A Discord that goes on after a restart of its process where it was."""

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord, Message, Permission
from playground.discord.keeper import Keeper
from playground.discord.snapshot import Snapshot, UnreadableSnapshotError
from tests.playground.raw_client import raw_client
from tests.playground.small_bot import SmallBot

_BUSY = """
import asyncio, sys
from pathlib import Path
from playground.discord import LoopbackDiscord
from playground.discord.keeper import Keeper
from playground.discord.snapshot import Snapshot

async def main():
    async with LoopbackDiscord() as discord:
        guild = discord.add_guild()
        anna, general = guild.add_member("Anna"), guild.add_channel()
        async with Keeper(discord, Snapshot(Path(sys.argv[1]))):
            while True:
                print(anna.say(general, "on and on").id, flush=True)
                await asyncio.sleep(0.01)

asyncio.run(main())
"""
_MILLISECONDS = 22


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "world.json"


def save(server: LoopbackDiscord, path: Path) -> None:
    snapshot = Snapshot(path)
    snapshot.write(snapshot.take(server))


@asynccontextmanager
async def restarted(path: Path) -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as again:
        assert Snapshot(path).restore(again)
        yield again


def everything(server: LoopbackDiscord) -> list[Message]:
    return list(server.messages.newest_first())


async def test_nothing_saved_is_nothing_restored(server: LoopbackDiscord, path: Path) -> None:
    assert not Snapshot(path).restore(server)


async def test_people_places_and_rights_come_back(server: LoopbackDiscord, guild: GuildHandle, path: Path) -> None:
    general = guild.add_channel()
    staff = guild.add_role("Staff", permissions=int(Permission.MANAGE_MESSAGES), mentionable=True)
    anna = guild.add_member("Anna", roles=[staff])
    general.overwrite(anna, deny=int(Permission.ATTACH_FILES))
    general.thread("Aside").archive(locked=True)
    dm = anna.dm
    server.world.set_commands(None, [{"name": "ask", "description": "Ask"}])
    server.world.set_commands(guild.id, [{"name": "Explain", "type": 3}])
    save(server, path)
    async with restarted(path) as again:
        assert again.world.users == server.world.users
        assert again.world.guilds == server.world.guilds
        assert again.world.channels == server.world.channels
        assert dm.id in again.world.channels
        assert again.world.commands == server.world.commands


async def test_files_are_served_at_the_new_address(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    data = bytes(range(256))
    said = anna.say(general, "look", attachments=[("what is this #1?.bin", data)])
    save(server, path)
    async with restarted(path) as again, aiohttp.ClientSession() as session:
        (file,) = again.messages.history(said.channel_id)[0].attachments
        assert file.url.startswith(again.url)
        assert file.url != said.attachments[0].url
        async with session.get(file.url) as answer:
            assert await answer.read() == data


async def test_an_answer_still_tells_who_asked_by_which_command(
    server: LoopbackDiscord, bot: SmallBot, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    asked = anna.slash(general, "persona use", name="poet")
    await asked.message()
    save(server, path)
    async with restarted(path) as again:
        (message,) = again.messages.history(general.id)
        assert message.interaction_id == asked.id
        assert message.used
        assert (message.used.user_id, message.used.command) == (anna.id, "persona use")


async def test_ephemeral_messages_are_forgotten_and_thinking_ones_are_not(
    server: LoopbackDiscord, bot: SmallBot, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    bot.may_answer.clear()
    thinking = anna.slash(general, "slow")
    secret = anna.slash(general, "ask", prompt="psst", private=True)
    await thinking.response()
    await secret.message(lambda message: message.content == "and more")
    save(server, path)
    assert len(everything(server)) == 3
    async with restarted(path) as again:
        (kept,) = everything(again)
        assert kept == thinking.original
        assert kept.thinking
    bot.may_answer.set()
    await thinking.message()


async def test_replies_and_nonces_keep_what_they_point_to(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    said = anna.say(general, "hello")
    body = {"content": "hi", "nonce": "7", "enforce_nonce": True, "message_reference": {"message_id": str(said.id)}}
    async with raw_client(server) as client:
        posted = await client.call("POST", f"/channels/{general.id}/messages", body)
    save(server, path)
    async with restarted(path) as again, raw_client(again) as client:
        repeated = await client.call("POST", f"/channels/{general.id}/messages", body)
        assert repeated.body["id"] == posted.body["id"]
        assert repeated.body["referenced_message"]["content"] == "hello"


async def test_ids_go_on_rising_even_if_the_clock_was_set_back(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    server.world.ids.resume(server.world.ids.next(), margin=3600)
    said = anna.say(general, "from the future")
    save(server, path)
    lost = anna.say(general, "after the last save")
    async with restarted(path) as again:
        assert again.world.ids.next() > lost.id > said.id


async def test_only_the_newest_messages_are_kept(
    server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    quiet = guild.add_channel("quiet")
    anna.say(quiet, "long ago")
    for number in range(1001):
        anna.say(general, str(number))
    save(server, path)
    async with restarted(path) as again:
        assert [message.content for message in again.messages.history(quiet.id)] == ["long ago"]
        assert [message.content for message in again.messages.history(general.id)] == [
            str(number) for number in range(1, 1001)
        ]


async def test_no_message_is_kept_behind_twenty_mebibytes_of_files(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    for name in ("first", "second", "third"):
        anna.say(general, name, attachments=[(name, bytes(10 * 1024 * 1024))])
    save(server, path)
    async with restarted(path) as again:
        assert [message.content for message in everything(again)] == ["third", "second"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(st.characters(exclude_categories=["Cs"])), data=st.binary(), number=st.integers(0, 2**63))
async def test_any_text_and_any_file_come_back(tmp_path: Path, content: str, data: bytes, number: int) -> None:
    path = tmp_path / "any.json"
    async with LoopbackDiscord() as server:
        guild = server.add_guild(content)
        embeds = [{"title": content, "color": number}]
        general, anna = guild.add_channel(), guild.add_member("Anna")
        said = anna.say(general, content[:2000] or "-", attachments=[(content[:9] or "-", data)])
        server.messages.edit(said, {"embeds": embeds, "content": None}, ())
        save(server, path)
        async with restarted(path) as again:
            (before,), (after,) = everything(server), everything(again)
            assert (after.embeds, after.content, after.pings) == (before.embeds, before.content, before.pings)
            assert after.attachments[0].data == data
            assert again.world.guilds == server.world.guilds


async def test_half_a_surrogate_pair_does_not_stop_the_saving(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    anna.say(general, "half \ud83d pair")
    save(server, path)
    async with restarted(path) as again:
        assert everything(again)[0].content == "half ? pair"


# The file


async def test_the_file_is_its_owners_only_and_the_only_one(server: LoopbackDiscord, path: Path) -> None:
    path.with_name("world.json.new").write_text("left behind by a crash")
    save(server, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


async def test_what_did_not_change_is_not_written_again(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    said = anna.say(general, "one")
    snapshot = Snapshot(path)
    snapshot.write(snapshot.take(server))
    written = path.stat().st_ino
    snapshot.write(snapshot.take(server))
    assert path.stat().st_ino == written
    server.age(said, 60)
    snapshot.write(snapshot.take(server))
    assert path.stat().st_ino != written


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1])
async def test_a_damaged_file_is_put_aside_and_said(server: LoopbackDiscord, path: Path, cut: int) -> None:
    server.add_guild("Lost")
    save(server, path)
    damaged = path.read_bytes()[:cut]
    path.write_bytes(damaged)
    async with LoopbackDiscord() as again:
        with pytest.raises(UnreadableSnapshotError, match=r"is damaged, so it was renamed to world\.json\."):
            Snapshot(path).restore(again)
        assert not again.world.guilds
        save(again, path)
    kept, anew = sorted(path.parent.iterdir(), key=lambda one: one == path)
    assert (kept.read_bytes(), anew) == (damaged, path)


async def test_a_file_of_a_newer_version_is_put_aside_and_said(server: LoopbackDiscord, path: Path) -> None:
    path.write_text(json.dumps({"version": 2, "checksum": "as it may be"}) + "\nsomething new")
    with pytest.raises(UnreadableSnapshotError, match="is of a newer version"):
        Snapshot(path).restore(server)
    assert not path.exists()


# Keeping


async def test_a_keeper_saves_what_no_event_told_and_at_the_end(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, path: Path
) -> None:
    async with Keeper(server, Snapshot(path)):
        anna.say(general, "the last word")
        server.add_user("Cleo")
    async with restarted(path) as again:
        assert everything(again)[0].content == "the last word"
        assert "Cleo" in {user.name for user in again.world.users.values()}


async def test_a_keeper_that_cannot_write_says_so_and_goes_on(
    server: LoopbackDiscord, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = path / "under" / "a-file.json"
    path.write_text("a file where a folder should be")
    async with Keeper(server, Snapshot(blocked)):
        pass
    assert "could not be saved" in caplog.text


async def test_a_kill_loses_no_more_than_the_last_moments(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BUSY, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    said = 0
    saves: set[int] = set()
    while len(saves) < 3:
        said = int(await process.stdout.readline())
        if path.exists():
            saves.add(path.stat().st_mtime_ns)
    process.send_signal(signal.SIGKILL)
    async for line in process.stdout:
        said = int(line)
    await process.wait()
    async with restarted(path) as again:
        lost = (said >> _MILLISECONDS) - (everything(again)[0].id >> _MILLISECONDS)
        # A second, and what a busy machine takes to write.
        assert lost < 3000
