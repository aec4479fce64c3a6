from __future__ import annotations

from collections.abc import AsyncIterator

from benchmarks import naive


async def test_the_naive_bot_cuts_every_two_thousand_characters() -> None:
    shown: list[list[str]] = [[]]

    async def parts() -> AsyncIterator[str]:
        for _ in range(50):
            yield "0123456789" * 9

    async def edit(text: str) -> None:
        shown[-1].append(text)

    async def send(text: str) -> naive.Edit:
        shown.append([text])
        return edit

    await naive.stream(parts(), edit, send)

    assert [len(page[-1]) for page in shown] == [2_000, 2_000, 500]
    assert "".join(page[-1] for page in shown) == "0123456789" * 450
