"""The POST routes: what a visitor does, done by an `Actor`, so that all of it is checked as a Discord app checks it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from playground.discord import Asked, LoopbackDiscord
from playground.discord.payloads import Payload
from playground.page.options import converted, typed_so_far
from playground.page.reading import Order, read_order
from playground.page.refusals import RefusedError, json_answer

_Action = Callable[[Order], Awaitable[Payload]]


class Actions:
    """One method for each route."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self._discord = discord

    def routes(self, base: str) -> list[web.RouteDef]:
        """Return the routes below `base`."""
        actions: dict[str, _Action] = {
            "say": self.say,
            "edit": self.edit,
            "delete": self.delete,
            "command": self.command,
            "complete": self.complete,
            "message-command": self.message_command,
            "click": self.click,
            "select": self.select,
            "submit": self.submit,
            "thread": self.thread,
        }
        return [web.post(f"{base}/{name}", self._handler(action)) for name, action in actions.items()]

    def _handler(self, action: _Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return json_answer(await action(await read_order(request, self._discord)))

        return handle

    # Messages

    async def say(self, order: Order) -> Payload:
        """Post a message."""
        message = order.actor.say(
            order.channel,
            order.text("content", ""),
            reply_to=order.optional_message("reply_to"),
            ping_reply=order.flag("ping_reply", default=True),
            attachments=order.files,
        )
        return {"message": str(message.id)}

    async def edit(self, order: Order) -> Payload:
        """Change one's own message."""
        order.actor.edit(order.message(), order.text("content"))
        return {}

    async def delete(self, order: Order) -> Payload:
        """Delete a message."""
        order.actor.delete(order.message())
        return {}

    async def thread(self, order: Order) -> Payload:
        """Open a thread, under a message or by itself."""
        thread = order.actor.open_thread(order.channel, order.text("name"), order.optional_message("message"))
        return {"channel": str(thread.id)}

    # Commands

    async def command(self, order: Order) -> Payload:
        """Run a slash command."""
        name = order.text("command")
        found = order.actor.command(order.channel, name)
        return _interaction(order.actor.slash(order.channel, name, **converted(order, found.options)))

    async def complete(self, order: Order) -> Payload:
        """Ask the bot for suggestions; without an answer in time there are none."""
        name, focused = order.text("command"), order.text("focused")
        found = order.actor.command(order.channel, name)
        others = typed_so_far(order, found.options, focused)
        asked = order.actor.complete(order.channel, name, focused, order.text("text"), **others)
        try:
            await asked.response(timeout=self._discord.settings.answer_within)
        except TimeoutError:
            return {"choices": []}
        return {"choices": asked.interaction.response_data["choices"]}

    async def message_command(self, order: Order) -> Payload:
        """Use a command from a message's menu."""
        return _interaction(order.actor.message_command(order.channel, order.text("command"), order.message()))

    # Components

    async def click(self, order: Order) -> Payload:
        """Press a button."""
        return _interaction(order.actor.click(order.message(), order.text("custom_id")))

    async def select(self, order: Order) -> Payload:
        """Choose from a list."""
        return _interaction(order.actor.select(order.message(), order.text("custom_id"), order.texts("values")))

    async def submit(self, order: Order) -> Payload:
        """Send a modal."""
        texts = order.named("texts")
        if not all(isinstance(text, str) for text in texts.values()):
            raise RefusedError("texts must be an object of texts.")
        asked = order.actor.asked(order.id("interaction"))
        return _interaction(order.actor.submit(asked, {name: str(text) for name, text in texts.items()}))


def _interaction(asked: Asked) -> Payload:
    return {"interaction": str(asked.id)}
