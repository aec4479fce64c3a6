"""The buttons below an answer: stop, regenerate, continue, choose a version, delete."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import discord
from discord.ext import commands

from bot.chat.again import continuation, new_version
from bot.chat.answers import Finished, Question
from bot.chat.memory import BEING_WRITTEN, FORGOTTEN
from bot.chat.messages import Answer, Author, EndReason, Image
from bot.chat.privacy import NOT_KEPT
from bot.client import Bot
from bot.delivery import wording
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.surface import PASSING, delete, key_of
from bot.errors import BadInput, NotAllowed
from bot.ui.answer_buttons import Action, AnswerButton, can_go_on
from bot.ui.checks import may
from bot.ui.errors import tell_user
from bot.ui.places import author_of, roles_of
from bot.ui.responses import acknowledge, counted, plain, respond

log = logging.getLogger(__name__)

Press = discord.Interaction[Bot]

ENDED = "This answer is not being written any more."
CHANGED = "Another version of this answer is shown by now; please use the buttons below that one."
NO_OTHER = "There is no further version of this answer."
COMPLETE = "This answer is complete; there is nothing to continue."
UNREACHABLE = "I can change my answers only in channels that I can see. Please ask a server manager to let me in."


class Answers(commands.Cog):
    """Each press is checked against the memory: who asked is kept there, not in the button."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._caller = bot.services.caller
        self._deliveries = bot.services.deliveries
        self._memory = bot.services.memory
        self._limits = bot.services.limits
        self._privacy = bot.services.privacy
        self._actions: dict[Action, Callable[[Press, Answer], Awaitable[None]]] = {
            Action.AGAIN: self._regenerate,
            Action.MORE: self._continue,
            Action.DELETE: self._delete,
            Action.OLDER: self._older,
            Action.NEWER: self._newer,
        }

    async def cog_load(self) -> None:
        """Take up presses of all buttons, also of those that an earlier process made."""
        self._bot.add_dynamic_items(AnswerButton)

    async def cog_unload(self) -> None:
        """Leave them alone again."""
        self._bot.remove_dynamic_items(AnswerButton)

    @commands.Cog.listener()
    async def on_answer_button(self, press: Press, action: Action, key: str) -> None:
        """Do what a button says, once, or say in a sentence why not."""
        if not self._bot.heard.is_news(press.id):
            return
        try:
            if action is Action.STOP:
                await self._stop(press, key)
            else:
                await self._deliveries.settled(press.channel_id or 0)
                await self._actions[action](press, await self._found(press, int(key)))
        except Exception as error:  # noqa: BLE001  # the door for errors of buttons
            await tell_user(press, error)

    async def _stop(self, press: Press, key: str) -> None:
        asker = self._deliveries.asker(key)
        if asker is None:
            raise BadInput(ENDED)
        _check_right(press, asker)
        self._deliveries.stop(key, by=press.user.display_name)
        await acknowledge(press)

    async def _found(self, press: Press, answer_id: int) -> Answer:
        """The answer whose button was pressed, if the person may."""
        answer = await self._memory.answer(press.channel_id or 0, answer_id)
        if answer is None:
            raise BadInput(FORGOTTEN)
        _check_right(press, answer.asker)
        if answer.end_reason is EndReason.RUNNING:
            raise BadInput(BEING_WRITTEN)
        if press.message and press.message.id not in answer.discord_ids:
            self._deliveries.check_idle(answer.place)  # perhaps the other version can't be seen yet
            raise BadInput(CHANGED)
        return answer

    async def _regenerate(self, press: Press, answer: Answer) -> None:
        left, elsewhere = await self._memory.later(answer.id), await self._memory.elsewhere(answer.id)
        finished = await self._write_over(press, answer, new_version)
        if finished.has_text:
            await _tell_what_is_left(press, left, elsewhere)

    async def _continue(self, press: Press, answer: Answer) -> None:
        if not can_go_on(answer):
            raise BadInput(COMPLETE)
        elsewhere = await self._memory.elsewhere(answer.id)
        await self._write_over(press, answer, continuation)
        if elsewhere and not await self._memory.elsewhere(answer.id):
            await _tell_what_is_left(press, 0, elsewhere)

    async def _write_over(
        self, press: Press, answer: Answer, ask: Callable[[Answer, Sequence[Image]], Question]
    ) -> Finished:
        surface = self._surface(press, answer)
        self._deliveries.check_idle(answer.place)
        if await self._privacy.is_opted_out(answer.asker):
            raise BadInput(NOT_KEPT)  # before the answer is touched, which everybody sees
        # Not whoever asked, but whoever presses uses the model up.
        presser = author_of(press.user)
        await self._limits.admit(presser, press.guild_id, roles_of(press.user))
        await acknowledge(press)
        images = await self._memory.images([answer.question_id])
        question = replace(ask(answer, images.get(answer.question_id, ())), asked_by=presser)
        return await self._deliveries.write_over(
            question, surface, header=await self._header(press, answer), question_message=answer.question_discord_id
        )

    async def _older(self, press: Press, answer: Answer) -> None:
        await self._show(press, answer, -1)

    async def _newer(self, press: Press, answer: Answer) -> None:
        await self._show(press, answer, +1)

    async def _show(self, press: Press, answer: Answer, step: int) -> None:
        index = answer.versions.index(answer.id) + step
        if not 0 <= index < len(answer.versions):
            raise BadInput(NO_OTHER)
        surface = self._surface(press, answer)
        self._deliveries.check_idle(answer.place)
        await acknowledge(press)
        header = await self._header(press, answer)
        elsewhere = await self._memory.elsewhere(answer.id)
        left = await self._memory.choose(answer.versions[index])
        other = await self._memory.answer(answer.place.channel_id, answer.versions[index])
        if other is None:
            raise BadInput(FORGOTTEN)
        await self._deliveries.show(other, surface, header=header)
        await _tell_what_is_left(press, left, elsewhere)

    async def _delete(self, press: Press, answer: Answer) -> None:
        self._deliveries.check_idle(answer.place)
        await acknowledge(press)
        # Forgotten first: what is gone from Discord and still remembered could never be deleted by its button.
        gone = await self._memory.remove(answer.id)
        channel = self._bot.get_partial_messageable(answer.place.channel_id, guild_id=answer.place.guild_id)
        for message_id in gone:
            is_pressed = press.message is not None and message_id == press.message.id
            partial = channel.get_partial_message(message_id)
            try:
                await delete(press.delete_original_response if is_pressed else partial.delete)
            except PASSING as error:
                log.info("A page of a deleted answer is still there: %s", error)

    def _surface(self, press: Press, answer: Answer) -> ChannelSurface:
        """The messages that show the answer. Raises BadInput where the bot is no member of the channel."""
        if press.guild_id is not None and not press.app_permissions.view_channel:
            raise BadInput(UNREACHABLE)
        channel = self._bot.get_partial_messageable(answer.place.channel_id, guild_id=answer.place.guild_id)
        return ChannelSurface(self._caller, channel, key=key_of(press.id), message_ids=answer.discord_ids)

    async def _header(self, press: Press, answer: Answer) -> str:
        """The line above the answer to a command, as it stands there."""
        if answer.question_discord_id is not None or press.message is None:
            return ""
        first = press.message
        if first.id != answer.discord_ids[0]:
            channel = self._bot.get_partial_messageable(answer.place.channel_id, guild_id=answer.place.guild_id)
            first = await channel.fetch_message(answer.discord_ids[0])
        line = first.content.partition("\n")[0]
        return line if wording.is_header(line) else ""


def _check_right(press: Press, asker: Author) -> None:
    """Raise NotAllowed unless the person asked, or may manage messages."""
    if press.user.id != asker.id and not may(press, "manage_messages"):
        raise NotAllowed(
            f"These buttons are for {plain(asker.name)}, who asked, "
            "and for people with the permission “Manage Messages”."
        )


async def _tell_what_is_left(press: Press, after_other: int, elsewhere: int) -> None:
    """Say what the model no longer reads, and how it comes back: what was said after another version, or elsewhere."""
    if after_other:
        await respond(
            press,
            "The conversation goes on from this version now. "
            f"What came after the other one ({counted(after_other, 'message')}) is kept with it: "
            "choose it again to bring that back.",
        )
    elif elsewhere:
        await respond(
            press,
            "The conversation goes on from this answer now. "
            f"What was said elsewhere ({counted(elsewhere, 'message')}) is kept: "
            "reply to the last answer there to go on with that.",
        )


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Answers(bot))
