"""Who sees what: the certificate through each reader's eyes, at the HTTP door."""

from typing import Any

import pytest

from shared.rules.status import Status
from tests.services.certificates.conftest import House
from tests.services.certificates.world import (
    BELGIAN_CUSTOMS,
    BELGIAN_POST,
    BODY,
    CENTRE,
    CONSIGNEE,
    CUSTOMS,
    EUROPEAN_BODY,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OPS,
    OTHER_BODY,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    identity,
    line,
)

TWO_PRODUCERS: dict[str, Any] = {
    "product_lines": [line(1), line(2, producer=OTHER_PRODUCER, producer_control_body=OTHER_BODY)],
    "gross_weight": {"value": "2.5", "unit": "TNE"},
}
BOUND = {
    EXPORTER: ["CREATOR", "EXPORTER"],
    BODY: ["ISSUER"],
    IMPORTER: ["IMPORTER"],
    FORWARDER: ["RFL"],
    CONSIGNEE: ["CONSIGNEE"],
    POST: ["ENTRY_AUTHORITY"],
    CENTRE: ["CENTRAL_AUTHORITY"],
}
READERS = (PRODUCER, OTHER_PRODUCER, OTHER_BODY, EUROPEAN_BODY, CUSTOMS)
STRANGERS = (STRANGER, BELGIAN_POST, BELGIAN_CUSTOMS, OPS)
PATHS = ("", "/journal", "/journal/export", "/confirmation?action=sign")


async def statuses(house: House, certificate: str, readers: tuple[str, ...], path: str = "") -> set[int]:
    """What these readers are answered, as HTTP statuses."""
    return {(await house.door(each).get(f"/certificates/{certificate}{path}")).status_code for each in readers}


async def test_a_draft_is_seen_by_its_creator_alone(house: House) -> None:
    certificate = await house.draft(**TWO_PRODUCERS)
    assert await statuses(house, certificate, (EXPORTER,)) == {200}
    others = (*(set(BOUND) - {EXPORTER}), *READERS, *STRANGERS)
    for path in PATHS:
        assert await statuses(house, certificate, others, path) == {404}


async def test_a_deleted_draft_stays_as_hidden_as_it_was(house: House) -> None:
    certificate = await house.draft(**TWO_PRODUCERS)
    await house.move(certificate, "delete", EXPORTER, form={})
    assert await statuses(house, certificate, (EXPORTER,)) == {200}
    assert await statuses(house, certificate, (IMPORTER, BODY, *READERS, *STRANGERS)) == {404}


async def test_from_submission_on_all_who_are_named_see_it_and_nobody_else(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED, **TWO_PRODUCERS)
    for organisation, ties in BOUND.items():
        seen = await house.get(organisation, f"/certificates/{certificate}")
        assert seen["ties"] == sorted(ties)
    assert await statuses(house, certificate, READERS) == {200}
    for path in PATHS:
        assert await statuses(house, certificate, STRANGERS, path) == {404}


async def test_who_deleted_or_finished_it_still_sees_it(house: House) -> None:
    for status in (Status.CONSIGNMENT_VERIFIED, Status.FIRST_CONSIGNEE_SIGNED):
        certificate = await house.at(status)
        if status is Status.CONSIGNMENT_VERIFIED:
            await house.move(certificate, "delete", POST)
        assert await statuses(house, certificate, (*BOUND, CUSTOMS, PRODUCER)) == {200}


@pytest.mark.parametrize("malformed", ["1", "none", "%00", "{id}-", "é", "x" * 2000, "{ID}x"])
async def test_what_is_not_there_and_what_is_no_id_get_the_strangers_answer(house: House, malformed: str) -> None:
    certificate = await house.draft()
    answers = []
    for wrong in (certificate, identity(999), malformed.format(id=certificate, ID=certificate.upper())):
        answer = await house.door(STRANGER).get(f"/certificates/{wrong}")
        body = answer.json()
        answers.append((answer.status_code, answer.headers["content-type"], {**body, "correlation": ""}))
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1], answers[0][2]["code"]) == (404, "application/problem+json", "not_found")


async def test_a_producer_sees_his_own_lines_and_a_body_behind_one_sees_all(house: House) -> None:
    certificate = await house.at(Status.ISSUED, **TWO_PRODUCERS)
    for producer, body, number in ((PRODUCER, BODY, "1"), (OTHER_PRODUCER, OTHER_BODY, "2")):
        seen = await house.get(producer, f"/certificates/{certificate}")
        assert [each["id"] for each in seen["content"]["product_lines"]] == [number]
        assert (seen["content"]["producers"], seen["content"]["producers_control_bodies"]) == ([producer], [body])
        assert seen["may"] == {"edit": [], "do": []}
        assert (seen["ties"], seen["problems"]) == ([], [])
    first = await house.get(PRODUCER, f"/certificates/{certificate}")
    assert not {OTHER_PRODUCER, OTHER_BODY} & first["parties"].keys()
    for organisation in (OTHER_BODY, EUROPEAN_BODY, CUSTOMS, CONSIGNEE):
        seen = await house.get(organisation, f"/certificates/{certificate}")
        assert len(seen["content"]["product_lines"]) == 2


