"""`python -m tests.browser.pictures`: README's pictures, from the real page and bot with a scripted model."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, expect

from playground.page import About
from tests.browser import script
from tests.browser.chat import WIDE, Chat, Troubles
from tests.browser.chromium import NoChromiumError, chromium
from tests.browser.stage import Stage, staged
from tests.wire.stage import paced

DOCS = Path(__file__).resolve().parents[2] / "docs"
PHONE = {"width": 390, "height": 754}
MOVIE = {"width": 960, "height": 640}
TOKENS_PER_SECOND = 30.0
KEYS_MS = 28
FRAME_SECONDS = 0.1
LAST_FRAME_SECONDS = 2.0
# The model has written more than can be read yet.
AHEAD = re.compile(r"^(\d+) of (?!\1 )\d+ tokens visible$")
PNG_BYTES = 200_000
MOVIE_BYTES = 1_500_000


def save(shot: bytes, name: str) -> None:
    """Write a picture with a palette, which flat colours do not suffer from."""
    file = DOCS / name
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    report(file, PNG_BYTES)


def report(file: Path, limit: int) -> None:
    """Say what was written. Raises ValueError where it is too large for a README."""
    size = file.stat().st_size
    sys.stdout.write(f"{file.name}: {size / 1000:.0f} kB\n")
    if size > limit:
        raise ValueError(f"{file.name} has {size} bytes, and {limit} are allowed.")


@dataclass
class Movie:
    """Takes pictures of a page while something happens on it."""

    chat: Chat
    frames: list[tuple[float, bytes]] = field(default_factory=list)

    @asynccontextmanager
    async def rolling(self) -> AsyncIterator[None]:
        """Take a picture every tenth of a second."""
        camera = asyncio.create_task(self._roll())
        try:
            yield
        finally:
            camera.cancel()
            await asyncio.gather(camera, return_exceptions=True)

    async def _roll(self) -> None:
        while True:
            begun = time.monotonic()
            self.frames.append((begun, await self.chat.page.screenshot()))
            await asyncio.sleep(max(0.0, FRAME_SECONDS - (time.monotonic() - begun)))

    def save(self, name: str) -> None:
        """Write the pictures that differ, each for as long as it was to be seen."""
        shown: list[tuple[float, bytes]] = []
        for at, shot in self.frames:
            if not shown or shot != shown[-1][1]:
                shown.append((at, shot))
        ends = [at for at, _ in shown[1:]] + [shown[-1][0] + LAST_FRAME_SECONDS]
        pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for _, shot in shown]
        palette = _palette(pictures)
        first, *others = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
        file = DOCS / name
        first.save(
            file,
            save_all=True,
            append_images=others,
            duration=[round((end - at) * 1000) for (at, _), end in zip(shown, ends, strict=True)],
            loop=0,
            optimize=True,
        )
        report(file, MOVIE_BYTES)


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """One for all pictures, since a palette for each would flicker; taken from some, one below the other."""
    some = pictures[:: max(1, len(pictures) // 6)]
    width, height = some[0].size
    sheet = Image.new("RGB", (width, height * len(some)))
    for place, picture in enumerate(some):
        sheet.paste(picture, (0, height * place))
    return sheet.quantize(256, dither=Image.Dither.NONE)


async def visit(browser: Browser, stage: Stage, channel: str, **options: object) -> Chat:
    """Open a channel as Anna, without motion that a still picture would catch halfway."""
    context = await browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", "locale": "en-GB"} | options)  # type: ignore[arg-type]  # as Playwright names them
    chat = Chat(await context.new_page(), Troubles(context, stage.url))
    channel_id = next(one.id for one in stage.discord.world.channels.values() if one.name == channel)
    await chat.page.goto(f"{stage.url}#channel={channel_id}&as={stage.anna.id}")
    await expect(chat.composer).to_be_visible()
    return chat


async def leave(chat: Chat) -> None:
    """Close the browser's window. Raises ValueError for what went wrong in it."""
    await chat.page.context.close()
    if chat.troubles.found:
        raise ValueError("\n".join(chat.troubles.found))


async def talk(browser: Browser, stage: Stage) -> None:
    """Fill #code with a conversation of the team."""
    paced(stage.ollama, rate=200)
    chat = await visit(browser, stage, "code")
    await chat.become("Ben")
    await chat.say(f"@Llampost {script.NAMING}")
    await expect(chat.finished("clean_rows")).to_be_visible()
    await chat.become("Anna")
    await chat.ask(script.REVIEW)
    await expect(chat.finished("every day of the week")).to_be_visible()
    await leave(chat)


