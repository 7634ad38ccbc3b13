"""Birth and copy: who begins a certificate, and with what."""

import pytest

from services.certificates import store
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BODY,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    boxes,
    line,
    person,
    without,
)


@pytest.mark.parametrize("by", [POST, CONSIGNEE, world.CUSTOMS, FORWARDER])
async def test_who_has_no_business_with_it_starts_no_certificate(house: House, by: str) -> None:
    details = await refused("not_permitted", house.draft(by=by))
    assert details["field"] == "creator"
    assert await house.one("SELECT count(*) FROM certificate") == 0


async def test_a_suspended_exporter_starts_no_certificate(house: House) -> None:
    await house.directory_says(EXPORTER, status="SUSPENDED")
    await refused("not_permitted", house.draft())


@pytest.mark.parametrize("missing", ["exporter", "product_lines"])
async def test_a_draft_needs_boxes_1_and_4_and_a_product(house: House, missing: str) -> None:
    details = await refused("incomplete", house.drafted(without(missing), by=IMPORTER))
    assert {each.field for each in details["problems"]} == {missing}


async def test_a_form_nobody_prints_is_refused(house: House) -> None:
    assert (await refused("invalid", house.drafted(boxes(), model="COI_1999")))["field"] == "form_model"


async def test_a_copy_takes_parties_and_products_and_leaves_the_load(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)

    async def copy(by: str, key: str) -> str:
        async with house.database.transaction() as session:
            return (await store.copy(session, certificate, person(by), key, house.clock())).id

    made = await copy(IMPORTER, "copy-key")
    row = await house.row(made)
    assert (row.status, row.creator, row.number, row.revision) == ("DRAFT", IMPORTER, None, 1)
    content = row.content
    assert (content["exporter"], content["issuing_body"], content["entry_authority"]) == (EXPORTER, BODY, POST)
    assert [(each["trade_name"], each.get("lot")) for each in content["product_lines"]] == [
        ("Dattes Medjool biologiques", None)
    ]
    left = {"containers", "seals", "gross_weight", "transport", "departure_at", "arrival_at", "issuing_declaration"}
    assert not left & content.keys()
    (birth,) = await house.journal(made)
    assert birth.changes["copied_from"] == [None, certificate]
    assert await copy(IMPORTER, "copy-key") == made
    await refused("key_reused", copy(EXPORTER, "copy-key"))
    await refused("not_found", copy(STRANGER, fresh()))


async def test_a_copy_asked_for_twice_is_one_copy_though_the_original_was_changed_meanwhile(house: House) -> None:
    certificate = await house.draft()

    async def copy() -> str:
        async with house.database.transaction() as session:
            return (await store.copy(session, certificate, person(EXPORTER), "copy-key", house.clock())).id

    made = await copy()
    await house.edit(certificate, EXPORTER, first_consignee=None)
    assert await copy() == made


async def test_a_producer_who_sees_his_own_lines_copies_nothing(house: House) -> None:
    goods = [line(1), line(2, producer=OTHER_PRODUCER, producer_control_body=world.OTHER_BODY)]
    certificate = await house.at(Status.ISSUED, product_lines=goods, gross_weight={"value": "3", "unit": "TNE"})

    async def copy() -> None:
        async with house.database.transaction() as session:
            await store.copy(session, certificate, person(PRODUCER), fresh(), house.clock())

    await refused("not_found", copy())


async def test_the_form_of_2022_has_its_own_boxes(house: House) -> None:
    goods = [line(organic="organic")]
    certificate = await house.drafted(boxes(product_lines=goods), model="COI_2022")
    await house.edit(certificate, EXPORTER, trader_without_handling=STRANGER)
    await house.move(certificate, "submit", EXPORTER)
    details = await refused(
        "incomplete", house.move(certificate, "sign", BODY, form={**world.SIGNED, "documentary": "not_acceptable"})
    )
    assert [(each.box, each.code) for each in details["problems"] if each.is_error] == [(18, "papers_not_acceptable")]
    old = await house.draft()
    assert (await refused("invalid", house.edit(old, EXPORTER, trader_without_handling=STRANGER)))["field"] == (
        "trader_without_handling"
    )
