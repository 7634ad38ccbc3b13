"""Templates of an organisation, and copy as new from every status."""

import json
from typing import Any

import httpx2

from shared.rules.permissions import EVERYWHERE, Tie
from shared.rules.status import Action, Status
from tests.services.certificates import world
from tests.services.certificates.conftest import JSON, House, fresh
from tests.services.certificates.test_every_right import granted, standing, viewers

LEFT_OUT = {"containers", "seals", "transport", "gross_weight", "issuing_declaration", "entry_checks", "arrival_at"}
"""What neither a copy nor a template takes over."""


async def say(house: House, by: str, method: str, path: str, said: dict[str, Any] | None = None) -> httpx2.Response:
    """Something said about templates."""
    headers = {"Idempotency-Key": fresh(), **JSON}
    return await house.door(by).request(method, path, content=json.dumps(said or {}), headers=headers)


async def test_a_template_is_kept_shared_renamed_begun_from_and_thrown_away(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    wish = {"name": "  Dates\u2028to Perpignan ", "certificate_id": certificate_id}
    kept = await say(house, world.EXPORTER, "POST", "/templates", wish)
    assert kept.status_code == 201, kept.text
    (template,) = kept.json()["items"]
    assert (template["name"], template["exporter"]["id"]) == ("Dates to Perpignan", world.EXPORTER)
    again = await say(house, world.EXPORTER, "POST", "/templates", {**wish, "name": "dates to perpignan"})
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    here = f"/templates/{template['id']}"
    assert (await house.get(world.IMPORTER, "/templates"))["items"] == []
    for by in (world.IMPORTER, world.STRANGER):
        for method, path in (("PUT", here), ("DELETE", here), ("POST", f"{here}/certificates")):
            assert (await say(house, by, method, path, {"name": "Mine"})).status_code == 404
    renamed = await say(house, world.EXPORTER, "PUT", here, {"name": "Dates"})
    assert [each["name"] for each in renamed.json()["items"]] == ["Dates"]
    assert (await say(house, world.EXPORTER, "PUT", here, {"name": " "})).status_code == 422
    begun = await say(house, world.EXPORTER, "POST", f"{here}/certificates")
    assert (begun.status_code, begun.json()["status"], begun.json()["number"]) == (201, "DRAFT", None)
    content = begun.json()["content"]
    assert content["exporter"] == world.EXPORTER
    assert not LEFT_OUT & content.keys()
    assert [line.get("lot") for line in content["product_lines"]] == [None] * len(content["product_lines"])
    assert (await say(house, world.EXPORTER, "DELETE", here)).json()["items"] == []
    assert (await house.get(world.EXPORTER, f"/certificates/{begun.json()['id']}"))["status"] == "DRAFT"


async def test_who_may_not_begin_certificates_keeps_no_template(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    for by, status in ((world.POST, 403), (world.CONSIGNEE, 403), (world.STRANGER, 404), (world.BODY, 201)):
        wish = {"name": "Dates", "certificate_id": certificate_id}
        assert (await say(house, by, "POST", "/templates", wish)).status_code == status, by


async def test_copy_as_new_from_every_status_by_those_the_table_names(house: House) -> None:
    assert {tie for tie, cell in EVERYWHERE.items() if Action.COPY in cell.do} == set(Tie) - {
        Tie.ENTRY_AUTHORITY,
        Tie.CENTRAL_AUTHORITY,
    }
    may_begin = {world.EXPORTER, world.IMPORTER, world.BODY, world.STRANGER}
    for status in Status:
        certificate_id = await standing(house, status, world.IMPORTER)
        for by, ties in viewers(world.IMPORTER).items():
            _, do = granted(status, ties)
            sees = Tie.CREATOR in ties if status is Status.DRAFT else bool(ties - {Tie.CREATOR})
            answer = await say(house, by, "POST", f"/certificates/{certificate_id}/copies")
            if not sees:
                assert answer.status_code == 404
            elif Action.COPY in do and by in may_begin:
                assert (answer.status_code, answer.json()["status"]) == (201, "DRAFT"), (status, by)
                assert not LEFT_OUT & answer.json()["content"].keys()
            else:
                assert answer.status_code == 403, (status, by)
