"""Nobody signs what he has not seen; what is signed is sealed, and anybody can check it."""

import asyncio

import pytest

from services.certificates import store, verify, views
from shared.contracts.certificates import Record
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    POST,
    PRODUCER,
)


async def test_an_old_revision_is_refused_and_the_new_one_named(house: House) -> None:
    certificate = await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    await house.edit(certificate, EXPORTER, seals=["S-2"])
    before = await house.digest()
    assert (await refused("stale_revision", house.activities.record(Record(certificate, order, fresh()))))[
        "revision"
    ] == 2
    assert (await refused("stale_revision", house.edit(certificate, EXPORTER, revision=1, seals=["S-3"])))[
        "revision"
    ] == 2
    assert await house.digest() == before


async def test_two_edits_of_one_revision_at_once_leave_one(house: House) -> None:
    certificate = await house.draft()
    edits = await asyncio.gather(
        *(house.edit(certificate, EXPORTER, revision=1, seals=[f"S-{n}"]) for n in range(5)), return_exceptions=True
    )
    assert sorted(each.code if isinstance(each, Refused) else str(each) for each in edits) == [
        "2",
        *["stale_revision"] * 4,
    ]


@pytest.mark.parametrize("mark", [None, "", "0" * 64])
async def test_a_signature_names_the_fingerprint_that_was_shown(house: House, mark: str | None) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    before = await house.digest()
    details = await refused("stale_revision", house.move(certificate, "sign", BODY, fingerprint=mark))
    assert details["field"] == "fingerprint"
    assert await house.digest() == before


async def test_a_partner_who_moved_house_changes_what_would_be_signed(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate, "sign", BODY)
    await house.directory_says(IMPORTER, address="12, rue Neuve")
    details = await refused("stale_revision", house.activities.record(Record(certificate, order, fresh())))
    assert details["field"] == "fingerprint"


async def test_a_signature_is_sealed_and_anybody_can_check_it(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    shown = await house.fingerprint(certificate)
    await house.move(certificate, "sign", BODY)
    *_, signed = await house.journal(certificate)
    statement = signed.seal["statement"]
    assert (statement["box"], statement["fingerprint"], statement["revision"]) == ("18", shown, 2)
    assert (statement["person"], statement["organisation_id"]) == ("Person of ECOCERT SA", BODY)
    assert statement["proved_at"] == "2026-11-20T12:00:00+00:00"
    assert statement["form"] == world.SIGNED
    assert statement["journal"] == signed.previous
    assert (await house.row(certificate)).content["issuing_declaration"] == world.SIGNED
    async with house.database.transaction() as session:
        export = await views.export(session, await store.found(session, certificate))
    assert verify.check(export) == []


async def test_one_organisation_has_one_key_however_often_and_however_many_sign_at_once(house: House) -> None:
    some = [await house.at(Status.DESCRIPTION_COMPLETED) for _ in range(4)]
    orders = [(each, await house.order(each, "sign", BODY)) for each in some]
    await asyncio.gather(*(house.activities.record(Record(each, order, fresh())) for each, order in orders))
    keys = await house.all("SELECT DISTINCT seal->>'key' FROM journal WHERE action = 'sign'")
    assert len(keys) == 1
    assert await house.one("SELECT count(*) FROM signing_key") == 1


async def test_the_private_key_is_not_in_the_database(house: House) -> None:
    await house.at(Status.ISSUED)
    wrapped = await house.one("SELECT wrapped FROM signing_key")
    key = house.activities.seals._unwrap(wrapped)
    dump = str(await house.all("SELECT * FROM signing_key")).encode()
    assert len(key) == 32
    assert key not in dump
    assert key.hex().encode() not in dump


async def test_a_partner_suspended_after_submission_stops_the_signature(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    await house.directory_says(IMPORTER, status="SUSPENDED")
    before = await house.digest()
    details = await refused("incomplete", house.move(certificate, "sign", BODY))
    assert [(each.field, each.box, each.code) for each in details["problems"]] == [
        ("importer", 11, "partner_not_valid")
    ]
    assert await house.digest() == before
    again = await house.directory_says(IMPORTER, revision=3)
    await house.move(certificate, "sign", BODY)
    *_, signed = await house.journal(certificate)
    assert signed.relies_on[IMPORTER] == again
    assert set(signed.relies_on) >= {EXPORTER, BODY, IMPORTER, CONSIGNEE, POST, CENTRE, PRODUCER, FORWARDER}


async def test_an_old_word_of_the_directory_does_not_overwrite_a_newer_one(house: House) -> None:
    await house.directory_says(IMPORTER, revision=5, status="SUSPENDED")
    await house.directory_says(IMPORTER, revision=4)
    assert await house.one("SELECT record->>'status' FROM party WHERE id = :id", id=IMPORTER) == "SUSPENDED"
