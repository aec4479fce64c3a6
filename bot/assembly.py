"""Builds the concrete parts and puts them together: the one place where storage, model and chat meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.calendar import Calendar
from bot.chat.assistant import Assistant
from bot.chat.branching import Branching
from bot.chat.context_meter import ContextMeter
from bot.chat.display import Displays
from bot.chat.history import History
from bot.chat.limits import Limits, Quota
from bot.chat.model import LanguageModel
from bot.chat.models import Models
from bot.chat.parameters import operator_defaults
from bot.chat.personas import Personas
from bot.chat.preferences import Preferences
from bot.chat.privacy import Privacy
from bot.chat.profiles import Profiles
from bot.chat.receipts import Receipts
from bot.chat.request import Preparation
from bot.chat.sharing import Conversations
from bot.chat.turns import Turns
from bot.client import Services
from bot.config import Settings
from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller
from bot.delivery.deliveries import Deliveries
from bot.delivery.live_answer import PLACEHOLDER_AFTER
from bot.files.reader import FileReader
from bot.llm.ollama import OllamaModel, TimeLimits, connect
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.lineage import SqlLineage
from bot.storage.mirror import SqlMirror
from bot.storage.open_answers import SqlOpenAnswers
from bot.storage.personas import SqlPersonas
from bot.storage.privacy import SqlPrivacy
from bot.storage.settings import SqlSettings
from bot.storage.state import SqlState
from bot.storage.usage import SqlUsage
from bot.ui.addressed import QuestionReader
from bot.ui.answer_buttons import AnswerButtons
from bot.ui.attachments import Attachments
from bot.ui.quotes import Quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds without a word from the model: until a placeholder is shown, and until people are told what goes on."""

    placeholder_after: float = PLACEHOLDER_AFTER
    patience: float = 2.0


USUAL_TIMING = Timing()


def build_model(settings: Settings) -> OllamaModel:
    """The Ollama server of the settings. Raises SettingError for an address that is none."""
    limits = TimeLimits(first=settings.ollama_first_token_timeout, between=settings.ollama_stall_timeout)
    return connect(settings.ollama_host, limits)


def build_services(
    settings: Settings,
    *,
    database: Database,
    model: LanguageModel,
    environment: Mapping[str, str],
    budgets: Budgets | None = None,
    timing: Timing = USUAL_TIMING,
    calendar: Calendar | None = None,
) -> Services:
    """Everything that cogs call, on these parts. Raises SettingError for a wrong default of a parameter."""
    defaults = operator_defaults(environment)
    parts = _Parts(settings, database, model, defaults, timing=timing, calendar=calendar or Calendar())
    return parts.services(budgets or Budgets())


