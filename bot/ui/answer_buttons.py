"""The buttons of an answer: which ones it has when, and how a press finds its way, also after a restart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import discord

from bot.chat.messages import Answer, EndReason
from bot.ui.details import DetailsButton
from bot.ui.thoughts import ThoughtsButton

Button = discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]]


class Action(StrEnum):
    """What a button does."""

    STOP = "stop"
    AGAIN = "again"
    MORE = "more"
    DELETE = "delete"
    OLDER = "older"
    NEWER = "newer"
    VERSION = "version"
    """Nothing: it says which version is shown."""
    DETAILS = "details"
    THOUGHTS = "thoughts"


LABELS = {
    Action.STOP: "Stop",
    Action.AGAIN: "Regenerate",
    Action.MORE: "Continue",
    Action.DELETE: "Delete",
    Action.OLDER: "◀",
    Action.NEWER: "▶",
    Action.DETAILS: "Details",
    Action.THOUGHTS: "Thoughts",
}

CUT_OFF = {EndReason.LENGTH, EndReason.STOPPED, EndReason.INTERRUPTED, EndReason.FAILED}
"""Ends after which an answer can go on."""


class Face(NamedTuple):
    """One button as it is seen."""

    action: Action
    label: str
    row: int = 0
    enabled: bool = True


def faces(answer: Answer) -> list[Face]:
    """The buttons below a finished answer."""
    found = [_face(Action.AGAIN)]
    if can_go_on(answer):
        found.append(_face(Action.MORE))
    if answer.receipt:
        found.append(_face(Action.DETAILS))
    if answer.has_thoughts:
        found.append(_face(Action.THOUGHTS))
    found.append(_face(Action.DELETE))
    if (count := len(answer.versions)) > 1:
        number = answer.version
        found += [
            Face(Action.OLDER, LABELS[Action.OLDER], 1, number > 1),
            Face(Action.VERSION, f"{number}/{count}", 1, enabled=False),
            Face(Action.NEWER, LABELS[Action.NEWER], 1, number < count),
        ]
    return found


def can_go_on(answer: Answer) -> bool:
    """Whether there is something that the model could go on from."""
    return bool(answer.content) and answer.end_reason in CUT_OFF


def _face(action: Action) -> Face:
    return Face(action, LABELS[action])


_ID = re.compile(r"answer:(?P<action>[a-z]+):(?P<key>[0-9a-f]+)")


class AnswerButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=_ID):
    """A button that Discord itself remembers: its id says what it does, and to which answer.

    A press becomes the bot's event `answer_button`, with the interaction, the action and the key.
    """

    def __init__(self, button: discord.ui.Button[discord.ui.View]) -> None:
        super().__init__(button)

    @classmethod
    def shown_as(cls, face: Face, key: str) -> AnswerButton:
        """A button for the answer with this key: its id in the database, or what `Deliveries` knows it by."""
        style = discord.ButtonStyle.danger if face.action is Action.STOP else discord.ButtonStyle.secondary
        custom_id = f"answer:{face.action}:{key}"
        return cls(
            discord.ui.Button(
                label=face.label, style=style, custom_id=custom_id, row=face.row, disabled=not face.enabled
            )
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[discord.Client],  # noqa: ARG003  # discord.py's signature
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],  # noqa: ARG003  # the same
    ) -> AnswerButton:
        """Called by discord.py when one was pressed."""
        if not isinstance(item, discord.ui.Button):
            raise TypeError("only buttons have such ids")
        return cls(item)

    async def callback(self, interaction: discord.Interaction[discord.Client]) -> None:
        """Tell the bot."""
        found = _ID.fullmatch(self.custom_id)
        if found and found["action"] in set(Action):
            interaction.client.dispatch("answer_button", interaction, Action(found["action"]), found["key"])


def stop_key(message: discord.Message) -> str | None:
    """The key in a message's Stop button; None where it has none."""
    return next((match["key"] for match in _found(message) if match["action"] == Action.STOP), None)


def end_key(message: discord.Message) -> str | None:
    """The key in the buttons that stand below a finished answer; None where there are none of these."""
    return next((match["key"] for match in _found(message) if match["action"] != Action.STOP), None)


def _found(message: discord.Message) -> list[re.Match[str]]:
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    buttons = [button for row in rows for button in row.children if isinstance(button, discord.Button)]
    return [match for button in buttons if (match := _ID.fullmatch(button.custom_id or ""))]


class AnswerButtons:
    """Satisfies `bot.delivery.buttons.Buttons`."""

    def stop(self, key: str) -> discord.ui.View:
        """While an answer is under way."""
        return _view([AnswerButton.shown_as(_face(Action.STOP), key)])

    def end(self, answer: Answer) -> discord.ui.View:
        """Below a finished answer."""
        return _view([_button(face, answer) for face in faces(answer)])


def _button(face: Face, answer: Answer) -> Button:
    match face.action:
        case Action.DETAILS:
            return DetailsButton(answer.id)
        case Action.THOUGHTS:
            return ThoughtsButton(answer.id)
    return AnswerButton.shown_as(face, str(answer.id))


def _view(items: Sequence[Button]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view
