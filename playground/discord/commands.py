"""From what a user types to what Discord sends: a command's options with their types, checked as the app does."""

from dataclasses import dataclass, field

from playground.discord.errors import RefusedByClientError
from playground.discord.model import CommandKind
from playground.discord.payloads import Payload, utf16_length

_SUBCOMMANDS = (1, 2)
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
_PYTHON_TYPES: dict[int, tuple[type, ...]] = {
    STRING: (str,),
    INTEGER: (int,),
    BOOLEAN: (bool,),
    NUMBER: (int, float),
}
_STRING_LIMIT = 6000


@dataclass(frozen=True, slots=True)
class Found:
    """A command with the subcommand that was named."""

    command: Payload
    path: tuple[Payload, ...] = ()

    @property
    def options(self) -> list[Payload]:
        """The options of the innermost part."""
        inner = self.path[-1] if self.path else self.command
        return list(inner.get("options") or [])

    def wrap(self, options: list[Payload]) -> list[Payload]:
        """Put option values below their subcommand and group."""
        for part in reversed(self.path):
            options = [{"name": part["name"], "type": part["type"], "options": options}]
        return options


@dataclass(slots=True)
class Resolved:
    """What snowflakes among the options stand for."""

    data: dict[str, dict[str, Payload]] = field(default_factory=dict)

    def add(self, kind: str, object_id: int, payload: Payload) -> str:
        """Describe one object; return its id as an option's value."""
        self.data.setdefault(kind, {})[str(object_id)] = payload
        return str(object_id)


def find(commands: list[Payload], name: str, kind: CommandKind = CommandKind.CHAT_INPUT) -> Found:
    """Look a command up by its name as shown: "ask", "persona use"."""
    if not name.strip():
        raise RefusedByClientError("Choose a command first.")
    first, *rest = name.split() if kind is CommandKind.CHAT_INPUT else [name]
    command = next((one for one in commands if one["name"] == first and one["type"] == kind), None)
    if command is None:
        raise RefusedByClientError(f"The bot has no command {first} here.")
    path: list[Payload] = []
    for word in rest:
        inside = (path[-1] if path else command).get("options") or []
        part = next((one for one in inside if one["name"] == word and one["type"] in _SUBCOMMANDS), None)
        if part is None:
            raise RefusedByClientError(f"/{name} does not exist: the bot has no {word} there.")
        path.append(part)
    found = Found(command, tuple(path))
    if any(option["type"] in _SUBCOMMANDS for option in found.options):
        raise RefusedByClientError(f"/{name} is only the beginning of a command: choose one below it.")
    return found


def check_complete(found: Found, given: dict[str, object]) -> None:
    """Refuse unknown options and missing required ones."""
    names = {option["name"] for option in found.options}
    if unknown := set(given) - names:
        raise RefusedByClientError(f"The command has no option {', '.join(sorted(unknown))}.")
    if missing := {option["name"] for option in found.options if option.get("required")} - set(given):
        verb = "is" if len(missing) == 1 else "are"
        raise RefusedByClientError(f"{' and '.join(sorted(missing))} {verb} required.")


def check_value(option: Payload, value: object) -> None:
    """Refuse what the app's own checks would: type, choices, range and length."""
    name, kind = option["name"], option["type"]
    fitting = _PYTHON_TYPES.get(kind)
    if fitting and (not isinstance(value, fitting) or (kind != BOOLEAN and isinstance(value, bool))):
        raise RefusedByClientError(f"{name} cannot be {value!r}.")
    if option.get("choices") and value not in [choice["value"] for choice in option["choices"]]:
        offered = ", ".join(str(choice["name"]) for choice in option["choices"])
        raise RefusedByClientError(f"{name} offers only {offered}.")
    if isinstance(value, str) and kind == STRING:
        least, most = option.get("min_length"), option.get("max_length") or _STRING_LIMIT
        _check_range(f"{name}'s number of characters", utf16_length(value), least, most)
    elif isinstance(value, int | float) and kind in (INTEGER, NUMBER):
        _check_range(name, value, option.get("min_value"), option.get("max_value"))


def _check_range(what: str, size: float, least: float | None, most: float | None) -> None:
    if (least is None or size >= least) and (most is None or size <= most):
        return
    if least is None:
        allowed = f"at most {most}"
    elif most is None:
        allowed = f"at least {least}"
    else:
        allowed = f"from {least} to {most}"
    raise RefusedByClientError(f"{what} must be {allowed}, not {size}.")
