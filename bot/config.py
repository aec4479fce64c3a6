"""The operator's settings: from the environment and `.env`, read once, each fault said in one sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from bot.errors import SettingError

Seconds = Annotated[float, Field(gt=0, le=86_400)]
"""A duration in seconds."""


def _listed(value: object) -> object:
    """A comma-separated text as its parts."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError
    return value.strip()


Text = Annotated[str, AfterValidator(_not_empty)]


class Settings(BaseModel):
    """Every setting by the name of its environment variable; each field's description completes "NAME is …"."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    discord_token: SecretStr = Field(description="the token of your Discord application's bot")
    ollama_host: Text = Field("http://127.0.0.1:11434", description="the address of your Ollama server")
    ollama_model: Text = Field("llama3.2", description="the model that answers where nobody chose another")
    database_url: Text = Field(
        "sqlite+aiosqlite:///data/llampost.db", description="the address of the database, sqlite+aiosqlite:///FILE"
    )
    ollama_num_ctx: int = Field(
        4096, ge=256, le=4_194_304, description="the context window in tokens, a whole number from 256 to 4194304"
    )
    max_parallel_answers: int = Field(
        2, ge=1, le=256, description="how many answers may be written at once, a whole number from 1 to 256"
    )
    max_waiting_questions: int = Field(
        50, ge=0, le=10_000, description="how many questions may wait in line, a whole number from 0 to 10000"
    )
    limit_questions_per_minute: int = Field(
        0,
        ge=0,
        le=1_000,
        description="how many questions each person may ask within a minute, a whole number up to 1000; 0 is no limit",
    )
    limit_tokens_per_day: int = Field(
        0,
        ge=0,
        le=1_000_000_000,
        description=(
            "how many tokens the answers to each person may take on a day in UTC, read and written, "
            "a whole number up to 1000000000; 0 is no limit"
        ),
    )
    max_answer_messages: int = Field(
        5,
        ge=1,
        le=20,
        description="how many messages an answer may fill before it comes as a file, a whole number from 1 to 20",
    )
    message_content_intent: bool = Field(
        default=False,
        description="true where the Message Content intent is switched on in Discord's developer portal, else false",
    )
    ollama_pull_allow: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="the models that /model pull may download, names or patterns such as llama3*, separated by commas",
    )
    ollama_first_token_timeout: Seconds = Field(
        300, description="the seconds to wait for the first token of an answer, a number above 0 and up to 86400"
    )
    ollama_stall_timeout: Seconds = Field(
        60, description="the seconds to wait between two tokens, a number above 0 and up to 86400"
    )
    max_file_bytes: int = Field(
        262_144,
        ge=1,
        le=26_214_400,
        description="the size limit of a text file, and of the text in a PDF, in bytes, from 1 to 26214400",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=3_650,
        description=(
            "after how many days questions and answers are deleted where a server has not chosen with "
            "/privacy retention, a whole number up to 3650, 0 for never"
        ),
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", description="how much is logged: DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        "text", description="the form of the log, either text or json"
    )


def read_environment(env_file: Path | None = Path(".env")) -> dict[str, str]:
    """The process's environment over the contents of `.env`, so that a variable in the shell wins."""
    values: dict[str, str | None] = {}
    if env_file is not None and env_file.is_file():
        try:
            values.update(dotenv_values(env_file, interpolate=False))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"The file {env_file.name} can't be read; it must be a plain UTF-8 text.") from error
    values.update(os.environ)
    return {name: value for name, value in values.items() if value is not None}


def read_settings(environment: Mapping[str, str], *, token_needed: bool = True) -> Settings:
    """The settings in an environment; an empty variable counts as not set. Raises SettingError with every fault.

    Where it is not needed, a missing token is an empty one.
    """
    given = {name: value for name in Settings.model_fields if (value := environment.get(name.upper(), "").strip())}
    if not token_needed:
        given.setdefault("discord_token", "")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingError("\n".join(_sentence(fault["loc"][0], fault["type"]) for fault in error.errors())) from None


def _sentence(name: int | str, kind: str) -> str:
    """One fault in words; the wrong value is not repeated, since it may be a misplaced secret."""
    description = Settings.model_fields[str(name)].description
    if kind == "missing":
        return f"{str(name).upper()} is not set: put it into .env or the environment. It is {description}."
    return f"{str(name).upper()} has a value that is not allowed. It is {description}."
