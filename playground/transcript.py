"""An answer in Discord as lines for a terminal: what each edit added, and when. No I/O."""

from playground.discord import Message

_SUBTEXT = "-# "
_GOES_ON = "…"
_THINKING = "-# Thinking…"
_ASKED = " asked: "
_TROUBLE = "⚠"


def last_line(message: Message) -> str:
    """Return the line where the bot says what goes on, or who answered."""
    return message.content.rsplit("\n", 1)[-1]


def is_status(line: str) -> bool:
    """Whether a line says that there is more to come: waiting, loading, thinking, writing."""
    goes_on = line.endswith((_GOES_ON, "first.")) or line.startswith(_THINKING)
    return line.startswith(_SUBTEXT) and goes_on and _ASKED not in line


def is_footer(line: str, model: str) -> bool:
    """Whether a line signs a finished answer."""
    return line.startswith(_SUBTEXT) and model.split(":", maxsplit=1)[0] in line and not is_status(line)


def failed(messages: list[Message]) -> bool:
    """Whether the bot says that something went wrong."""
    return any(line.startswith(_TROUBLE) for message in messages for line in message.content.splitlines()[-2:])


class Transcript:
    """Turns the states of an answer's messages into lines that say what is new."""

    def __init__(self) -> None:
        self._shown: dict[int, str] = {}
        self._status = ""
        self.edits = 0

    def lines(self, message: Message) -> list[str]:
        """Return what to print for the newest state of one message."""
        if message.thinking:
            return ["… thinking"]
        known = message.id in self._shown
        self.edits += known or bool(message.edits)
        before = self._shown.get(message.id, "")
        body, status = _parted(message.content)
        self._shown[message.id] = body
        lines = [] if known else [f"# message {len(self._shown)}"] if len(self._shown) > 1 else []
        lines += _changes(before, body)
        if status and status != self._status:
            lines.append(f"… {status.removeprefix(_SUBTEXT)}")
        self._status = status or self._status
        return lines or ["= (no new text)"]


def _parted(content: str) -> tuple[str, str]:
    """Take the status line off."""
    body, separator, line = content.rpartition("\n")
    if is_status(line):
        return body, line
    return content, "" if separator or not is_status(content) else content


def _changes(before: str, after: str) -> list[str]:
    common = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), None)
    same = min(len(before), len(after)) if common is None else common
    lines = [f"- {line}" for line in before[same:].splitlines() if line.strip()]
    return lines + [f"+ {line}" for line in after[same:].splitlines() if line.strip()]
