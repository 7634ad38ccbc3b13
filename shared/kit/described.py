"""What a door's description (OpenAPI) says beside its routes: the token it wants, the headers, how a no is said.

One thing to remember: a door that is open to programs names the scope it asks; one that names none is for people.
"""

from collections.abc import Mapping
from typing import Any, Final

TOKEN: Final = "token"
METHODS: Final = ("get", "put", "post", "delete", "patch")
PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}

# fmt: off
HEADERS: Final = {
    "idempotency-key": ("A key of your own for this order, for instance a UUID. Sent again with the same order it has "
                        "no second effect and gets the first answer; with another order it is refused, `key_reused`.",
                        "6c1f0d5e-2b7a-4a55-9a4e-0f3f6a1d2b3c"),
    "accept-language": ("The language of what people read, `fr` or `en`; French when nothing is said.", "en"),
    "acting-for":      ("For people with several posts: the organisation they act for. A token acts for its own.",
                        "b7c62715-2973-5952-a394-dbb6db391b74"),
}
# fmt: on

SAID: Final = """Access is by a token of an organisation, which its administrators make in the portal under "Programs":
`Authorization: Bearer bdx_…`. Each door names the scope it asks: `read`, `draft` or `act`.

A no is `application/problem+json`: `code` is for programs and never changes, `title` is for people, in the language of
`Accept-Language`; `problems` names each field by its path. What is not yours and what is not there is the same
`404 not_found`. `429`, `503` and `504` may be sent again after a while, orders under the same key.

Every answer has a header `X-Correlation-Id`; please name it when you write to the support."""

SHAPE: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "Why something was refused (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:bordereau:problem:invalid"]},
        "title": {"type": "string", "description": "A sentence for people that says what to do."},
        "status": {"type": "integer", "examples": [422]},
        "code": {"type": "string", "description": "For programs; it never changes.", "examples": ["invalid"]},
        "correlation": {"type": "string"},
        "field": {"type": "string", "description": "The first place that is wrong."},
        "params": {"type": "object", "description": "What the sentence speaks of."},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "examples": ["product_lines[0].cn_code"]},
                    "box": {"type": ["integer", "null"], "description": "Its number on the certificate's own form."},
                    "title": {"type": "string", "description": "The title of the box."},
                    "code": {"type": "string", "examples": ["not_commodity"]},
                    "params": {"type": "object"},
                    "severity": {"type": "string", "enum": ["error", "warning"]},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def described(said: dict[str, Any], scopes: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The description that FastAPI made, completed."""
    said["info"].setdefault("description", SAID)
    parts = said.setdefault("components", {})
    parts["securitySchemes"] = {TOKEN: {"type": "http", "scheme": "bearer", "bearerFormat": "bdx_…"}}
    shapes = parts.setdefault("schemas", {})
    shapes["Problem"] = SHAPE
    for name in ("HTTPValidationError", "ValidationError"):
        shapes.pop(name, None)
    for path, doors in said.get("paths", {}).items():
        for method in METHODS:
            if method in doors:
                _complete(doors[method], scopes.get((method.upper(), path)))
    for doors in said.get("webhooks", {}).values():
        for each in doors.values():
            each["responses"].pop("422", None)
    return said


def _complete(door: dict[str, Any], scope: str | None) -> None:
    wanted = door.get("parameters", [])
    if any(each["name"].lower() == "authorization" for each in wanted):
        door["security"] = [{TOKEN: [str(scope)] if scope else []}]
    if scope:
        door["description"] = f"{door.get('description', '')}\n\nScope: `{scope}`.".strip()
    door["parameters"] = [each for each in wanted if each["name"].lower() != "authorization"]
    for each in door["parameters"]:
        if each["in"] == "header" and (known := HEADERS.get(each["name"].lower())):
            each["description"], each["example"] = known
    door["responses"].pop("422", None)
    content = {"application/problem+json": {"schema": PROBLEM}}
    door["responses"]["default"] = {"description": "Refused: why, and what to do.", "content": content}
