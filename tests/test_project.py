"""What is written twice in this project stays the same in both places; what holds for every file holds for each."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest

from bot.app import COGS
from bot.chat.parameters import REGISTRY, operator_defaults
from bot.config import Settings, read_environment, read_settings
from bot.storage.migrations import MIGRATIONS
from tests.reference import ROOT, Documented, cog_classes, default_of, documented_commands, with_tables

README = (ROOT / "README.md").read_text("utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

SETTINGS = {name.upper(): default_of(name) for name in Settings.model_fields}
PARAMETERS = {entry.variable: entry for entry in REGISTRY.values()}

LONGEST_MODULE = {"bot": 300, "cogs": 300, "playground": 300, "tests": 400}
LONGEST_FUNCTION = 40

MARKDOWN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODULES = sorted(path for folder in LONGEST_MODULE for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---- Settings and parameters ----


def env_lines() -> list[tuple[bool, str, str]]:
    """Whether it is switched on, name and value of each variable in .env.example."""
    found = re.findall(r"^(# )?([A-Z][A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE)
    return [(not off, name, value) for off, name, value in found]


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over .env, and the gate sets some."""
    for name in (*SETTINGS, *PARAMETERS):
        monkeypatch.delenv(name, raising=False)


def test_env_example_has_every_variable_once_and_no_other() -> None:
    assert sorted([*SETTINGS, *PARAMETERS]) == sorted(name for _, name, _ in env_lines())


def test_env_example_switches_on_only_what_a_newcomer_must_fill_in() -> None:
    assert {name for on, name, _ in env_lines() if on} == {"DISCORD_TOKEN", "OLLAMA_MODEL"}


def test_env_example_shows_the_defaults() -> None:
    defaults = {name: entry.default for name, entry in PARAMETERS.items()} | SETTINGS
    assert {name: value or "" for name, value in defaults.items()} == {name: value for _, name, value in env_lines()}


def test_env_example_explains_each_variable_just_above_it() -> None:
    for before, line in zip(ENV_EXAMPLE.splitlines(), ENV_EXAMPLE.splitlines()[1:], strict=False):
        if re.match(r"(# )?[A-Z][A-Z_]+=", line):
            assert re.match(r"# [^-]", before), f"{line} has no explanation"


@pytest.mark.parametrize("variable", PARAMETERS)
def test_env_example_explains_a_parameter_in_the_words_of_the_registry(variable: str) -> None:
    entry = PARAMETERS[variable]
    assert f"# {entry.help}\n# It takes {entry.allowed}.\n# {variable}=" in ENV_EXAMPLE


@pytest.mark.parametrize("switched_on", [False, True], ids=["as it is", "with every line switched on"])
@pytest.mark.usefixtures("no_variables")
def test_env_example_with_a_token_is_a_sound_env_file(tmp_path: Path, switched_on: bool) -> None:
    text = ENV_EXAMPLE.replace("DISCORD_TOKEN=", "DISCORD_TOKEN=a.token.of-mine")
    if switched_on:
        text = re.sub(r"^# (?=[A-Z][A-Z_]+=)", "", text, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text, "utf-8")

    environment = read_environment(tmp_path / ".env")

    assert read_settings(environment) == read_settings({"DISCORD_TOKEN": "a.token.of-mine"})
    sent_anyway = {entry.name: entry.default for entry in REGISTRY.values() if entry.default}
    assert operator_defaults(environment) == (sent_anyway if switched_on else {})


def test_readme_has_the_tables_that_the_code_makes() -> None:
    assert with_tables(README) == README, "run: .venv/bin/python -m tests.reference"


def test_readme_names_every_variable_and_none_that_does_not_exist() -> None:
    prefixes = {name.split("_")[0] for name in (*SETTINGS, *PARAMETERS)}
    in_readme = set(re.findall(rf"\b(?:{'|'.join(prefixes)})_[A-Z_]*[A-Z]\b", README))
    assert in_readme == {*SETTINGS, *PARAMETERS}


def test_every_setting_has_a_description_for_its_error_and_its_row() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has none"


# ---- Commands ----


def command_rows() -> dict[str, tuple[str, str, str]]:
    """Options, who may, and what it does, by command, of README's table."""
    rows = re.findall(r"^\| `(/[^`]+)` \|(.*?)\|(.*?)\|(.*?)\|$", README, re.MULTILINE)
    return {name: (options.strip(), who.strip(), text.strip()) for name, options, who, text in rows}


def test_readme_lists_exactly_the_commands_that_there_are() -> None:
    assert sorted(command.name for command in documented_commands()) == sorted(command_rows())


@pytest.mark.parametrize("command", [*documented_commands()], ids=lambda command: command.name)
def test_readme_has_a_commands_options_rights_and_help(command: Documented) -> None:
    options, who, text = command_rows()[command.name]
    assert (command.options, command.help) == (options, text)
    assert command.permissions == set(re.findall(r"Manage \w+", who))
    assert bool(command.permissions) != (who == "everyone")


def test_every_cog_is_loaded_and_has_one_class() -> None:
    files = [path.stem for path in (ROOT / "cogs").glob("*.py") if not path.stem.startswith("_")]
    assert sorted(COGS) == sorted(f"cogs.{stem}" for stem in files)
    assert len(list(cog_classes())) == len(COGS)


