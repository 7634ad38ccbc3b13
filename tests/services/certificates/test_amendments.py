"""Amendments: what may still be changed, by whom, and what follows from it."""

from datetime import UTC, datetime

from shared.contracts.certificates import life_id
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BELGIAN_POST,
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    line,
)


async def test_after_box_18_the_body_may_change_packages_and_nothing_else_of_box_13(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    (goods,) = (await house.row(certificate)).content["product_lines"]
    assert await house.edit(certificate, BODY, product_lines=[{**goods, "packages": 90, "package_type": "BX"}]) == 4
    for part, value in (("net_weight", "900"), ("lot", "L-9"), ("cn_code", "08044000"), ("trade_name", "Autres")):
        details = await refused(
            "not_permitted", house.edit(certificate, BODY, product_lines=[{**goods, "packages": 90, part: value}])
        )
        assert details["field"] == f"product_lines.{part}"
    details = await refused("not_permitted", house.edit(certificate, BODY, product_lines=[goods, line(2)]))
    assert details["field"] == "product_lines"
    details = await refused("not_permitted", house.edit(certificate, BODY, first_consignee=IMPORTER))
    assert details["field"] == "first_consignee"


async def test_the_importer_routes_and_adds_who_is_responsible_for_the_load(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.edit(certificate, IMPORTER, first_consignee=IMPORTER)
    await house.edit(certificate, IMPORTER, entry_authority=BELGIAN_POST, clearance_country="BE")
    row = await house.row(certificate)
    assert row.content["country_of_destination"] == "FR"
    assert BELGIAN_POST in row.visible_to
    assert not {POST, CENTRE, CONSIGNEE} & set(row.visible_to)  # no longer named, no longer there
    await house.edit(certificate, IMPORTER, responsible_for_load=[FORWARDER, STRANGER])
    details = await refused("not_permitted", house.edit(certificate, IMPORTER, responsible_for_load=[STRANGER]))
    assert details["field"] == "responsible_for_load"
    await house.edit(certificate, FORWARDER, arrival_at="2026-12-03T08:00:00Z")
    details = await refused("not_permitted", house.edit(certificate, IMPORTER, seals=["S-9"], containers=[]))
    assert (details["field"], details["fields"]) == ("containers", ["containers", "seals"])


async def test_an_amendment_obeys_the_guards_of_the_signature_it_touches(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.directory_says(STRANGER, status="SUSPENDED")
    before = await house.digest()
    details = await refused("incomplete", house.edit(certificate, IMPORTER, first_consignee=STRANGER))
    assert {each.code for each in details["problems"]} == {"partner_not_valid"}
    details = await refused("incomplete", house.edit(certificate, BODY, gross_weight={"value": "10", "unit": "KGM"}))
    assert [each.code for each in details["problems"]] == ["net_over_gross"]
    assert await house.digest() == before


async def test_the_exporter_has_nothing_to_edit_once_he_has_submitted(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    await refused("not_permitted", house.edit(certificate, EXPORTER, seals=["S-2"]))
    await refused("wrong_status", house.edit(await house.at(Status.CONSIGNMENT_VERIFIED), BODY, seals=["S-2"]))


async def test_an_edit_that_names_nobody_known_or_has_no_shape_changes_nothing(house: House) -> None:
    certificate = await house.draft()
    before = await house.digest()
    nobody = world.identity(404)
    assert (await refused("invalid", house.edit(certificate, EXPORTER, importer=nobody)))["field"] == "importer"
    goods = [line(1), line(2, producer=nobody)]
    details = await refused("invalid", house.edit(certificate, EXPORTER, product_lines=goods))
    assert details["field"] == "product_lines[1].producer"
    for field, value in (("number", "COI.MA.2026.0000001"), ("producers", []), ("issuing_declaration", {}), ("x", 1)):
        assert (await refused("invalid", house.edit(certificate, EXPORTER, changes={field: value})))["field"] == field
    details = await refused("invalid", house.edit(certificate, EXPORTER, gross_weight={"value": 3, "unit": "KGM"}))
    assert details["field"] == "gross_weight.value"
    assert await house.digest() == before


async def test_what_is_derived_is_never_believed(house: House) -> None:
    goods = [line(1, category="f"), line(2, producer=OTHER_PRODUCER, producer_control_body=None)]
    certificate = await house.draft(product_lines=goods)
    content = (await house.row(certificate)).content
    assert [each["category"] for each in content["product_lines"]] == ["a", "a"]
    assert content["producers"] == [PRODUCER, OTHER_PRODUCER]
    assert content["producers_control_bodies"] == [BODY, world.OTHER_BODY]


async def test_an_edit_wakes_the_process_only_when_it_matters_to_it(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None)
    assert await house.wakes(certificate) == 0
    await house.edit(certificate, BODY, seals=["S-2"])
    assert await house.wakes(certificate) == 0
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-08T08:00:00Z")  # clocks count from it
    assert await house.wakes(certificate) == 1
    await house.edit(certificate, IMPORTER, responsible_for_load=[FORWARDER, STRANGER])  # somebody new is bound
    assert await house.wakes(certificate) == 2
    (goods,) = (await house.row(certificate)).content["product_lines"]
    await house.edit(certificate, BODY, transport={"mode": "3", "identification": "AB-123-CD", "document": "CMR"})
    await house.run("UPDATE outbox SET done_at = now()")
    await house.edit(certificate, BODY, product_lines=[{**goods, "packages": None}])  # incomplete again: a clock is set
    assert await house.wakes(certificate) == 1


async def test_edits_of_one_moment_share_their_wake_up_call(house: House) -> None:
    certificate = await house.draft()
    await house.edit(certificate, EXPORTER, arrival_at="2026-12-02T08:00:00Z")
    waits = await house.one(
        "SELECT not_before > created_at FROM outbox WHERE target = :t ORDER BY id DESC LIMIT 1", t=life_id(certificate)
    )
    assert waits is True


async def test_the_first_time_of_arrival_is_announced(house: House) -> None:
    certificate = await house.at(Status.ISSUED, arrival_at=None)
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-02T08:00:00Z")
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-03T08:00:00Z")
    told = await house.told("edited")
    assert [(each["announced"], each["boxes"], each["by"]) for each in told] == [
        (True, ["arrival_at"], IMPORTER),
        (False, ["arrival_at"], IMPORTER),
    ]
    assert [each["arrival_at"] for each in told] == ["2026-12-02T08:00:00Z", "2026-12-03T08:00:00Z"]
    draft = await house.draft(arrival_at=None)
    await house.edit(draft, EXPORTER, arrival_at="2026-12-02T08:00:00Z")
    assert (await house.told("edited"))[-1]["announced"] is False


async def test_news_say_until_when_the_next_step_is_expected(house: House) -> None:
    certificate = await house.at(Status.CONSIGNMENT_VERIFIED)
    life = await house.look(certificate)
    moved = (await house.told("moved"))[-1]
    assert life.due is not None
    assert (moved["due"], datetime.fromisoformat(moved["due_at"])) == ("reception_first_call", life.due.at)
    assert datetime.fromisoformat(moved["arrival_at"]) == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


async def test_the_journal_says_what_an_edit_changed(house: House) -> None:
    certificate = await house.draft()
    await house.edit(certificate, EXPORTER, seals=["S-2"], first_consignee=None)
    *_, amended = await house.journal(certificate)
    assert amended.changes == {
        "country_of_destination": ["FR", None],
        "first_consignee": [CONSIGNEE, None],
        "seals": [["S-1"], ["S-2"]],
    }
