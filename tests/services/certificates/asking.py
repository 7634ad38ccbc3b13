"""Requests at the door exactly as somebody writes them, and the refusals they get."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tests.services.certificates.conftest import JSON, House, fresh
from tests.services.certificates.world import (
    EXPORTER,
)

DEEP = '{"a":' * 600 + "1" + "}" * 600
DEEPER = "[" * 100_000 + "]" * 100_000
LONE = '"\\ud800"'


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """The body of a refusal, which must be a problem as it should be."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:bordereau:problem:{body['code']}"
    assert "{" not in body["title"]
    return body


async def send(
    house: House,
    method: str,
    path: str,
    body: str | bytes | AsyncIterator[bytes],
    *,
    by: str = EXPORTER,
    language: str = "en",
    key: str | None = "",
    **headers: str,
) -> httpx2.Response:
    """One request with exactly this body."""
    sent = {**JSON, **headers}
    if key is not None:
        sent["Idempotency-Key"] = key or fresh()
    return await house.door(by, language).request(method, path, content=body, headers=sent)


def new(content: dict[str, Any], **more: Any) -> str:
    """The body of a new certificate."""
    return json.dumps({"content": content, **more})
