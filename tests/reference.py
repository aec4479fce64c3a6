"""What README says of settings, parameters, display options and commands, worked out from the code.

`python -m tests.reference` writes the tables of the first three into README anew; `tests/test_project.py` fails where
they differ.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from discord import app_commands
from discord.ext import commands
from pydantic_core import PydanticUndefined

from bot.app import COGS
from bot.chat.display import OPTIONS
from bot.chat.parameters import REGISTRY
from bot.chat.scopes import ScopeKind
from bot.config import Settings
from bot.ui.checks import permission_name

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


@dataclass(frozen=True, slots=True)
class Documented:
    """A slash command as README's table has it."""

    name: str
    options: str
    help: str
    permissions: frozenset[str]
    """Those that its code asks for, as Discord's client words them."""


def default_of(name: str) -> str | None:
    """A setting's default as one writes it into `.env`; None where it must be set."""
    field = Settings.model_fields[name]
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def settings_table() -> str:
    rows = [["variable", "what it is", "default"]]
    for name, field in Settings.model_fields.items():
        default = default_of(name)
        shown = "must be set" if default is None else f"`{default}`" if default else "none"
        rows.append([f"`{name.upper()}`", str(field.description), shown])
    return _table(rows)


def parameters_table() -> str:
    rows = [["parameter", "what it does", "what it takes", "default", "operator's variable"]]
    for name, entry in REGISTRY.items():
        default = f"`{entry.default}`" if entry.default else "the model's own"
        rows.append([f"`{name}`", entry.help, entry.allowed, default, f"`{entry.variable}`"])
    return _table(rows)


def display_table() -> str:
    rows = [["option", "what it does", "what it takes", "default", "scopes"]]
    for name, option in OPTIONS.items():
        scopes = [kind.value for kind in ScopeKind if option.is_personal or kind is not ScopeKind.PERSON]
        rows.append([f"`{name}`", option.help, option.allowed, f"`{option.default}`", ", ".join(scopes)])
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]])


def with_tables(readme: str) -> str:
    """README with its tables as the code has them now."""
    tables = {"parameters": parameters_table(), "display options": display_table(), "settings": settings_table()}
    for name, table in tables.items():
        between = re.compile(rf"(?<=<!-- {name}: )(.*?-->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
        readme, count = between.subn(lambda match, table=table: f"{match[1]}\n{table}\n\n", readme)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"README needs one place for the table of {name}, not {count}")
    return readme


def documented_commands() -> Iterator[Documented]:
    for cog in cog_classes():
        group = f"{cog.__cog_group_name__} " if issubclass(cog, commands.GroupCog) else ""
        for command in cog.__cog_app_commands__:
            assert isinstance(command, app_commands.Command), f"{command.name} is a group, which README's table lacks"
            options = (f"`{one.display_name}`" + ("" if one.required else "?") for one in command.parameters)
            yield Documented(f"/{group}{command.name}", ", ".join(options), command.description, _permissions(command))


def cog_classes() -> Iterator[type[commands.Cog]]:
    for name in COGS:
        module = importlib.import_module(name)
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, commands.Cog) and found.__module__ == name:
                yield found


def _permissions(command: app_commands.Command[commands.Cog, ..., object]) -> frozenset[str]:
    """The permissions that the command's own code names, directly, in a function or by a table of its module."""
    code = inspect.getsource(command.callback)
    module = inspect.getmodule(command.callback)
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if inspect.getmodule(function) is module and re.search(rf"\b{name}\(", code):
            code += inspect.getsource(function)
    names = set(re.findall(r'"(manage_\w+)"', code))
    for table, value in vars(module).items():
        if isinstance(value, dict) and re.search(rf"\b{table}\b", code):
            names.update(str(item) for item in value.values() if str(item).startswith("manage_"))
    return frozenset(map(permission_name, names))


def main() -> None:
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
