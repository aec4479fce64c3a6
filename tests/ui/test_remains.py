"""What is found in Discord of an answer that was left in the middle."""

from __future__ import annotations

from datetime import timedelta

from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import OpenAnswer, Place
from bot.client import Bot
from bot.ui.answer_buttons import AnswerButtons
from bot.ui.remains import find


async def test_a_message_that_was_not_noted_is_found_also_where_the_clocks_are_minutes_apart(
    env: Env, simcord_bot: Bot, guild: GuildHandle, channel: ChannelHandle
) -> None:
    place = simcord_bot.get_partial_messageable(channel.id, guild_id=guild.id)
    message = await place.send("-# One moment…", view=AnswerButtons().stop("abc"))
    await env.settle()
    ours = message.created_at + timedelta(minutes=4)

    remains = await find(simcord_bot, OpenAnswer(place=Place(channel.id, guild.id), opened_at=ours, key="abc"))

    assert remains.message_ids == [message.id]
