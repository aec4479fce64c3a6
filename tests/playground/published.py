"""What Discord publishes about its payloads, as types: those of discord-typings, and what is newer than they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NotRequired, TypeAlias

import discord_typings
from pydantic import TypeAdapter
from typing_extensions import TypeAliasType, TypedDict

Json: TypeAlias = Any
Kind: TypeAlias = Any
Part: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the documentation says otherwise than discord-typings: a part is given the form that the types know."""

    reason: str
    concerns: Callable[[Part], object]
    as_typed: Callable[[Part], Part]


_NEWEST_TYPED_COMPONENT = 8
_BY_INTEGRATION_TYPE = {"authorizing_integration_owners", "integration_types_config"}

DIFFERENCES = (
    Difference(
        "keys of JSON objects are strings, also where they are numbers",
        lambda part: part.keys() & _BY_INTEGRATION_TYPE,
        lambda part: {
            name: {int(key): value for key, value in part[name].items()} for name in part.keys() & _BY_INTEGRATION_TYPE
        },
    ),
    Difference(
        "a select sends the values that were chosen, not the options",
        lambda part: "values" in part and "component_type" in part,
        lambda part: {"values": [{"label": value, "value": value} for value in part["values"]]},
    ),
    Difference(
        "an interaction's guild is a partial one: id, locale and features",
        lambda part: "guild_locale" in part and "guild" in part,
        lambda part: {"guild": part["guild"] | {"name": "", "icon": None, "owner": False, "permissions": "0"}},
    ),
    Difference(
        "a direct message channel has no name",
        lambda part: "recipients" in part and part.get("type") == 1,
        lambda part: {"name": ""},
    ),
    Difference(
        "the field is total_message_sent",
        lambda part: "total_message_sent" in part,
        lambda part: {"total_messages_sent": part["total_message_sent"]},
    ),
    Difference(
        "unavailable is there only if the guild was or is unavailable",
        lambda part: part.keys() == {"id"} or ("joined_at" in part and "roles" in part and "owner_id" in part),
        lambda part: {"unavailable": part.get("unavailable", False)},
    ),
    Difference(
        "addresses that an application has not set are null",
        lambda part: "verify_key" in part,
        lambda part: {"interactions_endpoint_url": "", "role_connections_verification_url": ""},
    ),
    Difference(
        "components have an id, and there are newer ones (texts, files, labels), which are checked by themselves",
        lambda part: "components" in part,
        lambda part: {
            "components": [one for one in part["components"] if one.get("type", 0) <= _NEWEST_TYPED_COMPONENT]
        },
    ),
    Difference(
        "what a modal sends has no component_type, and its inputs neither style nor label",
        lambda part: part.keys() == {"custom_id", "components"},
        lambda part: {"component_type": 4},
    ),
    Difference(
        "a text input in a submitted modal is only its value",
        lambda part: part.get("type") == 4 and "value" in part and "custom_id" in part,
        lambda part: {"style": 1, "label": ""},
    ),
)


def as_typed(payload: Json, *, besides: Difference | None = None) -> Json:
    """Give every part of a payload the form that discord-typings knows, `besides` one difference."""
    if isinstance(payload, list):
        return [as_typed(part, besides=besides) for part in payload]
    if not isinstance(payload, dict):
        return payload
    part = {key: as_typed(value, besides=besides) for key, value in payload.items()}
    for difference in DIFFERENCES:
        if difference is not besides and difference.concerns(part):
            part |= difference.as_typed(part)
    return part


@cache
def adapter(kind: Kind) -> TypeAdapter[Json]:
    return TypeAdapter(kind)


def check(kind: Kind, payload: Json) -> None:
    """Raise pydantic's ValidationError unless the payload is of this kind."""
    adapter(kind).validate_python(as_typed(payload))
    for component in _components_in(payload):
        if component["type"] > _NEWEST_TYPED_COMPONENT:
            adapter(NEWER_COMPONENTS[component["type"]]).validate_python(component)


def _components_in(payload: Json) -> Iterator[Part]:
    if isinstance(payload, list):
        for part in payload:
            yield from _components_in(part)
    elif isinstance(payload, dict):
        for key, value in payload.items():
            yield from value if key == "components" else ()
            yield from _components_in(value)


def kind_of_event(name: str) -> Kind:
    """Return the type of a gateway event: MESSAGE_CREATE is MessageCreateData."""
    kind = getattr(discord_typings, f"{name.title().replace('_', '')}Data")
    return getattr(discord_typings, kind.rpartition(".")[2]) if isinstance(kind, str) else kind


# Newer than discord-typings, or not in it.


ErrorTree = TypeAliasType("ErrorTree", "discord_typings.InnerHTTPErrorsData | dict[str, ErrorTree]")


class ErrorBody(TypedDict):
    """Error messages; the tree of errors is in "Invalid Form Body" only."""

    code: int
    message: str
    errors: NotRequired[ErrorTree]


# Rate limits, "Rate Limit Response Structure"; one of its fields is named as no attribute can be.
RateLimitBody = TypedDict(
    "RateLimitBody", {"message": str, "retry_after": float, "global": bool, "code": NotRequired[int]}
)


class _TextDisplay(TypedDict):
    id: int
    type: Literal[10]
    content: str


class _Media(TypedDict):
    id: str
    url: str
    proxy_url: str
    content_type: NotRequired[str]
    attachment_id: NotRequired[str]


class _FileDisplay(TypedDict):
    id: int
    type: Literal[13]
    file: _Media
    name: str
    size: int


class _SubmittedField(TypedDict):
    type: int
    custom_id: str


class _SubmittedLabel(TypedDict):
    type: Literal[18]
    component: _SubmittedField


NEWER_COMPONENTS = {10: _TextDisplay, 13: _FileDisplay, 18: _SubmittedLabel}


class _CallbackInteraction(TypedDict):
    id: str
    type: int
    activity_instance_id: NotRequired[str]
    response_message_id: NotRequired[str]
    response_message_loading: NotRequired[bool]
    response_message_ephemeral: NotRequired[bool]


class _CallbackResource(TypedDict):
    type: int
    message: discord_typings.MessageData


class CallbackResponse(TypedDict):
    """Receiving and responding, "Interaction Callback Response Object"."""

    interaction: _CallbackInteraction
    resource: NotRequired[_CallbackResource]


class ActiveThreads(TypedDict):
    """Guild, "List Active Guild Threads"."""

    threads: list[discord_typings.ThreadChannelData]
    members: list[discord_typings.ThreadMemberData]
