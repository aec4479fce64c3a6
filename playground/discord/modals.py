"""From what a user types into a modal to what Discord sends: checked as the app does."""

from collections.abc import Mapping

from playground.discord.errors import RefusedByClientError
from playground.discord.model import ComponentKind
from playground.discord.payloads import Payload, utf16_length
from playground.discord.validation import walk

_TEXT_LIMIT = 4000


def filled(modal: Payload, texts: Mapping[str, str]) -> Payload:
    """Return what a modal sends with these texts, each named by its field's label or custom id."""
    known = {name for part in walk(modal["components"]) for name in _names(part)}
    if unknown := set(texts) - known:
        raise RefusedByClientError(f"The form has no field {', '.join(sorted(unknown))}.")
    return {"custom_id": modal["custom_id"], "components": [_filled(part, texts) for part in modal["components"]]}


def _names(part: Payload) -> list[str]:
    """By what a field can be named: for one in a label, the label's text too."""
    inner = part.get("component") or part
    return [name for name in (inner.get("custom_id"), part.get("label")) if name]


def _filled(part: Payload, texts: Mapping[str, str]) -> Payload:
    if part.get("type") == ComponentKind.ACTION_ROW:
        return {"type": ComponentKind.ACTION_ROW, "components": [_filled(inner, texts) for inner in part["components"]]}
    if part.get("type") == ComponentKind.LABEL:
        field = part["component"]
        given = next((texts[name] for name in _names(part) if name in texts), None)
        return {"type": ComponentKind.LABEL, "component": _field(field, part.get("label") or "", given)}
    if part.get("type") == ComponentKind.TEXT_INPUT:
        given = next((texts[name] for name in _names(part) if name in texts), None)
        return _field(part, part.get("label") or "", given)
    return {"type": part.get("type")}


def _field(field: Payload, label: str, given: str | None) -> Payload:
    """Keep what the field was opened with unless something was typed."""
    value = field.get("value") or "" if given is None else given
    name = label or field["custom_id"]
    if field.get("required", True) and not value:
        raise RefusedByClientError(f"{name} is required.")
    least, most = field.get("min_length") or 0, field.get("max_length") or _TEXT_LIMIT
    if value and not least <= utf16_length(value) <= most:
        allowed = f"between {least} and {most}" if least else f"at most {most}"
        raise RefusedByClientError(f"{name} takes {allowed} characters, not {utf16_length(value)}.")
    if field.get("type") == ComponentKind.TEXT_INPUT:
        return {"type": ComponentKind.TEXT_INPUT, "custom_id": field["custom_id"], "value": value}
    return {"type": field["type"], "custom_id": field["custom_id"], "values": [value] if value else []}
