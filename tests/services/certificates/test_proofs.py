"""A signature asks for a fresh proof of the person, on certificates and extracts; the refusal writes nothing."""

from dataclasses import replace
from datetime import timedelta

from shared.contracts.certificates import Record
from shared.rules.status import Status
from tests.services.certificates.conftest import House
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import BODY, EXPORTER, person


async def test_a_signature_five_minutes_after_the_last_proof_is_refused_and_writes_nothing(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate, "sign", BODY)
    before = await house.digest()
    house.clock.forward(minutes=5, seconds=1)
    await refused("proof_needed", house.activities.record(Record(certificate, order, "key-of-sign")))
    nobody = replace(order, actor=person(BODY, proved_at=None))
    await refused("proof_needed", house.activities.record(Record(certificate, nobody, "key-of-sign")))
    assert await house.digest() == before


async def test_the_same_order_goes_on_under_its_key_once_the_person_has_proved_himself(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate, "sign", BODY)
    house.clock.forward(minutes=30)
    await refused("proof_needed", house.activities.record(Record(certificate, order, "key-of-sign")))
    proved = house.clock() - timedelta(minutes=1)
    again = replace(order, actor=person(BODY, proved_at=proved))
    await house.activities.record(Record(certificate, again, "key-of-sign"))
    *_, line = await house.journal(certificate)
    assert line.seal["statement"]["proved_at"] == proved.isoformat(), "the journal says when he proved himself"


async def test_whoever_only_submits_need_not_prove_himself_again(house: House) -> None:
    certificate = await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    await house.activities.record(Record(certificate, replace(order, actor=person(EXPORTER, proved_at=None)), "key"))
