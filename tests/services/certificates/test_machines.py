"""Searches kept, lists as files, many drafts at once, and the quantities customs write off."""

import asyncio
import csv
from io import BytesIO, StringIO
from typing import Any

from openpyxl import load_workbook

from services.certificates import exports
from services.certificates.exports import COLUMNS, STATUSES, say
from shared.rules.status import Status
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.world import (
    BELGIAN_CUSTOMS,
    CUSTOMS,
    EXPORTER,
    IMPORTER,
    POST,
    STRANGER,
    boxes,
    line,
)

EVIL = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", " =1")


async def sent(house: House, who: str, method: str, path: str, key: str = "", **body: Any) -> Any:
    """An answer of the door, whatever it is."""
    headers = {"Idempotency-Key": key or fresh()}
    return await house.door(who).request(method, path, json=body or None, headers=headers)


# ── searches ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_search_is_kept_once_shared_and_given_up(house: House) -> None:
    body = {"name": " On their way ", "query": {"status": ["ISSUED"], "goods": "dattes", "limit": 5}, "shared": False}
    key = fresh()
    made = [await sent(house, EXPORTER, "POST", "/searches", key, **body) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    first = made[0].json()
    assert made[1].json() == first
    assert (first["name"], first["query"]) == ("On their way", {"status": ["ISSUED"], "goods": "dattes"})
    other = await sent(house, EXPORTER, "POST", "/searches", key, **{**body, "shared": True})
    assert other.json()["code"] == "key_reused"
    assert [each["id"] for each in await house.get(EXPORTER, "/searches")] == [first["id"]]
    assert await house.get(IMPORTER, "/searches") == []
    shared = await sent(house, EXPORTER, "PUT", f"/searches/{first['id']}", shared=True)
    assert shared.json()["shared"] is True
    assert (await sent(house, IMPORTER, "PUT", f"/searches/{first['id']}", shared=True)).status_code == 404
    await sent(house, IMPORTER, "DELETE", f"/searches/{first['id']}")
    assert len(await house.get(EXPORTER, "/searches")) == 1
    assert (await sent(house, EXPORTER, "DELETE", f"/searches/{first['id']}")).status_code == 204
    assert await house.get(EXPORTER, "/searches") == []


async def test_a_search_that_no_list_understands_is_refused(house: House) -> None:
    for query in ({"colour": "red"}, {"status": ["SIGNED"]}, {"created_from": "yesterday"}, {"lot": 7}):
        answer = await sent(house, EXPORTER, "POST", "/searches", name="x", query=query)
        assert (answer.status_code, answer.json()["field"].partition(".")[0]) == (422, "query"), query


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_csv(body: bytes, separator: str) -> list[list[str]]:
    return list(csv.reader(StringIO(body.decode("utf-8-sig")), delimiter=separator))


async def test_a_list_is_exported_as_it_is_shown(house: House) -> None:
    for name in ("Dattes Medjool", *EVIL):
        await house.at(Status.ISSUED, product_lines=[line(trade_name=name)])
        house.clock.forward(minutes=1)
    await house.draft()
    page = await house.get(POST, "/certificates", status=["ISSUED"])
    for language, separator in (("fr", ";"), ("en", ",")):
        answer = await house.door(POST, language).get("/lists/certificates.csv", params={"status": "ISSUED"})
        head, *rows = read_csv(answer.content, separator)
        assert head == [say(column.title, language) for column in COLUMNS]
        assert [row[0] for row in rows] == [each["number"] for each in page["items"]]
        assert {row[1] for row in rows} == {say(STATUSES[Status.ISSUED], language)}
        assert {row[2] for row in rows} == {say("yes", language)}
        assert all(not row[3].strip().startswith(("=", "+", "-", "@")) for row in rows)
        assert "attachment" in answer.headers["content-disposition"]
    answer = await house.door(POST, "fr").get("/lists/certificates.xlsx", params={"status": "ISSUED"})
    sheet = load_workbook(BytesIO(answer.content)).active
    assert sheet is not None
    cells = list(sheet.iter_rows(min_row=2))
    assert [row[0].value for row in cells] == [each["number"] for each in page["items"]]
    assert {row[3].data_type for row in cells} == {"s"}
    assert {row[6].data_type for row in cells} == {"d"}


async def test_an_export_respects_who_may_see_what(house: House) -> None:
    await house.at(Status.ISSUED)
    answer = await house.door(STRANGER).get("/lists/certificates.csv")
    assert len(read_csv(answer.content, ",")) == 1
    assert (await house.door(STRANGER).get("/lists/certificates.pdf")).status_code == 422
    assert (await house.door(STRANGER).get("/lists/certificates.csv", params={"colour": "red"})).status_code == 422


def test_every_word_of_a_file_is_translated() -> None:
    said = [column.title for column in COLUMNS] + list(STATUSES.values()) + ["yes", "Draft", "Certificates"]
    assert set(STATUSES) == set(Status)
    assert {each for each in said if say(each, "fr") == each} == set()
    assert set(exports._words("fr")) == set(said)


# ── many drafts ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_of_many_drafts_each_is_made_or_refused_by_itself_and_never_twice(house: House) -> None:
    drafts = [
        {"content": boxes()},
        {"content": {"exporter": EXPORTER}},
        {"form_model": "COI_1999", "content": boxes()},
        {"content": boxes(containers=["MSKU1234565"])},
    ]
    key = fresh()
    first, again = [await sent(house, EXPORTER, "POST", "/certificates/bulk", key, drafts=drafts) for _ in range(2)]
    told = first.json()
    assert (first.status_code, told["created"], told["refused"]) == (200, 2, 2)
    assert [each["status"] for each in told["results"]] == ["created", "refused", "refused", "created"]
    assert [each["problem"]["code"] for each in told["results"][1:3]] == ["incomplete", "invalid"]
    assert [each["id"] for each in again.json()["results"]] == [each["id"] for each in told["results"]]
    assert await house.one("SELECT count(*) FROM certificate") == 2
    assert (await sent(house, EXPORTER, "POST", "/certificates/bulk", drafts=[])).status_code == 422


# ── customs ───────────────────────────────────────────────────────────────────────────────────────────────────────

NUMBER = "COI.MA.2026.0000001"
TAKE: dict[str, Any] = {
    "declaration": "26FR000123456789A1",
    "lines": [{"line": "1", "net_weight": "250.5", "packages": 25}],
}


async def test_customs_ask_by_number_and_write_off_once_per_key(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    path = f"/customs/coi/{NUMBER}"
    before = await house.get(CUSTOMS, path)
    assert (before["released_as"], before["lines"][0]["released"], before["document_code"]) == (None, "0", "C644")
    refused = await sent(house, CUSTOMS, "POST", f"{path}/write-offs", **TAKE)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    await house.move(certificate_id, "verify", POST)
    key, revision = fresh(), (await house.row(certificate_id)).revision
    for _ in range(2):
        answer = await sent(house, CUSTOMS, "POST", f"{path}/write-offs", key, **TAKE)
        assert answer.status_code == 201, answer.text
        (left,) = answer.json()["lines"]
        assert (float(left["released"]), float(left["written_off"]), float(left["remaining"])) == (1000, 250.5, 749.5)
        assert left["packages_remaining"] == 75
    other = await sent(house, CUSTOMS, "POST", f"{path}/write-offs", key, **{**TAKE, "declaration": "another"})
    assert other.json()["code"] == "key_reused"
    last = (await house.journal(certificate_id))[-1]
    assert (last.action, last.form["declaration"], last.organisation_id) == (
        "write_off", TAKE["declaration"], CUSTOMS,
    )  # fmt: skip
    assert (await house.row(certificate_id)).revision == revision
    await house.move(certificate_id, "receive", (await house.row(certificate_id)).first_consignee or "")


async def test_never_more_is_written_off_than_was_released(house: House) -> None:
    certificate_id = await house.at(Status.CONSIGNMENT_VERIFIED)
    path = f"/customs/coi/{NUMBER}/write-offs"
    wish: dict[str, Any] = {"declaration": "D", "lines": [{"line": "1", "net_weight": "300"}]}
    answers = await asyncio.gather(*(sent(house, CUSTOMS, "POST", path, **wish) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201, 201, 201, 422, 422, 422]
    problem = next(each for each in answers if each.status_code == 422).json()["problems"][0]
    assert (problem["field"], problem["code"], problem["params"]["left"]) == (
        "lines[0].net_weight", "more_than_left", "100.000",
    )  # fmt: skip
    assert await house.one("SELECT sum(net_weight) FROM write_off WHERE coi_id = :id", id=certificate_id) == 900
    for wrong in ([{"line": "9", "net_weight": "1"}], [{"line": "1", "net_weight": "1"}] * 2):
        assert (await sent(house, CUSTOMS, "POST", path, declaration="D", lines=wrong)).status_code == 422


async def test_nobody_but_the_authorities_concerned_asks_by_number(house: House) -> None:
    await house.at(Status.CONSIGNMENT_VERIFIED)
    for who in (EXPORTER, IMPORTER, STRANGER, BELGIAN_CUSTOMS):
        for number in (NUMBER, "COI.MA.2026.0000009", "%00"):
            assert (await house.door(who).get(f"/customs/coi/{number}")).status_code == 404
        assert (await sent(house, who, "POST", f"/customs/coi/{NUMBER}/write-offs", **TAKE)).status_code == 404


async def test_the_border_authority_reads_but_only_customs_write_off(house: House) -> None:
    await house.at(Status.CONSIGNMENT_VERIFIED)
    assert (await house.get(POST, f"/customs/coi/{NUMBER}"))["may_write_off"] is False
    assert (await sent(house, POST, "POST", f"/customs/coi/{NUMBER}/write-offs", **TAKE)).status_code == 403


async def test_a_certificate_in_batches_names_its_extracts_and_these_are_written_off(house: House) -> None:
    certificate_id = await house.draft(first_consignee=None, release_by_batches=True)
    for action, by in (("submit", EXPORTER), ("sign", boxes()["issuing_body"]), ("open_batches", POST)):
        await house.move(certificate_id, action, by)
    told = await house.get(CUSTOMS, f"/customs/coi/{NUMBER}")
    assert (told["kind"], told["released_as"], told["extracts"]) == ("certificate", None, [])
    refused = await sent(house, CUSTOMS, "POST", f"/customs/coi/{NUMBER}/write-offs", **TAKE)
    assert refused.json()["code"] == "wrong_status"
