"""Requests that a service's own description (OpenAPI) allows, made up by schemathesis; none may be answered with 5xx.

One thing to remember: the requests are made before the service is asked, so they are the same in every run, and sent
one after the other to the application in this process. ``BORDEREAU_REQUESTS`` (a number for each door) makes it longer.
"""

import json
import os
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok

EACH = int(os.environ.get("BORDEREAU_REQUESTS", "2"))
"""Made-up requests for each door."""
OURS = ("authorization", "acting-for", "accept-language")
"""Headers that say who asks: the test's own."""


def made_up(app: FastAPI, each: int = EACH) -> list[Case[Any]]:
    """Some requests for every door of an application."""
    found: list[Case[Any]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for result in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
            assert isinstance(result, Ok), result
            strategy = result.ok().as_strategy()

            @settings(
                max_examples=each,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=strategy)
            def collect(case: Case[Any]) -> None:
                found.append(case)

            collect()
    return found


async def answers(
    client: httpx2.AsyncClient, cases: list[Case[Any]], who: Mapping[str, str], known: Mapping[str, str]
) -> list[str]:
    """What each request was answered that was answered with 5xx; ids in addresses are those of things there are."""
    broken = []
    for number, case in enumerate(cases):
        path = case.path
        for name, value in (case.path_parameters or {}).items():
            real = known.get(name) if number % 2 == 0 else None
            path = path.replace(f"{{{name}}}", quote(str(real or value), safe=""))
        headers = {name: str(value) for name, value in (case.headers or {}).items() if name.lower() not in OURS} | dict(
            who
        )
        said = case.body if isinstance(case.body, (dict, list, str, bytes, int, float, bool)) else None
        content = said if isinstance(said, bytes) else json.dumps(said).encode() if said is not None else None
        line = f"{case.method} {path} {case.query} {str(said)[:300]}"
        try:
            answer = await client.request(
                case.method, path, params=_flat(case.query or {}), headers=_sent(headers), content=content
            )
        except httpx2.InvalidURL:
            continue
        except Exception as bug:
            broken.append(f"{line} -> {type(bug).__name__}: {bug}"[:600])
            continue
        if answer.status_code >= 500:
            broken.append(f"{line} -> {answer.status_code} {answer.text[:200]}")
    return broken


def _flat(query: Mapping[str, Any]) -> list[tuple[str, str | int | float | bool | None]]:
    pairs = ((name, each) for name, value in query.items() for each in (value if isinstance(value, list) else [value]))
    return [(name, str(each)) for name, each in pairs if each is not None]


def _sent(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    made = {"content-type": "application/json", **{name.lower(): value for name, value in headers.items()}}
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in made.items()]
