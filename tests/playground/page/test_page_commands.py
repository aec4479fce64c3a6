"""How a command's options travel from the page to the bot."""

import asyncio

import pytest

from playground.discord import Actor, ChannelHandle, EventKind, GuildHandle, LoopbackDiscord, Settings
from playground.discord.payloads import Payload
from playground.page import About, Page
from tests.playground.page.visitor import Controls, Readings, Visitor, visiting
from tests.playground.small_bot import SmallBot


def opened(server: LoopbackDiscord) -> Payload:
    """The data of the newest interaction, as the bot gets it."""
    event = next(event for event in reversed(server.events) if event.kind is EventKind.INTERACTION_CREATE)
    assert event.interaction
    return event.interaction.data


OPTIONS: list[Payload] = [
    {"name": "text", "type": 3, "description": "d", "max_length": 5},
    {"name": "n", "type": 4, "description": "d", "min_value": 0, "max_value": 9},
    {"name": "yes", "type": 5, "description": "d"},
    {"name": "who", "type": 6, "description": "d"},
    {"name": "where", "type": 7, "description": "d"},
    {"name": "role", "type": 8, "description": "d"},
    {"name": "whom", "type": 9, "description": "d"},
    {"name": "x", "type": 10, "description": "d"},
    {"name": "file", "type": 11, "description": "d"},
    {"name": "odd", "type": 12, "description": "d"},
    {"name": "size", "type": 4, "description": "d", "choices": [{"name": "small", "value": 1}]},
]


