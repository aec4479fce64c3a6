"""What never gets into the log."""

from __future__ import annotations

import json

import pytest

from playground.discord import EventKind
from tests.fake_ollama import Fault

from .stage import Stage, answer

pytestmark = pytest.mark.wire

INVENTED = "MTAwMDAwMDAwMDAwMDAwMDAwMg.Gwrite.modelmodelmodelmodelmodelmodel"


@pytest.mark.parametrize("form", ["json", "text"])
async def test_no_secret_and_nothing_that_people_say_is_logged(stage: Stage, form: str) -> None:
    bot = stage.bot(LOG_LEVEL="DEBUG", LOG_FORMAT=form, OLLAMA_HOST=stage.ollama_host.replace("//", "//anna:geheim@"))
    stage.ollama.answer = ["My token is ", INVENTED, " said the model."]
    async with bot:
        asked = stage.ask("The question nobody may read in a log", private=True)
        assert INVENTED in (await answer(asked)).content
        await stage.reply_to(stage.mention("The question nobody may read in a log"))
        stage.discord.gateway.drop()
        await stage.discord.wait_for(lambda event: event.kind is EventKind.RESUMED)
        stage.discord.faults.fail("PATCH", "/webhooks/", status=500)
        stage.discord.faults.drop("PATCH", "/webhooks/")
        stage.ollama.fault = Fault(500, f"broken by {stage.discord.token}")
        failed = await answer(stage.ask("The question nobody may read in a log"))
        assert "⚠️" in failed.content

    log = bot.log()
    assert " asking " in log or '"asking ' in log
    for secret in (
        stage.discord.token,
        INVENTED,
        asked.interaction.token,
        "geheim",
        "nobody may read",
        "said the model",
    ):
        assert secret not in log
    if form == "json":
        lines = [json.loads(line) for line in log.splitlines()]
        assert all(
            isinstance(line, dict) and {"event", "level", "logger", "timestamp"} <= line.keys() for line in lines
        )