def test_the_invite_link_asks_for_the_permissions_that_readme_names() -> None:
    box_names = {
        "View Channels": "view_channel",
        "Send Messages": "send_messages",
        "Send Messages in Threads": "send_messages_in_threads",
        "Attach Files": "attach_files",
        "Read Message History": "read_message_history",
    }
    section = README.partition("tick these boxes:")[2].partition("Do not give it")[0]
    assert set(re.findall(r"^\| (.*?) \|", section, re.MULTILINE)) - {"permission", "---"} == set(box_names)
    value = discord.Permissions(**dict.fromkeys(box_names.values(), True)).value
    assert f"&scope=bot+applications.commands&permissions={value}\n" in README


# ---- Requirements, image, architecture ----


def pins(names: list[str]) -> dict[str, str]:
    """`Some.Package[extra]==1.2; condition` as {"some-package": "1.2"}."""
    parted = [re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)(?: *;.*)?", name) for name in names]
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in parted if pin}


def required(file: str, *, direct: bool) -> dict[str, str]:
    """The pins of a requirements file: those that pyproject names, or all of them."""
    entries = re.findall(r"^(\S+==\S+)(.*?)(?=^\S|\Z)", (ROOT / file).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert entries
    assert all("--hash=sha256:" in rest for _, rest in entries)
    return pins([pin for pin, rest in entries if not direct or "(pyproject.toml)" in rest])


def test_requirements_hold_the_pins_of_pyproject() -> None:
    project = PYPROJECT["project"]
    for_running = project["dependencies"]
    for_the_demo = [*for_running, *project["optional-dependencies"]["demo"]]
    for_developing = [*for_the_demo, *project["optional-dependencies"]["dev"]]
    assert len(pins(for_developing)) == len(for_developing), "everything is pinned"
    assert required("requirements.txt", direct=True) == pins(for_running)
    assert required("requirements-demo.txt", direct=True) == pins(for_the_demo)
    assert required("requirements-dev.txt", direct=True) == pins(for_developing)
    for file in ("requirements.txt", "requirements-demo.txt"):
        assert required(file, direct=False).items() <= required("requirements-dev.txt", direct=False).items()


def test_requirements_pin_each_extra_that_a_package_asks_for() -> None:
    """Without it pip may look for the newest release of such a package, which has no hash here, and give up."""
    dev = (ROOT / "requirements-dev.txt").read_text("utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)\[([\w,]+)\]==", dev, re.MULTILINE))
    needed: dict[str, set[str]] = {}
    for name in required("requirements-dev.txt", direct=False):
        for line in importlib.metadata.requires(name) or []:
            asked = re.match(r"([\w.-]+)\[([\w,]+)\](?!.*extra ==)", line)
            if asked:
                needed.setdefault(asked[1], set()).update(asked[2].split(","))
    assert needed
    assert {name: set(pinned.get(name, "").split(",")) for name in needed} == needed


def test_the_image_holds_every_folder_that_the_bot_needs() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    needed = {"bot", *(name.partition(".")[0] for name in COGS), MIGRATIONS.name}
    copied = re.findall(r"^COPY (?:--chmod=\d+ )?(\w+)/ \1/$", dockerfile, re.MULTILINE)
    let_through = re.findall(r"^!(\w+)/$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert set(copied) == set(let_through) == needed
    python = PYPROJECT["project"]["requires-python"].partition(",")[0].removeprefix(">=")
    images = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    assert len(images) == 1
    assert re.fullmatch(rf"python:{re.escape(python)}\.\d+-slim-\w+", images.pop()), "one full version for both stages"


def test_import_contracts_leave_no_module_out() -> None:
    linter = PYPROJECT["tool"]["importlinter"]
    with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(linter["root_packages"]) == with_code - {"tests", "migrations", "benchmarks"}
    layers = next(contract for contract in linter["contracts"] if contract["type"] == "layers")
    assert layers["exhaustive"] is True
    in_a_layer = {name for layer in layers["layers"] for name in layer.split(" | ")}
    there = {path.stem for path in (ROOT / "bot").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert in_a_layer == there - {"__init__"}


def test_pre_commit_calls_every_tool_that_make_lint_calls() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r"\$\(BIN\)/(\S+)", recipe[1])) == set(re.findall(r"entry: \.venv/bin/(\S+)", hooks))


def test_the_changelog_knows_this_version() -> None:
    assert PYPROJECT["project"]["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")


# ---- Every file ----


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_and_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = len(text.splitlines())
    assert lines <= LONGEST_MODULE[path.relative_to(ROOT).parts[0]]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def without_code(markdown: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def anchors(markdown: str) -> set[str]:
    """The names under which a page's headings can be linked to."""
    headings = re.findall(r"^#+ +(.*?)$", without_code(markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in MARKDOWN:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
            if "://" not in target:
                yield page, target


LINKS = [pytest.param(page, target, id=f"{named(page)} {target}") for page, target in links()]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_between_pages_lead_somewhere(page: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    there = page.parent / file if file else page
    assert there.exists()
    if anchor:
        assert anchor in anchors(there.read_text("utf-8"))


@pytest.mark.parametrize("page", MARKDOWN, ids=named)
def test_every_picture_has_a_text_for_those_who_cannot_see_it(page: Path) -> None:
    for text, _ in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text("utf-8"), re.DOTALL):
        assert len(text) > len("a picture")
