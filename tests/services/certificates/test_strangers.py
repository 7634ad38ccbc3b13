"""Every door of a certificate and of an extract, and every kind of stranger before it: whoever may not see it hears
exactly what he hears of something that is not there.

One thing to remember: the doors are read off the app, so a new one stands in this table before anybody thinks of it.
"""

import re
from typing import Any

import pytest

from shared.rules.status import Status
from tests.services.certificates.batches import base, begun, move
from tests.services.certificates.conftest import JSON, House, fresh
from tests.services.certificates.test_views import BOUND, READERS, STRANGERS, TWO_PRODUCERS
from tests.services.certificates.world import CONSIGNEE, EXPORTER, IMPORTER, identity

# fmt: off
BODIES: dict[str, dict[str, Any]] = {
    "/boxes": {"revision": 1, "changes": {"national_reference": "N"}}, "/copies": {},
    "/actions": {"action": "delete", "revision": 1, "form": {"reason": "mine"}},
    "/extracts": {"content": {}},
}
"""What is sent where something well formed has to be sent for the door to look who is there."""
# fmt: on
QUERY = "?action=sign"
WHO: dict[str, tuple[str, ...]] = {
    "a draft of somebody else": (*sorted(set(BOUND) - {EXPORTER}), *READERS, *STRANGERS),
    "a certificate of others": STRANGERS,
}


def doors(house: House, thing: str) -> list[tuple[str, str]]:
    """Method and path of every door behind which there is one thing of this kind."""
    found = house.app.openapi()["paths"]
    return [
        (method.upper(), path)
        for path, methods in sorted(found.items())
        if f"{{{thing}}}" in path and not path.startswith("/ops")
        for method in methods
    ]


async def answer(house: House, by: str | None, method: str, path: str, thing: str, known: str) -> tuple[int, str]:
    """Status and code of what this organisation hears of a thing; nobody is signed in as None."""
    where = path.replace(f"{{{thing}}}", known).replace("{format}", "csv")
    where = re.sub(r"\{\w+\}", identity(998), where)
    body = next((each for end, each in BODIES.items() if path.endswith(end)), {}) if method != "GET" else None
    headers = {"Idempotency-Key": fresh(), **(JSON if body is not None else {})}
    if by is None:
        headers["Authorization"] = ""
    said = await house.door(by or EXPORTER).request(method, where + QUERY, json=body, headers=headers)
    return said.status_code, "" if said.is_success else str(said.json()["code"])


async def assert_hidden(house: House, thing: str, known: str, strangers: tuple[str, ...]) -> int:
    """Every stranger before every door; at how many doors he was looked at, and not what he sent."""
    looked = 0
    for method, path in doors(house, thing):
        assert (await answer(house, None, method, path, thing, known))[0] == 401, path
        absent = await answer(house, strangers[0], method, path, thing, identity(999))
        assert absent[0] in ((404,) if method == "GET" else (404, 422)), (path, absent)
        looked += absent[0] == 404
        for by in strangers:
            assert await answer(house, by, method, path, thing, known) == absent, (method, path, by)
    return looked


@pytest.mark.parametrize("kind", WHO)
async def test_no_door_of_a_certificate_tells_a_stranger_that_it_is_there(house: House, kind: str) -> None:
    draft = kind == "a draft of somebody else"
    certificate = (
        await house.draft(**TWO_PRODUCERS) if draft else await house.at(Status.CONSIGNMENT_VERIFIED, **TWO_PRODUCERS)
    )
    looked = await assert_hidden(house, "certificate_id", certificate, WHO[kind])
    assert looked >= 15, "most doors look who is there before anything else"


async def test_no_door_of_an_extract_tells_a_stranger_that_it_is_there(house: House) -> None:
    extract = await begun(house, await base(house))
    assert await assert_hidden(house, "extract_id", extract, (CONSIGNEE, EXPORTER, *STRANGERS)) >= 7
    await move(house, extract, "submit", IMPORTER)
    assert await assert_hidden(house, "extract_id", extract, (EXPORTER, *STRANGERS)) >= 7


async def test_no_list_of_a_stranger_names_it(house: House) -> None:
    await house.draft(**TWO_PRODUCERS)
    await house.at(Status.DESCRIPTION_COMPLETED, **TWO_PRODUCERS)
    for by in STRANGERS:
        page = await house.get(by, "/certificates")
        assert page["items"] == []
        assert not any(page.get("counts", {}).values())
    for by in (IMPORTER, *READERS):
        assert {each["status"] for each in (await house.get(by, "/certificates"))["items"]} == {"DESCRIPTION_COMPLETED"}
