"""Extracts for their readers: who sees what, and what the door says."""

from typing import Any

import pytest

from tests.services.certificates import world
from tests.services.certificates.batches import TWO_LINES, base, begun, move, part, row_of
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    CUSTOMS,
    EXPORTER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
)

# ── who sees what ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_consignee_sees_his_batch_and_never_another(house: House) -> None:
    certificate = await base(house, product_lines=TWO_LINES, gross_weight={"value": "2200", "unit": "KGM"})
    mine = await begun(house, certificate)
    other = await begun(house, certificate, consignee=STRANGER, product_lines=part(5, "50", number=2))
    paths = (f"/extracts/{mine}", f"/extracts/{other}", f"/certificates/{certificate}")

    async def answers(by: str) -> list[int]:
        return [(await house.door(by).get(path)).status_code for path in paths]

    assert await answers(CONSIGNEE) == [404, 404, 404]  # not submitted yet
    await move(house, mine, "submit", IMPORTER)
    await move(house, other, "submit", IMPORTER)
    assert await answers(CONSIGNEE) == [200, 404, 404]
    assert await answers(STRANGER) == [404, 200, 404]
    assert await answers(IMPORTER) == [200, 200, 200]
    assert await answers(CUSTOMS) == [200, 200, 200]
    assert (await answers(EXPORTER))[:2] == [404, 404]
    shown = await house.get(CONSIGNEE, f"/extracts/{mine}")
    assert [each["id"] for each in shown["parent"]["content"]["product_lines"]] == ["1"]
    assert shown["parent"]["content"]["producers"] == [PRODUCER]
    assert (shown["left"], shown["parent"]["whole"]) == ([], False)
    assert not {"gross_weight", "containers", "responsible_for_load"} & shown["parent"]["content"].keys()
    assert OTHER_PRODUCER not in shown["parties"]
    assert [each["id"] for each in (await house.get(CONSIGNEE, "/extracts"))["items"]] == [mine]
    assert len((await house.get(IMPORTER, f"/certificates/{certificate}/extracts"))["items"]) == 2
    assert (await house.get(EXPORTER, f"/certificates/{certificate}/extracts"))["items"] == []


async def test_whose_turn_it_is(house: House) -> None:
    extract = await begun(house, await base(house))
    await move(house, extract, "submit", IMPORTER)
    for by, turn in ((POST, 1), (IMPORTER, 0), (CONSIGNEE, 0)):
        assert len((await house.get(by, "/extracts", awaits_me=True))["items"]) == turn
    await move(house, extract, "verify", CENTRE)
    assert len((await house.get(CONSIGNEE, "/extracts", awaits_me=True))["items"]) == 1


async def test_the_goods_are_traced_both_ways(house: House) -> None:
    certificate = await base(house, product_lines=TWO_LINES, gross_weight={"value": "2200", "unit": "KGM"})
    first = await begun(house, certificate)
    second = await begun(house, certificate, consignee=STRANGER, product_lines=part(5, "50", number=2))
    for each in (first, second):
        await move(house, each, "submit", IMPORTER)
    back = await house.get(CONSIGNEE, f"/extracts/{first}/trace")
    assert [(each["role"], each["organisation"]["id"]) for each in back["steps"]] == [
        ("producer", PRODUCER),
        ("producer_control_body", BODY),
        ("exporter", EXPORTER),
        ("issuing_body", BODY),
        ("importer", IMPORTER),
        ("entry_authority", POST),
        ("entry_authority", POST),
        ("consignee", CONSIGNEE),
    ]
    forth = await house.get(POST, f"/certificates/{certificate}/trace")
    assert [each["organisation"]["id"] for each in forth["steps"] if each["role"] == "consignee"] == [
        CONSIGNEE,
        STRANGER,
    ]
    hidden = await house.get(EXPORTER, f"/certificates/{certificate}/trace")
    assert "consignee" not in {each["role"] for each in hidden["steps"]}


# ── at the door ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_extract_at_the_door(house: House) -> None:
    certificate = await base(house)
    answer = await house.door(IMPORTER).post(
        f"/certificates/{certificate}/extracts",
        json={"content": {"consignee": CONSIGNEE}},
        headers={"Idempotency-Key": fresh()},
    )
    assert answer.status_code == 201, answer.text
    extract = answer.json()
    assert extract["may"]["do"] == ["delete", "submit"]
    assert [each["code"] for each in extract["problems"]] == ["needed"]
    answer = await house.door(IMPORTER).put(
        f"/extracts/{extract['id']}/boxes",
        json={"revision": 1, "changes": {"product_lines": part()}},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["problems"]) == (200, [])
    key = fresh()
    for _ in range(2):
        answer = await house.door(IMPORTER).post(
            f"/extracts/{extract['id']}/actions",
            json={"action": "submit", "revision": 2},
            headers={"Idempotency-Key": key},
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "EXT_SUBMITTED"), answer.text
    state = await house.get(IMPORTER, f"/orders/{key}")
    assert (state["extract_id"], state["certificate_id"], state["status"]) == (extract["id"], None, "EXT_SUBMITTED")
    shown = await house.get(POST, f"/extracts/{extract['id']}/confirmation", action="verify")
    answer = await house.door(POST).post(
        f"/extracts/{extract['id']}/actions",
        json={"action": "verify", "revision": shown["revision"], "fingerprint": shown["fingerprint"], "form": {}},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "EXT_VERIFIED"), answer.text
    assert len((await house.get(POST, f"/extracts/{extract['id']}/journal"))["lines"]) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"importer": IMPORTER}, "importer"),
        ({"consignee": 5}, "consignee"),
        ({"consignee": world.identity(997)}, "consignee"),
        ({"product_lines": {}}, "product_lines"),
        ({"product_lines": [{"id": "1", "lot": "X"}]}, "product_lines[0].lot"),
        ({"product_lines": [{"id": "1", "net_weight": 5}]}, "product_lines[0].net_weight"),
        ({"product_lines": [{"id": "1"}, {"id": "1"}]}, "product_lines"),
    ],
)
async def test_bad_input_is_refused_with_its_field(house: House, changes: dict[str, Any], field: str) -> None:
    extract = await begun(house, await base(house))
    answer = await house.door(IMPORTER).put(
        f"/extracts/{extract}/boxes",
        json={"revision": 1, "changes": changes},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
    assert (await row_of(house, extract)).revision == 1


async def test_what_is_no_extract_is_not_there(house: House) -> None:
    certificate = await base(house)
    for wrong in (certificate, world.identity(999), "x", "E01"):
        for path in ("", "/trace", "/journal", "/confirmation?action=verify"):
            assert (await house.door(IMPORTER).get(f"/extracts/{wrong}{path}")).status_code == 404
