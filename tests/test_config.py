from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.display import MAX_MESSAGES
from bot.config import Settings, read_environment, read_settings
from bot.errors import SettingError

TOKEN = {"DISCORD_TOKEN": "secret-token"}


def refusal(**environment: str) -> str:
    with pytest.raises(SettingError) as caught:
        read_settings(TOKEN | environment)
    return str(caught.value)


def test_a_token_is_all_it_takes() -> None:
    settings = read_settings(TOKEN)

    assert settings.discord_token.get_secret_value() == "secret-token"
    assert settings.ollama_host == "http://127.0.0.1:11434"
    assert settings.database_url == "sqlite+aiosqlite:///data/llampost.db"
    assert (settings.ollama_num_ctx, settings.max_parallel_answers) == (4096, 2)
    assert (settings.log_level, settings.log_format) == ("INFO", "text")
    assert not settings.message_content_intent
    assert settings.ollama_pull_allow == []


def test_the_default_length_of_an_answer_is_the_bots_own() -> None:
    assert read_settings(TOKEN).max_answer_messages == MAX_MESSAGES


EVERYTHING = {
    "OLLAMA_HOST": " ollama:11434 ",
    "OLLAMA_MODEL": "qwen3:4b",
    "DATABASE_URL": "sqlite+aiosqlite:///x.db",
    "OLLAMA_NUM_CTX": "8192",
    "MAX_PARALLEL_ANSWERS": "3",
    "MAX_WAITING_QUESTIONS": "0",
    "LIMIT_QUESTIONS_PER_MINUTE": "6",
    "LIMIT_TOKENS_PER_DAY": "100000",
    "RETENTION_DAYS": "30",
    "MAX_ANSWER_MESSAGES": "20",
    "MESSAGE_CONTENT_INTENT": "true",
    "OLLAMA_PULL_ALLOW": " llama3*, ,qwen3:4b ",
    "OLLAMA_FIRST_TOKEN_TIMEOUT": "0.5",
    "OLLAMA_STALL_TIMEOUT": "86400",
    "MAX_FILE_BYTES": "1",
    "LOG_LEVEL": "debug ",
    "LOG_FORMAT": "JSON",
}


def test_every_setting_is_read_from_its_variable() -> None:
    settings = read_settings(TOKEN | EVERYTHING)

    assert settings.model_dump(exclude={"discord_token"}) == {
        "ollama_host": "ollama:11434",
        "ollama_model": "qwen3:4b",
        "database_url": "sqlite+aiosqlite:///x.db",
        "ollama_num_ctx": 8192,
        "max_parallel_answers": 3,
        "max_waiting_questions": 0,
        "limit_questions_per_minute": 6,
        "limit_tokens_per_day": 100_000,
        "retention_days": 30,
        "max_answer_messages": 20,
        "message_content_intent": True,
        "ollama_pull_allow": ["llama3*", "qwen3:4b"],
        "ollama_first_token_timeout": 0.5,
        "ollama_stall_timeout": 86400,
        "max_file_bytes": 1,
        "log_level": "DEBUG",
        "log_format": "json",
    }


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_an_empty_variable_counts_as_not_set(value: str) -> None:
    assert read_settings(TOKEN | {"OLLAMA_NUM_CTX": value}).ollama_num_ctx == 4096
    with pytest.raises(SettingError, match=r"^DISCORD_TOKEN is not set: put it into \.env or the environment\."):
        read_settings({"DISCORD_TOKEN": value})


def test_white_space_around_the_token_is_not_part_of_it() -> None:
    assert read_settings({"DISCORD_TOKEN": " x\r\n"}).discord_token.get_secret_value() == "x"


