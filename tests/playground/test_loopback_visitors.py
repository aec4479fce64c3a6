"""What the browser of somebody on this machine must not reach: any page in it could otherwise act as the bot."""

import aiohttp
import pytest

from playground.discord import LoopbackDiscord
from playground.discord.payloads import as_id


@pytest.mark.parametrize("path", ["/api/v10/users/@me", "/gateway", "/attachments/1/2/a.txt"])
@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
async def test_pages_of_other_sites_are_refused(server: LoopbackDiscord, path: str, headers: dict[str, str]) -> None:
    given = {"Authorization": f"Bot {server.token}", **headers}
    async with aiohttp.ClientSession() as session, session.get(server.url + path, headers=given) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("value", [True, -1, None, "", "1.0", "²"])
def test_what_is_no_id_is_none(value: object) -> None:
    assert as_id(value) is None


def test_numbers_that_no_id_can_be_are_none() -> None:
    assert (as_id("9" * 5000), as_id(10**5000)) == (None, None)
    assert as_id("18446744073709551615") == as_id(2**64 - 1) == 2**64 - 1
