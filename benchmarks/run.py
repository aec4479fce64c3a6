"""From one bot's course through one scenario to its figures."""

import tempfile
from pathlib import Path

from benchmarks.arena import Arena, Usage, arena
from benchmarks.figures import answer_figures
from benchmarks.processes import peak_memory
from benchmarks.profile import Profile, keep, stacks
from benchmarks.replay import replay
from benchmarks.results import Answer, Lateness, Load, Run
from benchmarks.scenarios import MODEL_DELAY, Scenario
from benchmarks.script import Script, Written
from benchmarks.timeline import Timeline

_ERRORS_FROM = 400


async def run(scenario: Scenario, bot: str, repeat: int, *, profile_to: Path | None = None) -> Run:
    """Measure one bot in one scenario; a profile of its process goes into a folder, if there is one."""
    with tempfile.TemporaryDirectory(prefix="llampost-bench-") as folder:
        samples = Path(folder) / "samples" if profile_to else None
        async with arena(scenario, bot, repeat, Path(folder), samples=samples) as made:
            await made.warm_up()
            before, after = await made.measure()
            found = _run(made, (await made.ollama.record()).answers, before, after, bot=bot, repeat=repeat)
        if samples and profile_to:
            with samples.open() as lines:
                counted = stacks(lines, before.at, after.at)
            tokens, calls = sum(answer.tokens for answer in found.answers), after.calls - before.calls
            cpu = found.cpu_ms_per_token or 0.0
            keep(Profile(counted, cpu * tokens / 1000, tokens, calls), profile_to, f"{scenario.name}-{bot}-{repeat}")
        return found


def _run(made: Arena, written: dict[int, list[Written]], before: Usage, after: Usage, *, bot: str, repeat: int) -> Run:
    used = None if before.bot is None or after.bot is None else after.bot - before.bot
    return Run(
        scenario=made.scenario,
        bot=bot,
        repeat=repeat,
        seconds=after.at - before.at,
        answers=tuple(_answer(made, number, written.get(number, [])) for number in range(made.scenario.answers)),
        # Also what came after the end counts here.
        rate_limit_hits=made.discord.rate_limit_hits - before.rate_limit_hits,
        failed_calls=sum(call.status >= _ERRORS_FROM for call in list(made.discord.calls)[before.calls :]),
        cpu_ms_per_token=None if used is None else 1000 * used / sum(made.script.lengths),
        peak_memory=peak_memory(made.bot.pid),
        load=_load(before, after, made, written),
    )


def _answer(made: Arena, number: int, written: list[Written]) -> Answer:
    text = made.script.texts[number]
    story = replay(made.recorder.frames[number], text)
    asked = made.recorder.asked[number]
    # Where the model was asked again, the last time is the one that people got to read.
    last = written[-1] if written else Written(asked, [])
    timeline = Timeline(last.asked + MODEL_DELAY, made.scenario.rate)
    tokens = last.tokens or [timeline.due(token) for token in range(len(text.tokens))]
    figures = answer_figures(
        asked=asked, model_asked=last.asked, written=tokens, steps=story.steps, rate=made.scenario.rate
    )
    return Answer(
        tokens=len(text.tokens), figures=figures, story=story, first_token=tokens[0], times_asked=len(written)
    )


def _load(before: Usage, after: Usage, made: Arena, written: dict[int, list[Written]]) -> Load:
    seconds = after.at - before.at
    discord, ollama = after.discord - before.discord, after.ollama - before.ollama
    bot = None if before.bot is None or after.bot is None else after.bot - before.bot
    machine = None if before.machine is None or after.machine is None else after.machine - before.machine
    others = None if machine is None or bot is None else max(machine - bot - discord - ollama, 0.0)
    return Load(
        bot=None if bot is None else bot / seconds,
        discord=discord / seconds,
        ollama=ollama / seconds,
        others=None if others is None else others / seconds,
        tokens_late=Lateness.of(_tokens_late(made.script, written)),
        discord_late=Lateness.of(made.late),
    )


def _tokens_late(script: Script, written: dict[int, list[Written]]) -> list[float]:
    return [
        at - Timeline(one.asked + script.delay, script.rate).due(token)
        for number, all_ in written.items()
        if number < len(script.lengths)
        for one in all_
        for token, at in enumerate(one.tokens)
    ]
