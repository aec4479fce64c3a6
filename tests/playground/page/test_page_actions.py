"""What visitors do, and the sentence that tells them why not."""

import pytest

from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord, Permission
from playground.discord.payloads import Payload
from tests.playground.page.visitor import Controls, Visitor
from tests.playground.small_bot import SmallBot

MIB = 1024 * 1024


# ---- Messages ----


async def test_a_message_is_posted_with_its_files(visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    files = [("a.txt", b"abc"), ("../../bö\u202e b.bin", b"\x00\xff"), ("../", b"")]

    answer = await visitor.upload("say", anna, files, channel=str(general.id), content="Hello")

    [message] = general.messages()
    assert answer.json == {"message": str(message.id)}
    assert (message.author_id, message.content) == (anna.id, "Hello")
    assert [(file.filename, file.data) for file in message.attachments] == [
        ("a.txt", b"abc"),
        ("bö b.bin", b"\x00\xff"),
        ("file", b""),
    ]


async def test_a_file_needs_no_text(visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    assert (await visitor.upload("say", anna, [("a", b"")], channel=str(general.id))).status == 200


@pytest.mark.parametrize("name", [".", "..", "../..", "a/..", "\u202e"])
async def test_a_file_whose_name_is_none_can_be_downloaded_all_the_same(
    name: str, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    await visitor.upload("say", anna, [(name, b"x")], channel=str(general.id), content="")

    [attachment] = general.messages()[-1].attachments
    assert attachment.filename == "file"
    assert (await visitor.get(f"files/{attachment.id}/file")).body == b"x"


@pytest.mark.parametrize("pings", [True, False])
async def test_a_reply_pings_unless_it_is_told_not_to(
    pings: bool, visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    question = ben.say(general, "Who?")
    data = {"channel": str(general.id), "content": "Me", "reply_to": str(question.id)}

    await visitor.post("say", anna, **data, **({} if pings else {"ping_reply": False}))

    reply = general.messages()[-1]
    assert reply.reply_to == question.id
    assert reply.pings.users == ({ben.id} if pings else set())


async def test_ones_own_message_is_edited_and_deleted(visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "Helo")

    assert (await visitor.post("edit", anna, message=str(said.id), content="Hello")).json == {}
    assert general.messages()[0].content == "Hello"
    assert (await visitor.post("delete", anna, message=str(said.id))).json == {}
    assert general.messages() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"content": "x" * 2001}, "A message may have 2,000 characters; this one has 2,001."),
        ({"content": "  \n"}, "A message needs a text or a file."),
        ({"content": 3}, "content must be a text."),
        ({"content": "x", "ping_reply": "no"}, "ping_reply must be true or false."),
        ({"content": "x", "channel": "1"}, "Anna sees no such channel."),
        ({"content": "x", "channel": "general"}, "channel must be an id."),
        ({"content": "x", "channel": None}, "channel must be an id."),
        ({"content": "x", "reply_to": "1"}, "Anna sees no such message: it may have been deleted."),
        ({"content": "x", "as": "1"}, "Choose who you are first: nobody has this id."),
    ],
)
async def test_a_message_that_no_app_would_send_is_refused_in_a_sentence(
    data: Payload, sentence: str, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    refused = await visitor.post("say", anna, **({"channel": str(general.id)} | data))

    assert refused.status in (400, 404)
    assert refused.error == sentence
    assert general.messages() == []


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("a.bin", b"x" * (10 * MIB + 1))], "a.bin is too large: a file may have 10 MiB."),
        ([("a", b"x")] * 11, "Only 10 files can be sent at once."),
    ],
)
async def test_files_that_no_app_would_send_are_refused(
    files: list[tuple[str, bytes]], sentence: str, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    refused = await visitor.upload("say", anna, files, channel=str(general.id))

    assert (refused.status, refused.error) == (400, sentence)


async def test_other_peoples_messages_are_theirs(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    said = ben.say(general, "Mine")
    mia = guild.add_member("Mia", permissions=Permission.MANAGE_MESSAGES)

    edited = await visitor.post("edit", mia, message=str(said.id), content="Yours")
    deleted = await visitor.post("delete", anna, message=str(said.id))

    assert edited.error == "Only one's own messages can be edited."
    assert deleted.error == "Anna lacks the permission Manage Messages here."
    assert (await visitor.post("delete", mia, message=str(said.id))).status == 200


async def test_what_one_does_not_see_one_cannot_touch(
    bot: SmallBot, visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    mia = guild.add_member("Mia", permissions=Permission.MANAGE_MESSAGES)
    asked = anna.slash(general, "ask", prompt="Hi", private=True)
    secret = await asked.message()

    for path, data in {
        "delete": {},
        "click": {"custom_id": "stop"},
        "say": {"channel": str(general.id), "content": "x", "reply_to": str(secret.id)},
        "thread": {"channel": str(general.id), "name": "aside"},
        "message-command": {"channel": str(general.id), "command": "Explain"},
    }.items():
        refused = await visitor.post(path, mia, message=str(secret.id), **data)
        assert (refused.status, refused.error) == (400, "Mia sees no such message: it may have been deleted.")
    refused = await visitor.post("say", mia, channel=str(anna.dm.id), content="Psst")
    assert refused.error == "Mia sees no such channel."
    refused = await visitor.post("submit", mia, interaction=str(asked.id), texts={})
    assert refused.error == "Mia began no such interaction."


async def test_a_thread_is_opened_under_a_message_and_by_itself(
    visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "To be or not to be")

    under = await visitor.post("thread", anna, channel=str(general.id), name=" to be ", message=str(said.id))
    alone = await visitor.post("thread", anna, channel=str(general.id), name="aside", message=None)

    assert under.json == {"channel": str(said.id)}
    threads = [server.world.channels[int(answer.json["channel"])] for answer in (under, alone)]
    assert [(thread.name, thread.parent_id, thread.owner_id) for thread in threads] == [
        ("to be", general.id, anna.id),
        ("aside", general.id, anna.id),
    ]
    again = await visitor.post("thread", anna, channel=str(general.id), name="x", message=str(said.id))
    assert again.error == "This message has a thread already."


# ---- Components ----


async def test_a_button_is_pressed(bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "ask", prompt="Hi")
    await asked.message(lambda message: message.content == "and more")
    async with visitor.tab(anna) as stream:
        await visitor.post("click", anna, message=str(asked.original.id), custom_id="stop")
        message = await stream.until("message")

    assert (message["content"], message["components"]) == ("stopped", [])
    gone = await visitor.post("click", anna, message=str(asked.original.id), custom_id="stop")
    assert gone.error == "The message has no 'stop'; it has []."


async def test_a_list_is_chosen_from(bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    choose = await anna.slash(general, "persona choose").message()
    [select] = choose.components[0]["components"]
    data = {"message": str(choose.id), "custom_id": select["custom_id"]}

    async with visitor.tab(anna) as stream:
        await visitor.post("select", anna, **data, values=["poet"])
        message = await stream.until("message")

    assert message["content"] == "chose poet"
    for values, sentence in (
        (["plumber"], "The list offers only Nurse, poet."),
        (["poet", "Nurse"], "Choose 1 from the list, not 2."),
        ([], "Choose 1 from the list, not 0."),
        ("poet", "values must be a list of texts."),
    ):
        assert (await visitor.post("select", anna, **data, values=values)).error == sentence
    assert (await visitor.post("click", anna, **data)).error.endswith("is a list.")


async def test_a_form_is_filled_in(bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor) -> None:
    async with visitor.tab(anna) as stream:
        answer = await visitor.post("command", anna, channel=str(general.id), command="persona edit")
        opened = await stream.until("modal")
        assert opened["interaction"] == answer.json["interaction"]
        field = opened["modal"]["components"][0]["components"][0]["custom_id"]
        await visitor.post("submit", anna, interaction=opened["interaction"], texts={field: "Be short."})
        message = await stream.until("message")

    assert (message["content"], message["ephemeral"]) == ("saved: Be short. ()", True)
    for texts, sentence in (
        ({field: ""}, "Prompt is required."),
        ({field: "x" * 4001}, "Prompt takes at most 4000 characters, not 4001."),
        ({"colour": "red"}, "The form has no field colour."),
        ({field: 3}, "texts must be an object of texts."),
    ):
        refused = await visitor.post("submit", anna, interaction=opened["interaction"], texts=texts)
        assert (refused.status, refused.error) == (400, sentence)


async def test_a_form_that_was_not_opened_cannot_be_sent(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "persona use", name="poet")
    await asked.response()

    refused = await visitor.post("submit", anna, interaction=str(asked.id), texts={})

    assert (refused.status, refused.error) == (400, "No form was opened.")


# ---- The bot ----


async def test_the_bots_switches_are_turned(visitor: Visitor, controls: Controls, anna: Actor) -> None:
    for switch in ("cut", "kill"):
        assert (await visitor.post("bot", anna, do=switch)).json == {}
        assert await controls.turned.get() == switch


async def test_a_restart_is_answered_before_it_is_over_and_is_not_begun_twice(
    visitor: Visitor, controls: Controls, anna: Actor
) -> None:
    assert (await visitor.post("bot", anna, do="restart")).json == {}
    refused = await visitor.post("bot", anna, do="kill")

    assert (refused.status, refused.error) == (
        400,
        "The bot is still busy with what it was told before: wait a moment.",
    )
    assert controls.turned.qsize() == 1
    controls.hold.set()
    controls.can_restart = False
    assert (await visitor.post("bot", anna, do="cut")).status == 400
    assert (await visitor.post("bot", anna, do="sing")).error == "The bot can be told to restart, kill or cut."


async def test_a_switch_that_fails_is_logged_and_can_be_turned_again(
    visitor: Visitor, controls: Controls, anna: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    controls.state = "crashed"
    for _ in range(2):
        assert (await visitor.post("bot", anna, do="kill")).status == 200

    assert caplog.messages == ["The bot could not be switched"] * 2
    assert "there is nothing to kill" in caplog.text
