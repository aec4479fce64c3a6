"""The page as people use it: found by roles and labels, as they and their screen readers find it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Locator, Page, Request, WebError, expect

_HARMLESS = ("data:", "blob:", "about:")
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 380, "height": 700}


class Troubles:
    """What must not happen on any page: errors, dialogs, and requests to anybody but the page's own server."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._allowed: list[str] = []
        self._found: list[str] = []
        self._origin = urlsplit(url)[:2]
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("dialog", self._dialog)

    def allow(self, text: str) -> None:
        """Pass over what a test causes on purpose."""
        self._allowed.append(text)

    @property
    def found(self) -> list[str]:
        """All of it but what is allowed."""
        return [trouble for trouble in self._found if not any(text in trouble for text in self._allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.append(f"console: {message.text} ({message.location.get('url')})")

    def _error(self, error: WebError) -> None:
        self._found.append(f"error: {error.error}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(_HARMLESS) and urlsplit(request.url)[:2] != self._origin:
            self._found.append(f"request to {request.url}")

    async def _dialog(self, dialog: Dialog) -> None:
        self._found.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


class Chat:
    """One tab."""

    def __init__(self, page: Page, troubles: Troubles) -> None:
        self.page = page
        self.troubles = troubles
        self.keyboard = page.keyboard
        self.log = page.get_by_role("log", name="Messages")
        self.messages = self.log.get_by_role("article")
        self.composer = page.get_by_role("textbox", name=re.compile("^Message "))
        # Playwright passes a slash on as the end of the expression.
        self.command_form = page.get_by_role("group", name=re.compile(r"^\x2f"))
        self.channels = page.get_by_role("navigation", name="Channels")
        self.suggestions = page.get_by_role("listbox").get_by_role("option")
        self.notice = page.get_by_role("alert")
        self.panel = page.get_by_role("complementary", name="What goes on")
        self.act_as = page.get_by_label("You act as")

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def message(self, text: str | re.Pattern[str]) -> Locator:
        """The messages that hold a text."""
        return self.messages.filter(has_text=text)

    def finished(self, text: str = "") -> Locator:
        """The answers that hold a text and say who gave them."""
        return self.message(text).filter(has_text=re.compile(r" · \w"))

    def option(self, name: str) -> Locator:
        """A field of the command that is being filled in."""
        return self.command_form.get_by_label(name, exact=True)

    async def say(self, text: str) -> None:
        """Send a message."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def begin(self, path: str, **options: str) -> None:
        """Fill in a command as with the keyboard, and don't run it."""
        await self.composer.press_sequentially(f"/{path} ")
        await expect(self.command_form).to_be_visible()
        for name, value in options.items():
            if not await self.option(name).count():
                await self.command_form.get_by_role("button", name=f"+ {name}").click()
            if await self.option(name).evaluate("field => field.tagName") == "SELECT":
                await self.option(name).select_option(value)
            else:
                await self.option(name).fill(value)

    async def run(self, path: str, **options: str) -> None:
        """Use a command."""
        await self.begin(path, **options)
        await self.button("Run").click()

    async def ask(self, prompt: str, **options: str) -> None:
        """Use /ask."""
        await self.run("ask", prompt=prompt, **options)

    async def do(self, action: str, message: Locator) -> None:
        """Use one of the buttons that appear beside a message."""
        await message.hover()
        await message.get_by_role("button", name=action, exact=True).click()

    async def become(self, name: str) -> None:
        """Act as somebody else."""
        label = await self.act_as.get_by_role("option", name=name).text_content()
        await self.act_as.select_option(label=label)
        await expect(self.page).to_have_url(re.compile(f"as={await self.act_as.input_value()}"))

    async def read_aloud(self) -> str:
        """The names of all that the browser tells a screen reader of."""
        session = await self.page.context.new_cdp_session(self.page)
        tree = await session.send("Accessibility.getFullAXTree")
        await session.detach()
        return " ".join(str(node.get("name", {}).get("value", "")) for node in tree["nodes"] if not node["ignored"])
