"""What Discord refuses in a message, a modal or a list of choices (API reference, message and component limits)."""

from collections.abc import Iterator
from typing import Any

from playground.discord.errors import ApiError, empty_message, invalid_form, too_long
from playground.discord.model import ComponentKind, MessageFlag
from playground.discord.payloads import Payload, utf16_length

CONTENT_LIMIT = 2000
NONCE_LIMIT = 25
EMBED_TOTAL = 6000
EMBED_COUNT = 10
EMBED_TEXTS = {"title": 256, "description": 4096}
EMBED_FIELDS = 25
ROWS = 5
ROW_WIDTH = 5
V2_COMPONENTS = 40
V2_TEXT = 4000
LABEL_LIMIT = 80
CUSTOM_ID_LIMIT = 100
CHOICES = 25
MODAL_TITLE = 45
MODAL_ROWS = 5
SELECT_OPTIONS = 25
TEXT_LIMIT = 100
TEXT_INPUT_TEXTS = {"value": 4000, "placeholder": 100}

# What a label can hold: text input, the selects, file upload, radio group, checkbox group, checkbox.
_FIELDS = (ComponentKind.TEXT_INPUT, ComponentKind.STRING_SELECT, 5, 6, 7, 8, 19, 21, 22, 23)
_LINK_STYLES = (5, 6)


def check_message(body: Payload, path: tuple[str, ...] = ()) -> None:
    """Raise what is wrong with the fields that are there; whether anything is left is `check_not_empty`."""
    content = body.get("content")
    if content is not None and not isinstance(content, str):
        raise invalid_form([*path, "content"], "STRING_TYPE_CONVERT", "Could not interpret as string.")
    if utf16_length(content or "") > CONTENT_LIMIT:
        raise too_long([*path, "content"], CONTENT_LIMIT)
    if len(str(body.get("nonce") or "")) > NONCE_LIMIT:
        raise too_long([*path, "nonce"], NONCE_LIMIT)
    check_embeds(body.get("embeds") or [], path)
    flags = int(body.get("flags") or 0)
    check_components(body.get("components") or [], v2=bool(flags & MessageFlag.COMPONENTS_V2), path=path)
    if flags & MessageFlag.COMPONENTS_V2 and (content or body.get("embeds")):
        raise invalid_form(
            [*path, "flags"], "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "No content or embeds with V2"
        )


def check_not_empty(*, content: str, shown: bool) -> None:
    """Refuse a message of which nothing would be seen; spaces are nothing."""
    if not content.strip() and not shown:
        raise empty_message()