@pytest.mark.parametrize(
    ("variable", "values", "allowed"),
    [
        ("OLLAMA_NUM_CTX", ["3", "255", "-5", "4194305", "many", "4096.5", "9" * 5000, "nan"], "from 256 to 4194304"),
        ("MAX_PARALLEL_ANSWERS", ["0", "257", "-1", "two", "1.5"], "from 1 to 256"),
        ("MAX_WAITING_QUESTIONS", ["-1", "10001"], "from 0 to 10000"),
        ("MAX_ANSWER_MESSAGES", ["0", "21", "-1", "off"], "from 1 to 20"),
        ("MAX_FILE_BYTES", ["0", "26214401", "1 MB"], "from 1 to 26214400"),
        ("OLLAMA_FIRST_TOKEN_TIMEOUT", ["0", "-1", "nan", "inf", "86401", "5m"], "above 0 and up to 86400"),
        ("OLLAMA_STALL_TIMEOUT", ["0", "nan", "1e9"], "above 0 and up to 86400"),
        ("MESSAGE_CONTENT_INTENT", ["maybe", "2"], "true where"),
        ("LOG_LEVEL", ["LOUD", "10"], "It is how much is logged: DEBUG, INFO, WARNING or ERROR."),
        ("LOG_FORMAT", ["xml"], "either text or json"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_variable_and_what_is_allowed(
    variable: str, values: list[str], allowed: str
) -> None:
    for value in values:
        sentence = refusal(**{variable: value})
        assert sentence.startswith(f"{variable} has a value that is not allowed. It is ")
        assert allowed in sentence
        assert len(sentence.splitlines()) == 1


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({"LOG_FORMAT": "xml", "OLLAMA_NUM_CTX": "3"})

    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "DISCORD_TOKEN",
        "OLLAMA_NUM_CTX",
        "LOG_FORMAT",
    ]


@given(st.text(min_size=8), st.sampled_from(sorted(Settings.model_fields)))
def test_a_wrong_value_is_never_repeated_since_it_may_be_a_misplaced_secret(value: str, name: str) -> None:
    try:
        read_settings(TOKEN | {name.upper(): value})
    except SettingError as error:
        assert value not in str(error)  # noqa: PT017  # other texts are allowed, and say nothing


def test_the_token_is_not_shown_by_printing_the_settings() -> None:
    settings = read_settings(TOKEN)

    assert "secret-token" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_every_setting_completes_a_sentence() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert not field.description.endswith(".")


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DISCORD_TOKEN", "OLLAMA_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".env"


def test_the_file_is_read_as_it_stands(env_file: Path) -> None:
    env_file.write_text("# comment\nDISCORD_TOKEN='a$b'\nexport OLLAMA_MODEL=x${HOME}y # why\nNO_VALUE\n")

    environment = read_environment(env_file)

    assert environment["DISCORD_TOKEN"] == "a$b"
    assert environment["OLLAMA_MODEL"] == "x${HOME}y"
    assert "NO_VALUE" not in environment


def test_a_variable_in_the_shell_wins_over_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("OLLAMA_MODEL=from-file\nDISCORD_TOKEN=x\n")
    monkeypatch.setenv("OLLAMA_MODEL", "from-shell")

    environment = read_environment(env_file)

    assert (environment["OLLAMA_MODEL"], environment["DISCORD_TOKEN"]) == ("from-shell", "x")


def test_the_file_may_begin_with_a_byte_order_mark(env_file: Path) -> None:
    env_file.write_bytes(b"\xef\xbb\xbfDISCORD_TOKEN=x\r\n")

    assert read_environment(env_file)["DISCORD_TOKEN"] == "x"


def test_a_file_that_is_no_text_is_named(env_file: Path) -> None:
    env_file.write_text("DISCORD_TOKEN=x\n", encoding="utf-16")

    with pytest.raises(SettingError, match=r"^The file \.env can't be read; it must be a plain UTF-8 text\.$"):
        read_environment(env_file)


def test_there_need_not_be_a_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "x")

    assert read_environment(env_file)["DISCORD_TOKEN"] == "x"
    assert read_environment(None)["DISCORD_TOKEN"] == "x"
