from __future__ import annotations

import pytest

from bot.errors import SettingError
from bot.llm.address import parse_host
from bot.llm.ollama import connect


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        (' "127.0.0.1:11434" ', "http://127.0.0.1:11434"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 (nothing binds here)
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("::", "http://[::1]:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        ("::1", "http://[::1]:11434"),
        ("ollama", "http://ollama:11434"),
        ("HTTP://Ollama:11434", "http://ollama:11434"),
        ("http://ollama.example", "http://ollama.example:80"),
        ("https://ollama.example", "https://ollama.example:443"),
        ("https://ollama.example/gpu/1/", "https://ollama.example:443/gpu/1"),
        ("ollama.example:8080/gpu", "http://ollama.example:8080/gpu"),
        ("https://bob:swordfish@ollama.example", "https://ollama.example:443"),
        ("bob@ollama.example", "http://ollama.example:11434"),
    ],
)
def test_every_form_that_ollamas_own_tools_accept_leads_to_a_url(value: str, url: str) -> None:
    assert parse_host(value).url == url


@pytest.mark.parametrize(
    "value",
    [
        "ftp://h",
        "http://",
        "http://:sword fish@",
        "h:port",
        "h:99999",
        "two words",
        "http://h?x=1",
        "[::1:x",
        "h\x00",
        "xn--\u2603",
        "x..\u2603",
        "https://[x]/",
    ],
)
def test_what_is_no_address_is_refused_in_words_that_do_not_repeat_it(value: str) -> None:
    with pytest.raises(SettingError, match="OLLAMA_HOST") as caught:
        connect(value)

    assert "sword" not in str(caught.value)


def test_credentials_are_decoded_and_kept_out_of_sight() -> None:
    address = parse_host("http://bob:p%40ss@h")

    assert address.credentials == ("bob", "p@ss")
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize(
    ("value", "local"), [("localhost", True), ("127.0.0.2", True), ("::", True), ("10.0.0.1", False)]
)
def test_no_proxy_stands_between_the_bot_and_its_own_machine(value: str, local: bool) -> None:
    assert parse_host(value).is_local == local
