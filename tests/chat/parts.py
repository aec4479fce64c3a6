"""The chat core on real parts: SQLite in a file, the real Ollama client on an Ollama that says what a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.chat.answers import Control, File, Finished, Question, Step
from bot.chat.assistant import Assistant
from bot.chat.context_meter import ContextMeter
from bot.chat.history import History
from bot.chat.messages import Author, Place
from bot.chat.personas import Personas
from bot.chat.preferences import Preferences
from bot.chat.privacy import Privacy
from bot.chat.profiles import Profiles
from bot.chat.request import Preparation
from bot.chat.scopes import Scope, ScopeKind
from bot.chat.sharing import Conversations
from bot.chat.turns import Turns
from bot.llm.ollama import OllamaModel, connect
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.personas import SqlPersonas
from bot.storage.privacy import SqlPrivacy
from bot.storage.settings import SqlSettings
from tests.fake_ollama import MODEL, FakeOllama

HOST = "http://127.0.0.1:11434"
GUILD, GENERAL, RANDOM, THREAD, DIRECT = 100, 200, 201, 300, 400
PLACE = Place(GENERAL, GUILD)
OTHER_PLACE = Place(RANDOM, GUILD)
IN_THREAD = Place(THREAD, GUILD, parent_id=GENERAL)
IN_DM = Place(DIRECT)
CHANNEL = Scope(ScopeKind.CHANNEL, GENERAL)
SERVER = Scope(ScopeKind.SERVER, GUILD)
ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
SYSTEM = ("system", "You are a helpful assistant.")


class View:
    """Whatever an answer tells while it grows; `on_text` lets a test act at a certain piece."""

    def __init__(self) -> None:
        self.ahead: list[int] = []
        self.steps: list[tuple[Step, str]] = []
        self.pieces: list[str] = []
        self.taken_back: list[str] = []
        self.waits = asyncio.Event()
        self.starts = asyncio.Event()
        self.shows = asyncio.Event()
        self.stepped: Callable[[Step], object] = lambda _: None

    @property
    def shown(self) -> str:
        return "".join(self.pieces)

    def waiting(self, ahead: int, seconds: float | None = None) -> None:
        self.ahead.append(ahead)
        self.waits.set()

    def step(self, step: Step, model: str, *, seconds: int = 0) -> None:
        self.steps.append((step, model))
        self.starts.set()
        self.stepped(step)

    def take_back(self) -> None:
        self.taken_back.append(self.shown)
        self.pieces.clear()

    def text(self, text: str) -> None:
        self.pieces.append(text)
        self.shows.set()


@dataclass
class Asked:
    """A question on its way."""

    view: View
    control: Control
    task: asyncio.Task[Finished]
    stored: list[tuple[int, int]]


@dataclass
class Hold:
    """Holds the fake's stream before one token; `reached` tells that it stands there."""

    at: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def _wait(self) -> None:
        self.reached.set()
        await self.go.wait()

    def __call__(self, index: int) -> object:
        return self._wait() if index == self.at else None


@dataclass
class Parts:
    """Everything below the Discord side, put together as the bot does it."""

    database: Database
    fake: FakeOllama
    model: OllamaModel
    memory: SqlConversations
    settings: SqlSettings
    personas: Personas
    preferences: Preferences
    history: History
    meter: ContextMeter
    profiles: Profiles
    privacy: Privacy
    assistant: Assistant

    def start(
        self,
        text: str,
        *,
        author: Author = ANNA,
        place: Place = PLACE,
        private: bool = False,
        persona: str | None = None,
        files: tuple[File, ...] = (),
        view: View | None = None,
        control: Control | None = None,
        joins: bool = False,
    ) -> Asked:
        """Ask without waiting for the answer."""
        view, control, stored = view or View(), control or Control(), []
        question = Question(place, author, text, files=files, persona=persona, private=private)

        def remembered(question_id: int, answer_id: int) -> None:
            stored.append((question_id, answer_id))

        answer = self.assistant.answer(question, view, control, remembered=remembered, joins=joins)
        return Asked(view, control, asyncio.create_task(answer), stored)

    async def ask(
        self,
        text: str,
        *,
        author: Author = ANNA,
        place: Place = PLACE,
        private: bool = False,
        persona: str | None = None,
        files: tuple[File, ...] = (),
    ) -> Finished:
        """Ask and wait for the end."""
        asked = self.start(text, author=author, place=place, private=private, persona=persona, files=files)
        return await asked.task

    async def contents(self, place: Place = PLACE) -> list[str]:
        """What the place remembers."""
        return [message.content for message in await self.memory.branch(place)]


async def nothing_counted(_author: Author, _tokens: int) -> None:
    """As where nobody is limited."""


async def _at_once(_seconds: float) -> None:
    """Waits for no second attempt."""


@asynccontextmanager
async def put_together(
    folder: Path,
    *,
    num_ctx: int = 4096,
    parallel: int = 2,
    waiting: int = 10,
    patience: float = 60.0,
    defaults: Mapping[str, str] | None = None,
) -> AsyncIterator[Parts]:
    """Build the parts on a database in a folder and a fresh fake."""
    fake = FakeOllama()
    async with (
        connect(HOST, transport=fake.transport, sleep=_at_once) as model,
        await open_database(f"sqlite+aiosqlite:///{folder / 'llampost.db'}") as database,
    ):
        await migrate(database)
        memory, settings = SqlConversations(database), SqlSettings(database)
        personas = Personas(SqlPersonas(database, settings))
        profiles = Profiles(settings=settings, personas=personas, model=MODEL, defaults=defaults or {})
        privacy = Privacy(store=SqlPrivacy(database, settings), settings=settings)
        preparation = Preparation(model=model, memory=memory, num_ctx=num_ctx)
        meter = ContextMeter(model=model, profiles=profiles, memory=memory, preparation=preparation)
        assistant = Assistant(
            model=model,
            profiles=profiles,
            memory=memory,
            spent=nothing_counted,
            turns=Turns(parallel=parallel, waiting=waiting, quiet=0),
            conversations=Conversations(settings),
            is_opted_out=privacy.is_opted_out,
            preparation=preparation,
            patience=patience,
        )
        preferences = Preferences(settings=settings, personas=personas)
        stores = (database, fake, model, memory, settings)
        yield Parts(*stores, personas, preferences, History(memory), meter, profiles, privacy, assistant)