def check_embeds(embeds: list[Payload], path: tuple[str, ...]) -> None:
    """Hold an embed's texts and their sum to the limits."""
    if len(embeds) > EMBED_COUNT:
        raise invalid_form([*path, "embeds"], "BASE_TYPE_MAX_LENGTH", f"Must be {EMBED_COUNT} or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        for name, limit in EMBED_TEXTS.items():
            if utf16_length(embed.get(name) or "") > limit:
                raise too_long([*path, "embeds", index, name], limit)
        if len(embed.get("fields") or []) > EMBED_FIELDS:
            raise too_long([*path, "embeds", index, "fields"], EMBED_FIELDS)
        total += sum(utf16_length(text) for text in _embed_texts(embed))
    if total > EMBED_TOTAL:
        raise invalid_form([*path, "embeds"], "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds {EMBED_TOTAL}")


def _embed_texts(embed: Payload) -> Iterator[str]:
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    yield (embed.get("footer") or {}).get("text") or ""
    yield (embed.get("author") or {}).get("name") or ""
    for entry in embed.get("fields") or []:
        yield entry.get("name") or ""
        yield entry.get("value") or ""


def walk(components: object) -> Iterator[Payload]:
    """Yield every component of a tree, parents first."""
    for component in components if isinstance(components, list | tuple) else ():
        yield component
        for key in ("components", "component", "accessory"):
            inside: Any = component.get(key)
            yield from walk([inside] if isinstance(inside, dict) else inside)


def texts_of(components: object) -> str:
    """Return the text that V2 components show, which can mention as content does."""
    shown = (part for part in walk(components) if part.get("type") == ComponentKind.TEXT_DISPLAY)
    return "\n".join(part.get("content") or "" for part in shown)


def check_components(components: list[Payload], *, v2: bool, path: tuple[str, ...]) -> None:
    """Hold rows, labels and custom ids to the limits; custom ids must differ within a message."""
    where = [*path, "components"]
    everything = list(walk(components))
    if v2:
        if len(everything) > V2_COMPONENTS:
            raise too_long(where, V2_COMPONENTS)
        if utf16_length(texts_of(components)) > V2_TEXT:
            raise invalid_form(where, "COMPONENT_TEXT_SIZE_EXCEEDED", f"Must be {V2_TEXT} or fewer in length.")
    else:
        _check_rows(components, where)
    _check_each(components, where)


def _check_each(components: list[Payload], where: list[str]) -> None:
    seen: set[str] = set()
    for component in walk(components):
        _check_component(component, where)
        custom_id = component.get("custom_id")
        if custom_id in seen:
            raise invalid_form(where, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        if custom_id:
            seen.add(custom_id)


def _check_rows(components: list[Payload], where: list[str]) -> None:
    if len(components) > ROWS:
        raise too_long(where, ROWS)
    for index, row in enumerate(components):
        if row.get("type") != ComponentKind.ACTION_ROW:
            raise invalid_form([*where, index, "type"], "UNION_TYPE_CHOICES", "Value of field must be 1")
        if not 1 <= len(row.get("components") or []) <= ROW_WIDTH:
            raise invalid_form([*where, index, "components"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5.")


def _check_component(component: Payload, where: list[str]) -> None:
    if len(component.get("custom_id") or "") > CUSTOM_ID_LIMIT:
        raise too_long([*where, "custom_id"], CUSTOM_ID_LIMIT)
    if component.get("type") == ComponentKind.BUTTON:
        if len(component.get("label") or "") > LABEL_LIMIT:
            raise too_long([*where, "label"], LABEL_LIMIT)
        if not component.get("label") and not component.get("emoji") and component.get("style") not in _LINK_STYLES:
            raise invalid_form([*where, "label"], "BUTTON_COMPONENT_INVALID", "A label or an emoji is required")
    if component.get("type") == ComponentKind.TEXT_INPUT:
        for key, limit in TEXT_INPUT_TEXTS.items():
            if utf16_length(component.get(key) or "") > limit:
                raise too_long([*where, key], limit)
    if (
        component.get("type") == ComponentKind.STRING_SELECT
        and not 1 <= len(component.get("options") or []) <= SELECT_OPTIONS
    ):
        raise invalid_form([*where, "options"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")


def check_choices(choices: object) -> None:
    """Refuse more than 25 suggestions, and names or values that Discord does not show."""
    if not isinstance(choices, list):
        raise invalid_form(["data", "choices"], "BASE_TYPE_REQUIRED", "This field is required")
    if len(choices) > CHOICES:
        raise too_long(["data", "choices"], CHOICES)
    for index, choice in enumerate(choices):
        for key in ("name", "value"):
            if isinstance(choice.get(key), str) and not 1 <= utf16_length(choice[key]) <= CUSTOM_ID_LIMIT:
                raise invalid_form(
                    ["data", "choices", index, key], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100."
                )


def check_modal(modal: Payload) -> None:
    """Refuse a modal that no app could open."""
    problem: ApiError | None = None
    if not modal.get("custom_id"):
        problem = invalid_form(["data", "custom_id"], "BASE_TYPE_REQUIRED", "This field is required")
    elif not 1 <= utf16_length(modal.get("title") or "") <= MODAL_TITLE:
        problem = invalid_form(["data", "title"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    elif not 1 <= len(modal.get("components") or []) <= MODAL_ROWS:
        problem = invalid_form(["data", "components"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    if problem:
        raise problem
    for index, part in enumerate(modal["components"]):
        _check_modal_part(part, ["data", "components", index])
    _check_each(modal["components"], ["data", "components"])


def _check_modal_part(part: Payload, where: list[str | int]) -> None:
    """Rows hold one text input with a label of its own; labels hold one field; texts stand by themselves."""
    inputs: list[Payload] = part.get("components") or []
    if part.get("type") == ComponentKind.ACTION_ROW:
        if [one.get("type") for one in inputs] != [ComponentKind.TEXT_INPUT]:
            raise invalid_form([*where, "components"], "UNION_TYPE_CHOICES", "Value of field must be one of (4).")
        if not 1 <= utf16_length(inputs[0].get("label") or "") <= MODAL_TITLE:
            raise invalid_form([*where, "components", 0, "label"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45.")
    elif part.get("type") == ComponentKind.LABEL:
        if (part.get("component") or {}).get("type") not in _FIELDS:
            raise invalid_form([*where, "component"], "BASE_TYPE_REQUIRED", "This field is required")
        if not 1 <= utf16_length(part.get("label") or "") <= MODAL_TITLE:
            raise invalid_form([*where, "label"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
        if utf16_length(part.get("description") or "") > TEXT_LIMIT:
            raise too_long([*where, "description"], TEXT_LIMIT)
    elif part.get("type") != ComponentKind.TEXT_DISPLAY:
        raise invalid_form([*where, "type"], "UNION_TYPE_CHOICES", "Value of field must be one of (1, 10, 18).")
