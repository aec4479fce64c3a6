"""How the page refuses: every error is JSON with one sentence."""

import json
import logging

from aiohttp import web

from playground.discord import RefusedByClientError
from playground.discord.payloads import Payload

logger = logging.getLogger(__name__)

_SENTENCES = {
    403: "The playground talks only to its own page.",
    404: "There is nothing here.",
    405: "This address takes another method.",
    413: "That is too much at once: all files together may have 25 MiB.",
}


class RefusedError(Exception):
    """The page does not do this; `status` is the answer's, the text one sentence for the visitor."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def json_answer(payload: Payload, status: int = 200) -> web.Response:
    """Answer with JSON; ASCII only, so that half a surrogate pair in a message breaks nothing."""
    return web.Response(text=json.dumps(payload), status=status, content_type="application/json")


def refusal(error: Exception) -> web.Response:
    """Answer an exception that a handler raised."""
    match error:
        case RefusedError():
            status, sentence = error.status, str(error)
        case RefusedByClientError():
            status, sentence = 400, str(error)
        case web.HTTPException():
            status, sentence = error.status, _SENTENCES.get(error.status, f"{error.reason}.")
        case _:
            logger.error("The page failed", exc_info=error)
            status, sentence = 500, "The playground made a mistake; the terminal says which."
    return json_answer({"error": sentence}, status)