class _Parts:
    """Each part is built once, when the first other part needs it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        model: LanguageModel,
        defaults: Mapping[str, str],
        *,
        timing: Timing,
        calendar: Calendar,
    ) -> None:
        self._settings = settings
        self._database = database
        self._model = model
        self._defaults = defaults
        self._timing = timing
        self._calendar = calendar
        self._now = calendar.now

    def services(self, budgets: Budgets) -> Services:
        return Services(
            deliveries=self._deliveries,
            caller=Caller(budgets, now=self._now),
            profiles=self._profiles,
            displays=self._displays,
            conversations=self._conversations,
            privacy=self._privacy,
            preferences=self._preferences,
            personas=self._personas,
            models=self._models,
            history=History(self._memory),
            meter=self._meter,
            memory=self._memory,
            mirror=self._mirror,
            open_answers=self._open_answers,
            state=SqlState(self._database),
            reader=self._reader,
            quotes=self._quotes,
            limits=self._limits,
            receipts=self._receipts,
            branching=self._branching,
            calendar=self._calendar,
            num_ctx=self._settings.ollama_num_ctx,
        )

    # Stores

    @cached_property
    def _memory(self) -> SqlConversations:
        return SqlConversations(self._database, self._now)

    @cached_property
    def _mirror(self) -> SqlMirror:
        return SqlMirror(self._database)

    @cached_property
    def _open_answers(self) -> SqlOpenAnswers:
        return SqlOpenAnswers(self._database)

    @cached_property
    def _stored(self) -> SqlSettings:
        return SqlSettings(self._database, self._now)

    @cached_property
    def _lineage(self) -> SqlLineage:
        return SqlLineage(self._database, self._now)

    # What is in force where

    @cached_property
    def _personas(self) -> Personas:
        return Personas(SqlPersonas(self._database, self._stored, self._now))

    @cached_property
    def _preferences(self) -> Preferences:
        return Preferences(settings=self._stored, personas=self._personas)

    @cached_property
    def _profiles(self) -> Profiles:
        model = self._settings.ollama_model
        return Profiles(settings=self._stored, personas=self._personas, model=model, defaults=self._defaults)

    @cached_property
    def _displays(self) -> Displays:
        return Displays(settings=self._stored, max_messages=self._settings.max_answer_messages)

    @cached_property
    def _conversations(self) -> Conversations:
        return Conversations(self._stored)

    @cached_property
    def _privacy(self) -> Privacy:
        store = SqlPrivacy(self._database, self._stored, self._now)
        days = self._settings.retention_days
        return Privacy(store=store, settings=self._stored, retention_days=days, now=self._now)

    @cached_property
    def _limits(self) -> Limits:
        defaults = {
            Quota.QUESTIONS: self._settings.limit_questions_per_minute,
            Quota.TOKENS: self._settings.limit_tokens_per_day,
        }
        return Limits(settings=self._stored, usage=SqlUsage(self._database), defaults=defaults, now=self._now)

    # What answers

    @cached_property
    def _turns(self) -> Turns:
        return Turns(parallel=self._settings.max_parallel_answers, waiting=self._settings.max_waiting_questions)

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation(model=self._model, memory=self._memory, num_ctx=self._settings.ollama_num_ctx)

    @cached_property
    def _meter(self) -> ContextMeter:
        return ContextMeter(
            model=self._model, profiles=self._profiles, memory=self._memory, preparation=self._preparation
        )

    @cached_property
    def _assistant(self) -> Assistant:
        return Assistant(
            model=self._model,
            profiles=self._profiles,
            memory=self._memory,
            turns=self._turns,
            spent=self._limits.spent,
            conversations=self._conversations,
            is_opted_out=self._privacy.is_opted_out,
            preparation=self._preparation,
            patience=self._timing.patience,
        )

    @cached_property
    def _deliveries(self) -> Deliveries:
        return Deliveries(
            assistant=self._assistant,
            display=self._displays.resolve,
            is_opted_out=self._privacy.is_opted_out,
            memory=self._memory,
            open_answers=self._open_answers,
            buttons=AnswerButtons(),
            placeholder_after=self._timing.placeholder_after,
            now=self._now,
        )

    @cached_property
    def _receipts(self) -> Receipts:
        return Receipts(
            model=self._model,
            memory=self._memory,
            lineage=self._lineage,
            settings=self._stored,
            turns=self._turns,
            spent=self._limits.spent,
        )

    @cached_property
    def _branching(self) -> Branching:
        return Branching(
            memory=self._memory,
            lineage=self._lineage,
            conversations=self._conversations,
            profiles=self._profiles,
            personas=self._personas,
            preferences=self._preferences,
        )

    @cached_property
    def _models(self) -> Models:
        return Models(model=self._model, pull_allowed=self._settings.ollama_pull_allow)

    @cached_property
    def _quotes(self) -> Quotes:
        return Quotes(
            memory=self._memory,
            mirror=self._mirror,
            conversations=self._conversations,
            on_way=self._deliveries.asker_in,
            is_opted_out=self._privacy.is_opted_out,
            message_content=self._settings.message_content_intent,
        )

    @cached_property
    def _reader(self) -> QuestionReader:
        most = self._settings.max_file_bytes
        attachments = Attachments(reader=FileReader(max_text_bytes=most), max_text_bytes=most)
        return QuestionReader(
            attachments=attachments, profiles=self._profiles, models=self._models, quotes=self._quotes
        )
