"""Everything that a bot can ask a loopback Discord for, once, and everything that people can do there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import discord
from discord.http import Route

from playground.discord import USUAL, Asked, LoopbackDiscord, Permission, RateLimits, Settings
from playground.discord.settings import PRIVILEGED
from playground.launch import discord_at
from tests.playground.published import Json
from tests.playground.recorder import Record, recording
from tests.playground.small_bot import SmallBot

_BUTTONS = [
    {"type": 1, "components": [{"type": 2, "style": 1, "label": name, "custom_id": name} for name in ("later", "now")]}
]

_RIGHTS = USUAL | Permission.MANAGE_MESSAGES | Permission.MANAGE_CHANNELS | Permission.MANAGE_THREADS


class Tour:
    def __init__(self, server: LoopbackDiscord, bot: SmallBot) -> None:
        self.server = server
        self.bot = bot
        self.guild = server.add_guild("Demo", bot_permissions=int(_RIGHTS))
        self.general = self.guild.add_channel("general")
        self.anna = self.guild.add_member("Anna", permissions=int(Permission.MANAGE_MESSAGES))
        self.place = bot.place(self.general)
        self.mine = f"/channels/{self.general.id}"
        self.application = f"/applications/{server.settings.bot_id}"

    async def call(self, method: str, path: str, body: object = None, **query: object) -> Json:
        return await self.bot.http.request(Route(method, path), json=body, params=query)

    async def look_up(self) -> None:
        for path in ("/gateway", "/gateway/bot", "/applications/@me", "/oauth2/applications/@me", "/users/@me"):
            await self.call("GET", path)
        for below in ("", "/channels", "/roles", f"/members/{self.anna.id}"):
            await self.call("GET", f"/guilds/{self.guild.id}{below}")
        guild = self.bot.get_guild(self.guild.id)
        assert guild
        assert await guild.query_members("Anna")
        user = await self.bot.fetch_user(self.anna.id)
        dm = await user.create_dm()
        for channel_id in (self.general.id, dm.id):
            await self.call("GET", f"/channels/{channel_id}")
        self.anna.say(self.anna.dm, "hello")
        await dm.send("hello")

    async def register(self) -> None:
        options = [{"type": 3, "name": "text", "description": "Text", "required": True}]
        for place in ("", f"/guilds/{self.guild.id}"):
            path = f"{self.application}{place}/commands"
            made = await self.call("POST", path, {"name": "again", "description": "Again", "options": options})
            one = f"{path}/{made['id']}"
            await self.call("GET", path)
            await self.call("GET", one)
            await self.call("PATCH", one, {"description": "Once more"})
            await self.call("DELETE", one)
        await self.call("PUT", f"{self.application}/guilds/{self.guild.id}/commands", [{"name": "Look", "type": 3}])

    async def talk(self) -> None:
        said = self.anna.say(self.general, f"hello {self.anna.mention}", attachments=[("a.txt", b"text")])
        to = discord.MessageReference(message_id=said.id, channel_id=said.channel_id)
        answer = await self.place.send("hi", reference=to, nonce="1")
        await self.place.get_partial_message(answer.id).edit(content="hi there", embed=discord.Embed(title="An embed"))
        await self.place.send(file=discord.File(__file__, "tour.py", description="This"))
        await self.place.typing()
        await self.place.fetch_message(said.id)
        assert [message async for message in self.place.history(limit=5)]
        self.anna.edit(said, "hello again")
        self.anna.delete(said)
        await self.place.fetch_message(answer.id)
        await self.place.get_partial_message(answer.id).delete()
        two = [(await self.place.send("away")).id for _ in range(2)]
        await self.call("POST", f"{self.mine}/messages/bulk-delete", {"messages": two})

    async def open_threads(self) -> None:
        under = await self.place.send("let us talk below")
        thread = await self.call("POST", f"{self.mine}/messages/{under.id}/threads", {"name": "Below"})
        await self.place.fetch_message(under.id)
        aside = await self.call("POST", f"{self.mine}/threads", {"name": "Aside", "type": 11})
        await self.call("GET", f"/guilds/{self.guild.id}/threads/active")
        await self.call("PATCH", f"/channels/{aside['id']}", {"name": "Over", "archived": True})
        await self.bot.get_partial_messageable(int(thread["id"])).send("here")
        await self.call("DELETE", f"/channels/{thread['id']}")

    async def change_places(self) -> None:
        other = self.guild.add_channel("other")
        other.overwrite(self.anna, deny=int(Permission.SEND_MESSAGES))
        role = self.guild.add_role("Staff", mentionable=True)
        self.guild.set_permissions(role, int(Permission.MANAGE_MESSAGES))
        self.guild.set_bot_roles([role])
        await self.call("PATCH", f"/channels/{other.id}", {"name": "another"})
        await self.call("DELETE", f"/channels/{other.id}")
        left = self.server.add_guild("Left")
        left.remove_bot()
        left.invite_bot()

    async def use_commands(self) -> None:
        role = self.guild.add_role("Poets")
        answered = self.anna.slash(self.general, "point", user=self.anna, role=role, channel=self.general, n=3)
        await answered.message()
        asked = self.anna.slash(self.general, "ask", prompt="read", file=("a.txt", b"this"))
        followed = await asked.message(lambda message: message.content == "and more")
        await self.anna.slash(self.general, "ask", prompt="psst", private=True).message()
        await self.anna.slash(self.general, "layout").message()
        await self.anna.message_command(self.general, "Explain", followed).message()
        await self.server.choices(self.anna.complete(self.general, "persona use", "name", "p"))
        await self.anna.slash(self.anna.dm, "persona use", name="poet").message()
        await self.webhook(asked, "GET", "@original")
        await self.webhook(asked, "PATCH", str(followed.id), {"content": "and less"})
        await self.webhook(asked, "DELETE", "@original")

    async def webhook(self, asked: Asked, method: str, message: str, body: object = None) -> None:
        path = f"/webhooks/{self.server.settings.bot_id}/{asked.interaction.token}/messages/{message}"
        await self.call(method, path, body)

    async def use_components(self) -> None:
        choosing = self.anna.slash(self.general, "persona choose")
        await self.anna.select(await choosing.message(), "Which?", ["poet"]).message()
        opened = self.anna.slash(self.general, "persona edit")
        await opened.response()
        await self.anna.submit(opened, {"Prompt": "Be brief."}).message()
        sent = await self.call("POST", f"{self.mine}/messages", {"content": "Which?", "components": _BUTTONS})
        message = self.server.messages.get(int(sent["id"]))
        assert message
        await self.respond(self.anna.click(message, "later"), 6)
        await self.respond(self.anna.click(message, "now"), 7, {"content": "Done.", "components": []})

    async def respond(self, asked: Asked, kind: int, data: object = None) -> None:
        path = f"/interactions/{asked.id}/{asked.interaction.token}/callback"
        await self.call("POST", path, {"type": kind, "data": data}, with_response="true")

    async def show_files(self) -> None:
        view = discord.ui.LayoutView()
        file = discord.File(__file__, "notes.txt")
        view.add_item(discord.ui.File(file))
        await self.place.send(view=view, file=file)

    async def fail(self) -> None:
        too_long = {"content": "x" * 2001}
        wrong = (("GET", "/channels/1", None), ("POST", f"{self.mine}/messages", too_long), ("GET", "/nowhere", None))
        for method, path, body in wrong:
            with suppress(discord.HTTPException):
                await self.call(method, path, body)
        self.server.faults.rate_limit("GET", "/users/@me$", retry_after=0.01)
        await self.call("GET", "/users/@me")
        self.server.gateway.reconnect()
        await self.server.wait_for(lambda event: event.kind == "RESUMED")

    async def go(self) -> None:
        for part in (
            self.look_up,
            self.register,
            self.talk,
            self.open_threads,
            self.change_places,
            self.use_commands,
            self.use_components,
            self.show_files,
            self.fail,
        ):
            await part()


@asynccontextmanager
async def touring() -> AsyncIterator[tuple[Tour, Record]]:
    settings = Settings(limits=RateLimits.none(), privileged_intents=PRIVILEGED)
    async with LoopbackDiscord(settings) as server, recording(server.url) as (url, record):
        # Resumes shall come by the proxy as well.
        server.gateway.url = url.replace("http", "ws", 1) + "/gateway"
        intents = discord.Intents.default() | discord.Intents(members=True, message_content=True)
        bot = SmallBot(intents)
        with discord_at(url):
            async with bot:
                await bot.login(server.token)
                tour = Tour(server, bot)
                await bot.tree.sync()
                connection = asyncio.create_task(bot.connect())
                await bot.wait_until_ready()
                yield tour, record
            await asyncio.gather(connection, return_exceptions=True)
