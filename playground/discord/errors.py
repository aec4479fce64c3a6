"""Discord's error answers, by their JSON codes (API reference, opcodes and status codes).

ApiError
    an answer with status, code, message and, for 50035, the tree of what is wrong where
RateLimitedError
    the answer of a limit that no header announces
RefusedByClientError
    what a user's Discord app would not have let them do: a mistake of the test, never of the bot
"""

from collections.abc import Iterable

from playground.discord.payloads import Payload


class ApiError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, code: int, message: str, *, errors: Payload | None = None) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def payload(self) -> Payload:
        """Return the JSON body."""
        body: Payload = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class RateLimitedError(ApiError):
    """A 429 with a code of its own; after `retry_after` seconds the call may be repeated."""

    def __init__(self, code: int, message: str, *, retry_after: float) -> None:
        super().__init__(429, code, message)
        self.retry_after = retry_after


class RefusedByClientError(ValueError):
    """The user's app would not have sent this."""


def invalid_form(path: Iterable[str | int], code: str, message: str) -> ApiError:
    """Return 50035 with one leaf: the field at `path`, in the nesting that discord.py flattens for its message."""
    tree: Payload = {"_errors": [{"code": code, "message": message}]}
    for key in reversed(list(path)):
        tree = {str(key): tree}
    return ApiError(400, 50035, "Invalid Form Body", errors=tree)


def too_long(path: Iterable[str | int], limit: int) -> ApiError:
    """Return the refusal of a text over its limit."""
    return invalid_form(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def unauthorized() -> ApiError:
    """The token is wrong."""
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    """No such route."""
    return ApiError(404, 0, "404: Not Found")


def unknown_channel() -> ApiError:
    """The channel is gone, or was never there."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    """The bot is not there."""
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    """Nobody in this server has this id."""
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    """The message is gone, or ephemeral and asked for in its channel."""
    return ApiError(404, 10008, "Unknown Message")


def unknown_user() -> ApiError:
    """Nobody has this id."""
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    """No interaction with this token was answered yet."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """Three seconds have passed, or the pair of id and token is invented."""
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    """The application has no such command."""
    return ApiError(404, 10063, "Unknown application command")


def already_acknowledged() -> ApiError:
    """An interaction is answered once."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def invalid_webhook_token() -> ApiError:
    """An interaction's token dies with its lifetime."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def missing_access() -> ApiError:
    """The bot does not see the channel."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """The bot sees the channel but may not do this."""
    return ApiError(403, 50013, "Missing Permissions")


def empty_message() -> ApiError:
    """Nothing would be shown."""
    return ApiError(400, 50006, "Cannot send an empty message")


def not_the_author() -> ApiError:
    """Only authors edit."""
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def cannot_message_user() -> ApiError:
    """The user closed their direct messages."""
    return ApiError(403, 50007, "Cannot send messages to this user")


def no_direct_messages() -> ApiError:
    """The user and the bot share no server, or the user blocked it."""
    return ApiError(403, 50278, "Cannot send messages to this user due to having no mutual guilds")


def blocked_by_automod() -> ApiError:
    """A server's rule does not let the text stand."""
    return ApiError(400, 200000, "Message was blocked by automatic moderation")


def too_many_follow_ups() -> ApiError:
    """Where the bot is no member, an interaction has five follow-ups."""
    return ApiError(400, 40094, "Limited to 5 follow up messages for uninstalled interactions")


def too_many_old_edits(retry_after: float) -> RateLimitedError:
    """Messages older than an hour have a limit of their own."""
    message = "Maximum number of edits to messages older than 1 hour reached. Try again later"
    return RateLimitedError(30046, message, retry_after=retry_after)


def archived_thread() -> ApiError:
    """The thread is archived."""
    return ApiError(
        400,
        50083,
        "Tried to perform an operation on an archived thread, such as editing a message or adding a user to the thread",
    )


def locked_thread() -> ApiError:
    """The thread is locked, but not archived."""
    return ApiError(403, 160005, "This thread is locked")


def no_history_for_reply() -> ApiError:
    """Replies need to read what they reply to."""
    return ApiError(400, 160002, "Cannot reply without permission to read message history")


def entity_too_large() -> ApiError:
    """A file is over the limit."""
    return ApiError(413, 40005, "Request entity too large")