async def take_stills(browser: Browser, stage: Stage) -> None:
    """The conversation in both themes, on a phone, and with the panel."""
    for theme in ("light", "dark"):
        chat = await visit(browser, stage, "code", color_scheme=theme)
        await expect(chat.finished("every day of the week")).to_be_visible()
        save(await chat.page.screenshot(), f"demo-{theme}.png")
        await leave(chat)
    phone = await visit(browser, stage, "code", viewport=PHONE, color_scheme="dark", device_scale_factor=2)
    await expect(phone.finished("every day of the week")).to_be_visible()
    save(await phone.page.screenshot(), "demo-narrow.png")
    await leave(phone)


async def take_panel(browser: Browser, stage: Stage) -> None:
    """The panel in the middle of an answer."""
    chat = await visit(browser, stage, "random", color_scheme="light")
    await chat.button("What goes on").click()
    paced(stage.ollama, rate=TOKENS_PER_SECOND)
    await chat.ask(script.RELEASE)
    await expect(chat.finished("a Monday")).to_be_visible()
    await chat.ask(script.REVIEW)
    await expect(chat.message("def test_the_day")).to_contain_text("Writing")
    await expect(chat.panel.get_by_text(AHEAD)).to_be_visible()
    save(await chat.page.screenshot(), "demo-panel.png")
    await expect(chat.finished("every day of the week")).to_be_visible()
    await leave(chat)


async def take_versions(browser: Browser, stage: Stage) -> None:
    """An answer in its second version, with its buttons and its details."""
    paced(stage.ollama, rate=200)
    chat = await visit(browser, stage, "random", color_scheme="dark")
    await chat.ask(script.SHORTER)
    await expect(chat.finished("in the dark")).to_be_visible()
    await chat.button("Regenerate").click()
    await expect(chat.button("2/2")).to_be_visible()
    await chat.button("Details").click()
    await expect(chat.button("Replay")).to_be_visible()
    save(await chat.page.screenshot(), "demo-versions.png")
    await leave(chat)


async def take_movie(browser: Browser, stage: Stage) -> None:
    """Somebody types /ask, the answer streams in, another persona is chosen, and the same is asked again."""
    paced(stage.ollama, rate=TOKENS_PER_SECOND)
    chat = await visit(browser, stage, "general", viewport=MOVIE, color_scheme="dark")
    await chat.composer.focus()
    movie = Movie(chat)
    async with movie.rolling():
        await asyncio.sleep(0.5)
        await chat.keyboard.type("/ask ", delay=KEYS_MS)
        await chat.keyboard.type(script.RELEASE, delay=KEYS_MS / 2)
        await chat.keyboard.press("Enter")
        await expect(chat.finished("a Monday")).to_be_visible()
        await asyncio.sleep(0.8)
        await chat.keyboard.type("/persona use commentator", delay=KEYS_MS)
        await asyncio.sleep(0.3)
        await chat.keyboard.press("Enter")
        await expect(chat.message("commentator").first).to_be_visible()
        await chat.keyboard.type("/ask Again, please!", delay=KEYS_MS)
        await chat.keyboard.press("Enter")
        await expect(chat.finished("ALL SEASON")).to_be_visible()
    movie.frames.append((time.monotonic(), await chat.page.screenshot()))
    movie.save("demo.gif")
    await leave(chat)


@asynccontextmanager
async def scripted() -> AsyncIterator[Stage]:
    """The team as it begins, and the scripted model."""
    about = About(script.MODEL, embedded=False, note=script.NOTE)
    with tempfile.TemporaryDirectory(prefix="llampost-pictures-") as folder:
        async with staged(Path(folder), model=script.MODEL, about=about) as stage:
            stage.ollama.reply = script.answer
            yield stage


async def run() -> None:
    """Take all of them."""
    async with chromium() as browser:
        async with scripted() as stage:
            await take_movie(browser, stage)
        async with scripted() as stage:
            await take_versions(browser, stage)
        async with scripted() as stage:
            await take_panel(browser, stage)
            await talk(browser, stage)
            await take_stills(browser, stage)


def main() -> int:
    """Take the pictures; returns the exit code."""
    try:
        asyncio.run(run())
    except (NoChromiumError, ValueError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