@pytest.fixture
def everything(server: LoopbackDiscord) -> None:
    server.world.set_commands(None, [{"name": "try", "description": "d", "options": OPTIONS}])


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("text", "abc", "abc"),
        ("text", 12, "12"),
        ("n", 5, 5),
        ("n", "5", 5),
        ("n", " 5 ", 5),
        ("n", 5.0, 5),
        ("size", "1", 1),
        ("x", 1, 1.0),
        ("x", "0.5", 0.5),
        ("x", "1e-3", 0.001),
        ("yes", True, True),
        ("yes", "False", False),
    ],
)
@pytest.mark.usefixtures("everything")
async def test_a_value_becomes_what_its_option_asks_for(
    name: str,
    given: object,
    value: object,
    visitor: Visitor,
    server: LoopbackDiscord,
    general: ChannelHandle,
    anna: Actor,
) -> None:
    answer = await visitor.post("command", anna, channel=str(general.id), command="try", options={name: given})

    assert answer.status == 200
    [option] = opened(server)["options"]
    assert option["value"] == value
    assert type(option["value"]) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("text", True, "text must be a text."),
        ("text", ["a"], "text must be a text."),
        ("text", "abcdef", "text's number of characters must be at most 5, not 6."),
        ("n", "five", "n must be a whole number, such as 5."),
        ("n", 5.5, "n must be a whole number, such as 5."),
        ("n", True, "n must be a whole number, such as 5."),
        ("n", "9" * 16, "n must be a whole number, such as 5."),
        ("n", "1_000", "n must be a whole number, such as 5."),
        ("n", 10, "n must be from 0 to 9, not 10."),
        ("size", 2, "size offers only small."),
        ("x", "nan", "x must be a number, such as 0.5."),
        ("x", "1e999", "x must be a number, such as 0.5."),
        ("x", "half", "x must be a number, such as 0.5."),
        ("x", {}, "x must be a number, such as 0.5."),
        ("yes", "maybe", "yes must be true or false."),
        ("yes", 1, "yes must be true or false."),
        ("who", {"user": "1"}, "who must be one of the people here."),
        ("who", "Anna", "who must be one of the people here."),
        ("where", {"channel": "1"}, "Anna sees no such channel."),
        ("where", {}, "where must be one of the channels here."),
        ("role", {"role": "1"}, "role must be one of the server's roles."),
        ("whom", {"role": "1"}, "whom must be one of the server's roles."),
        ("file", {"file": 1}, "file must be a file."),
        ("file", "a.txt", "file must be a file."),
        ("odd", "x", "odd is of a type that the playground does not know."),
        ("colour", "red", "The command has no option colour."),
    ],
)
@pytest.mark.usefixtures("everything")
async def test_a_value_that_its_option_does_not_take_is_refused(
    name: str, given: object, sentence: str, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    refused = await visitor.post("command", anna, channel=str(general.id), command="try", options={name: given})

    assert (refused.status, refused.error) == (400, sentence)


@pytest.mark.usefixtures("everything")
async def test_what_was_left_blank_was_not_given(
    visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    options = {"text": "", "n": "", "who": None, "x": "0"}
    await visitor.post("command", anna, channel=str(general.id), command="try", options=options)

    assert [option["name"] for option in opened(server)["options"]] == ["x"]


@pytest.mark.usefixtures("everything")
async def test_people_channels_roles_and_files_are_resolved(
    visitor: Visitor, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    role = guild.add_role("Helpers")
    options = {
        "who": {"user": str(ben.id)},
        "where": {"channel": str(general.id)},
        "role": str(role.id),
        "whom": {"role": str(role.id)},
        "file": {"file": 0},
    }

    files = [("a.txt", b"abc")]
    answer = await visitor.upload("command", anna, files, channel=str(general.id), command="try", options=options)

    assert answer.status == 200
    data = opened(server)
    values = {option["name"]: option["value"] for option in data["options"]}
    [(file_id, file)] = data["resolved"]["attachments"].items()
    assert values == {
        "who": str(ben.id),
        "where": str(general.id),
        "role": str(role.id),
        "whom": str(role.id),
        "file": file_id,
    }
    assert data["resolved"]["users"][str(ben.id)]["username"] == "Ben"
    assert (file["filename"], file["size"]) == ("a.txt", 3)


async def test_a_subcommand_is_named_as_it_is_shown(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    async with visitor.tab(anna) as stream:
        await visitor.post("command", anna, channel=str(general.id), command="persona use", options={"name": "poet"})
        message = await stream.until("message")

    assert (message["content"], message["used"]) == ("now poet", {"user": str(anna.id), "command": "persona use"})


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("sing", {}, "The bot has no command sing here."),
        ("", {}, "Choose a command first."),
        ("persona", {}, "/persona is only the beginning of a command: choose one below it."),
        ("persona sing", {}, "/persona sing does not exist: the bot has no sing there."),
        ("ask", {}, "prompt is required."),
        ("ask", {"prompt": ""}, "prompt is required."),
        ("ask", [], "options must be an object."),
    ],
)
async def test_a_command_that_is_not_there_or_not_complete_is_refused(
    command: str, options: object, sentence: str, bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    refused = await visitor.post("command", anna, channel=str(general.id), command=command, options=options)

    assert (refused.status, refused.error) == (400, sentence)


async def test_an_option_is_completed_by_the_bot(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    data = {"channel": str(general.id), "command": "persona use", "focused": "name"}

    answer = await visitor.post("complete", anna, **data, text="po", options={"name": "po"})

    assert answer.json == {"choices": [{"name": "poet", "value": "poet"}]}
    refused = await visitor.post("complete", anna, **(data | {"command": "ask", "focused": "prompt"}), text="x")
    assert refused.error == "prompt has no autocomplete."


async def test_a_bot_that_suggests_nothing_in_time_has_no_suggestions() -> None:
    async with LoopbackDiscord(Settings(answer_within=0.05)) as server:
        guild = server.add_guild()
        general, mia = guild.add_channel(), guild.add_member("Mia")
        option = {"name": "name", "type": 3, "description": "d", "autocomplete": True}
        server.world.set_commands(None, [{"name": "use", "description": "d", "options": [option]}])
        about = About(model="tiny", embedded=True)
        data = {"channel": str(general.id), "command": "use", "focused": "name", "text": ""}
        async with (
            Page(server, about=about, bot=Controls(), gauges=Readings()) as page,
            visiting(page) as visitor,
        ):
            assert (await visitor.post("complete", mia, **data)).json == {"choices": []}


async def test_half_a_value_is_left_out_while_another_is_completed(
    visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    options = [{**option, "autocomplete": True} if option["name"] == "text" else option for option in OPTIONS]
    server.world.set_commands(None, [{"name": "try", "description": "d", "options": options}])
    given = {"text": "a", "n": "fi", "x": "0.5", "who": {"user": str(ben.id)}, "file": {"file": 0}}
    data = {"channel": str(general.id), "command": "try", "focused": "text", "text": "a", "options": given}

    completing = asyncio.create_task(visitor.post("complete", anna, **data))
    await server.wait_for(lambda event: event.kind is EventKind.INTERACTION_CREATE)
    completing.cancel()

    sent = {option["name"]: option["value"] for option in opened(server)["options"]}
    assert sent == {"text": "a", "x": 0.5, "who": str(ben.id)}


async def test_a_message_is_given_to_a_command_of_its_menu(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "To be")
    async with visitor.tab(anna) as stream:
        data = {"channel": str(general.id), "command": "Explain", "message": str(said.id)}
        answer = await visitor.post("message-command", anna, **data)
        message = await stream.until("message")
        settled = await stream.until("settled")

    assert message["content"] == "explains: To be"
    assert settled["interaction"] == answer.json["interaction"]
