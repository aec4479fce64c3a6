from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.errors import BadInput
from bot.ui.errors import sentence

COMMAND = cast("Any", SimpleNamespace(name="ask", qualified_name="ask", callback=None))
FORBIDDEN = discord.Forbidden(cast("Any", SimpleNamespace(status=403, reason="Forbidden")), {"code": 50013})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadInput("A name is needed."), "A name is needed."),
        (app_commands.CommandInvokeError(COMMAND, BadInput("A name is needed.")), "A name is needed."),
        (app_commands.CheckFailure("secret"), "You may not use this command here."),
        (
            app_commands.TransformerError("x" * 99, discord.AppCommandOptionType.string, app_commands.Transformer()),
            f"“{'x' * 60}” is not allowed there.",
        ),
        (FORBIDDEN, "Discord does not let me do that here: I lack a permission in this channel."),
        (
            app_commands.CommandInvokeError(COMMAND, FORBIDDEN),
            "Discord does not let me do that here: I lack a permission in this channel.",
        ),
    ],
)
def test_every_error_has_a_sentence(error: Exception, words: str) -> None:
    assert sentence(error) == words


def test_an_unexpected_error_shows_nothing_but_an_id(caplog: pytest.LogCaptureFixture) -> None:
    text = sentence(ValueError("secret"))

    found = re.fullmatch(
        r"Something unexpected went wrong\. The operator finds it in the log as error ([0-9a-f]{8})\.", text
    )
    assert found
    assert found[1] in caplog.text
    assert "secret" in caplog.text


def test_no_sentence_is_longer_than_a_message() -> None:
    assert sentence(BadInput("\N{GRINNING FACE}" * 3000)) == "\N{GRINNING FACE}" * 1000
