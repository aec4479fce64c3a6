"""Whatever people do in whatever order, the store remembers what a much simpler model in Python remembers."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.chat.messages import Author, EndReason, Place, Receipt
from bot.errors import BadInput
from bot.storage.conversations import SqlConversations
from bot.storage.database import open_database
from bot.storage.migrations import migrate

from .conftest import window_start

T = TypeVar("T")

PLACES = [Place(1, 7), Place(2, 7)]
RECEIPT = Receipt("llama", "assistant", 0, {})


@cache
def blank() -> bytes:
    """A migrated file without data: migrating for every example would take most of the time."""

    async def make(file: Path) -> None:
        async with await open_database(f"sqlite+aiosqlite:///{file}") as database:
            await migrate(database)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "blank.db")
        asyncio.run(make(file))
        return file.read_bytes()


@dataclass
class Memory:
    """A place as the model sees it."""

    parents: dict[int, int | None] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    head: int | None = None
    start: int | None = None

    def branch(self) -> list[int]:
        way: list[int] = []
        here = self.head
        while here is not None:
            way.insert(0, here)
            here = self.parents[here]
        return way

    def window(self) -> list[int]:
        way = self.branch()
        return way if self.start not in way else way[way.index(self.start) :]

    def show(self, answer: int) -> None:
        """Let the branch end with an answer, or have it before what was asked since at the same place."""
        question = self.parents[answer] or 0
        since = [it for it in self.branch() if it > question and self.parents[it] == self.parents[question]]
        if since:
            self.parents[since[0]] = answer
        elif answer not in self.branch():
            self.head = answer

    def below(self, root: int) -> set[int]:
        found = {root}
        for message in sorted(self.parents):
            if self.parents[message] in found:
                found.add(message)
        return found


class ConversationMachine(RuleBasedStateMachine):
    places = st.sampled_from(PLACES)

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        file = self.folder / "llampost.db"
        file.write_bytes(blank())
        self.runner = asyncio.Runner()
        self.database = self.run(open_database(f"sqlite+aiosqlite:///{file}"))
        self.store = SqlConversations(self.database)
        self.memories = {place: Memory() for place in PLACES}
        self.running: list[tuple[int, Memory]] = []
        self.interrupted: set[int] = set()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    @rule(place=places, text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5))
    def ask(self, place: Place, text: str) -> None:
        memory = self.memories[place]
        question, answer, window = self.run(self.store.begin(place, Author(1, "Anna"), text))
        assert [message.id for message in window] == memory.window()
        assert question not in memory.parents
        memory.parents |= {question: memory.head, answer: question}
        memory.texts |= {question: text, answer: ""}
        self.running.append((answer, memory))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), text=st.sampled_from(["", "answer", "another"]))
    def finish(self, data: st.DataObject, text: str) -> None:
        number = data.draw(st.integers(0, len(self.running) - 1))
        answer, memory = self.running.pop(number)
        self.run(self.store.finish(answer, text, EndReason.COMPLETE, RECEIPT))
        if answer in memory.parents:
            memory.texts[answer] = text
            memory.show(answer) if text else None

    @rule(place=places)
    def undo(self, place: Place) -> None:
        memory = self.memories[place]
        newest = memory.branch()[-2:]
        writing = {answer for answer, _ in self.running} - self.interrupted
        if newest and memory.below(newest[0]) & writing:
            with pytest.raises(BadInput, match="An answer is being written here"):
                self.run(self.store.undo(place, only_by=None))
            return
        assert [message.id for message in self.run(self.store.undo(place, only_by=None))] == newest
        if newest:
            memory.head = memory.parents[newest[0]]
            for message, parent in memory.parents.items():
                memory.parents[message] = memory.head if parent in newest else parent
            for gone in newest:
                del memory.parents[gone], memory.texts[gone]
            memory.start = memory.start if memory.start in memory.parents else None

    @rule(place=places)
    def clear(self, place: Place) -> None:
        memory = self.memories[place]
        assert self.run(self.store.clear(place, only_by=None)) == len(memory.parents)
        memory.parents.clear()
        memory.texts.clear()
        memory.head = memory.start = None

    @rule(place=places, data=st.data())
    def move_window(self, place: Place, data: st.DataObject) -> None:
        start = data.draw(st.integers(1, 12))
        self.run(self.store.move_window(place, start))
        memory = self.memories[place]
        memory.start = start if start in memory.parents else memory.start

    @rule()
    def restart(self) -> None:
        unfinished = {answer for answer, memory in self.running if answer in memory.parents}
        interrupted = set(self.run(self.store.interrupt_running()))
        assert interrupted == unfinished - self.interrupted
        self.interrupted |= interrupted

    @invariant()
    def both_remember_the_same(self) -> None:
        if hasattr(self, "database"):
            self.run(self.compare())

    async def compare(self) -> None:
        for place, memory in self.memories.items():
            summary = await self.store.summary(place, newest=3)
            assert summary.total == len(memory.branch())
            assert [message.id for message in summary.window] == memory.window()
            assert [message.id for message in summary.newest] == memory.branch()[-3:]
            found = [(message.id, message.content) for message in await self.store.branch(place)]
            assert found == [(message, memory.texts[message]) for message in memory.branch()]
            assert [message.id for message in await self.store.window(place)] == memory.window()
            assert await self.store.count(place) == len(memory.parents)
            assert await window_start(self.database, place) == memory.start


TestConversations = ConversationMachine.TestCase
TestConversations.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
