"""One Chromium for all tests, a stage for each module, a channel for each test; trouble on a page fails its test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from playground.discord import Actor, ChannelHandle
from tests.browser.chat import WIDE, Chat, Troubles
from tests.browser.chromium import NoChromiumError, chromium, executable
from tests.browser.stage import PATIENCE, Stage, staged
from tests.fake_ollama import FakeOllama

_PATIENCE_MS = PATIENCE * 1000
expect.set_options(timeout=_PATIENCE_MS)

OpenTab = Callable[..., Awaitable[Chat]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Without it tests are skipped, or fail where LLAMPOST_BROWSER=required."""
    try:
        executable()
    except NoChromiumError as missing:
        if os.environ.get("LLAMPOST_BROWSER") == "required":
            pytest.fail(f"LLAMPOST_BROWSER=required, but: {missing}")
        pytest.skip(str(missing))
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage
        assert stage.discord.unknown_routes == []


@pytest.fixture
def ollama(stage: Stage) -> FakeOllama:
    """The model, without what the test before told it."""
    fresh = FakeOllama()
    for name in ("answer", "between", "reply"):
        setattr(stage.ollama, name, getattr(fresh, name))
    # The default reads its own `answer`.
    stage.ollama.reply = lambda _: stage.ollama.answer
    return stage.ollama


@pytest.fixture
def channel(stage: Stage, request: pytest.FixtureRequest) -> ChannelHandle:
    return stage.add_channel(request.node.name.removeprefix("test_").replace("_", "-")[:90])


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(browser: Browser, stage: Stage, channel: ChannelHandle) -> AsyncIterator[OpenTab]:
    """Opens the test's channel as somebody, in a browser of their own or `beside` another tab."""
    opened: list[Chat] = []

    async def open_tab(who: Actor | None = None, *, beside: Chat | None = None, **options: object) -> Chat:
        context = beside.page.context if beside else await browser.new_context(**{"viewport": WIDE} | options)  # type: ignore[arg-type]  # as a test gives them
        context.set_default_timeout(_PATIENCE_MS)
        chat = Chat(await context.new_page(), beside.troubles if beside else Troubles(context, stage.url))
        opened.append(chat)
        await chat.page.goto(f"{stage.url}#channel={channel.id}&as={(who or stage.anna).id}")
        await expect(chat.page.get_by_role("heading", name=channel.model.name, exact=True, level=2)).to_be_visible()
        if beside:  # a page behind another one is drawn once a second only
            await beside.page.bring_to_front()
        return chat

    yield open_tab
    for chat in opened:
        await chat.page.context.close()
    assert [trouble for chat in opened for trouble in chat.troubles.found] == []


@pytest_asyncio.fixture(loop_scope="session")
async def chat(open_tab: OpenTab, ollama: FakeOllama) -> Chat:
    """Anna's tab in a wide window."""
    return await open_tab()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(browser: Browser, stage: Stage) -> AsyncIterator[Chat]:
    """One tab for all tests of a module, for those that leave no traces on it."""
    context = await browser.new_context()
    chat = Chat(await context.new_page(), Troubles(context, stage.url))
    await chat.page.goto(stage.url)
    await expect(chat.composer).to_be_visible()
    yield chat
    await context.close()
    assert chat.troubles.found == []