async def test_who_sees_a_part_gets_no_journal_which_tells_of_all(house: House) -> None:
    certificate = await house.at(Status.ISSUED, **TWO_PRODUCERS)
    for path in ("/journal", "/journal/export", "/confirmation?action=sign"):
        answer = await house.door(PRODUCER).get(f"/certificates/{certificate}{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert await statuses(house, certificate, (OTHER_BODY, CUSTOMS, EUROPEAN_BODY, CONSIGNEE), "/journal") == {200}
    alone = await house.at(Status.ISSUED)  # all of it is his
    assert await statuses(house, alone, (PRODUCER,), "/journal") == {200}


async def test_customs_read_what_is_cleared_in_their_country_once_it_is_submitted(house: House) -> None:
    draft = await house.draft()
    assert await statuses(house, draft, (CUSTOMS,)) == {404}
    await house.move(draft, "submit", EXPORTER)
    assert await statuses(house, draft, (CUSTOMS,)) == {200}
    assert await statuses(house, draft, (BELGIAN_CUSTOMS,)) == {404}
    await house.edit(draft, IMPORTER, clearance_country="BE", entry_authority=BELGIAN_POST)
    assert await statuses(house, draft, (CUSTOMS, POST, CENTRE)) == {404}
    assert await statuses(house, draft, (BELGIAN_CUSTOMS, BELGIAN_POST)) == {200}


async def test_each_reader_is_told_what_he_may_edit_and_do_now(house: House) -> None:
    draft = await house.draft()
    mine = await house.get(EXPORTER, f"/certificates/{draft}")
    assert mine["may"]["do"] == ["amend", "copy", "delete", "submit"]
    assert {"importer", "product_lines", "transport"} <= set(mine["may"]["edit"])
    certificate = await house.at(Status.ISSUED)
    do, edit = {}, {}
    for each in BOUND:
        may = (await house.get(each, f"/certificates/{certificate}"))["may"]
        do[each], edit[each] = may["do"], may["edit"]
    decide = ["amend", "open_batches", "record_checks", "reject", "release_conventional", "verify"]
    assert do == {
        EXPORTER: ["copy"],
        BODY: ["amend", "copy", "replace"],
        IMPORTER: ["amend", "copy"],
        FORWARDER: ["amend", "copy"],
        CONSIGNEE: ["copy"],
        POST: sorted([*decide, "start_customs_procedure"]),
        CENTRE: decide,
    }
    assert edit[IMPORTER] == [
        "arrival_at",
        "clearance_country",
        "entry_authority",
        "first_consignee",
        "release_by_batches",
        "responsible_for_load.add",
    ]
    assert edit[EXPORTER] == edit[CONSIGNEE] == []


async def test_whose_turn_it_is_since_when_and_until_when(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    awaited = (await house.get(BODY, f"/certificates/{certificate}"))["awaited"]
    assert (awaited["code"], awaited["mine"], awaited["clock"]) == ("await_box_18", True, "departed_unsigned")
    assert [each["name"] for each in awaited["organisations"]] == ["ECOCERT SA"]
    assert (awaited["since"], awaited["until"]) == ("2026-11-20T12:00:00Z", "2026-11-23T07:00:00Z")
    assert (await house.get(IMPORTER, f"/certificates/{certificate}"))["awaited"]["mine"] is False
    done = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    assert (await house.get(BODY, f"/certificates/{done}"))["awaited"] is None


async def test_what_stands_in_the_way_is_said_in_the_readers_language(house: House) -> None:
    goods = [line(lot=None, net_weight="-1")]
    certificate = await house.draft(importer=None, product_lines=goods, containers=["ABC"])
    english = (await house.get(EXPORTER, f"/certificates/{certificate}", "en"))["problems"]
    french = (await house.get(EXPORTER, f"/certificates/{certificate}", "fr"))["problems"]
    assert [(each["field"], each["box"], each["code"], each["severity"]) for each in english] == [
        ("importer", "11", "needed", "error"),
        ("product_lines[0].lot", "13", "needed", "error"),
        ("product_lines[0].net_weight", "13", "weight_not_positive", "error"),
        ("containers[0]", "14", "container_number_odd", "warning"),
    ]
    assert [each["code"] for each in french] == [each["code"] for each in english]
    assert english[0]["title"] == "Importer"
    assert french[0]["title"] == "Importateur"
    for one, other in zip(english, french, strict=True):
        assert one["message"] != other["message"]
        assert "{" not in one["message"] + other["message"]


async def test_a_problem_stands_at_the_number_of_the_certificates_own_form(house: House) -> None:
    content = {"issuing_body": BODY, "exporter": EXPORTER, "product_lines": [line(organic="organic")]}
    new = await house.drafted(content, model="COI_2022")
    boxes = {each["field"]: each["box"] for each in (await house.get(EXPORTER, f"/certificates/{new}"))["problems"]}
    assert (boxes["importer"], boxes["entry_authority"], boxes["countries_of_origin"]) == ("12", "10", "8")


async def test_a_certificate_says_who_signed_what(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    seen = await house.get(IMPORTER, f"/certificates/{certificate}")
    assert [(each["box"], each["action"], each["organisation"]["name"]) for each in seen["signatures"]] == [
        ("18", "sign", "ECOCERT SA"),
        ("20", "verify", "Perpignan"),
        ("21", "receive", "Garonne Bio"),
    ]
    assert seen["signatures"][0]["person"] == "Person of ECOCERT SA"
    assert seen["content"]["entry_checks"]["identity"] == "acceptable"


async def test_flags_stand_beside_the_status(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None, arrival_at=None)
    assert (await house.get(POST, f"/certificates/{certificate}"))["flags"] == []
    for days in (5, 3, 2):
        house.clock.forward(days=days)
        await house.ring(certificate)
    assert (await house.get(POST, f"/certificates/{certificate}"))["flags"] == ["completion_overdue"]
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-05T08:00:00Z")
    assert "prior_notified" in (await house.get(POST, f"/certificates/{certificate}"))["flags"]


async def test_a_confirmation_shows_the_whole_content_and_is_for_who_may_sign(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    shown = await house.get(BODY, f"/certificates/{certificate}/confirmation", action="sign")
    row = await house.row(certificate)
    assert (shown["revision"], shown["document"]["content"]) == (2, row.content)
    assert shown["document"]["organisations"][EXPORTER]["name"] == "Atlas Bio Export"
    assert shown["fingerprint"] == await house.fingerprint(certificate)
    assert [each["severity"] for each in shown["problems"]] == []
    for reader, action, status, code in (
        (IMPORTER, "sign", 403, "not_permitted"),
        (BODY, "verify", 403, "not_permitted"),
        (BODY, "delete", 422, "unknown_action"),
        (BODY, "explode", 422, "unknown_action"),
        (STRANGER, "sign", 404, "not_found"),
    ):
        answer = await house.door(reader).get(f"/certificates/{certificate}/confirmation", params={"action": action})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_journal_is_read_by_all_who_see_the_whole(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    told = await house.get(CONSIGNEE, f"/certificates/{certificate}/journal")
    assert [each["action"] for each in told["lines"]] == ["create", "submit", "sign"]
    assert (told["length"], told["head"]) == (3, told["lines"][-1]["hash"])
    assert told["lines"][1]["changes"] == {"number": [None, "COI.MA.2026.0000001"]}


async def test_ops_see_processes_and_no_content(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    assert await statuses(house, certificate, (OPS,)) == {404}
    seen = await house.get(OPS, f"/ops/certificates/{certificate}")
    assert (seen["status"], seen["workflow"]) == ("ISSUED", f"certificate-{certificate}")
    assert (seen["awaits"], seen["turn"]) == ("await_box_20", ["ENTRY_AUTHORITY"])
    assert "content" not in seen
    assert not {"Dattes", "Atlas", "ECOCERT"} & set(str(seen).split())
    waiting = await house.get(OPS, "/ops/outbox")
    assert {each["kind"] for each in waiting["waiting"]} == {"event"}
    for path in (f"/ops/certificates/{certificate}", "/ops/outbox"):
        assert (await house.door(EXPORTER).get(path)).status_code == 404
    for wrong in ("1", "%00", identity(999)):
        assert (await house.door(OPS).get(f"/ops/certificates/{wrong}")).status_code == 404


async def test_a_list_shows_the_parties_of_each_certificate(house: House) -> None:
    await house.at(Status.ISSUED)
    (shown,) = (await house.get(IMPORTER, "/certificates"))["items"]
    assert (shown["exporter"]["name"], shown["issuing_body"]["code"]) == ("Atlas Bio Export", "MA-BIO-154")
    assert (shown["goods"], shown["awaits_me"]) == ("Dattes Medjool biologiques", False)
    assert (await house.get(POST, "/certificates"))["items"][0]["awaits_me"] is True
    assert (await house.get(STRANGER, "/certificates"))["items"] == []
    assert len((await house.get(CUSTOMS, "/certificates"))["items"]) == 1
    assert (await house.get(BELGIAN_CUSTOMS, "/certificates"))["items"] == []
