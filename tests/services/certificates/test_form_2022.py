"""The form of 2022: the same row under other numbers, with boxes of its own, from the draft to box 31."""

from typing import Any

from services.certificates import verify, views
from services.certificates.rules import awaited
from services.certificates.store import found
from shared.rules.boxes import Model
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.test_after_signature import WAREHOUSE, codes, seen
from tests.services.certificates.test_documents import added
from tests.services.certificates.test_pdf import copy, text_of
from tests.services.certificates.world import BODY, CONSIGNEE, EXPORTER, FORWARDER, IMPORTER, POST, line

REACHED = "2026-11-26T09:00:00+01:00"
ONWARD = {"onward_transfer": True, "control_point_reached": REACHED, "transport_after": "AB-123-CD"}
ENCLOSED = ("Transport document", "Commercial invoice", "Packing list")


async def drafted(house: House, **boxes: object) -> str:
    """A draft on the form of 2022; its id."""
    content = world.boxes(product_lines=[line(organic="in_conversion")], **boxes)
    return await house.drafted(content, model="COI_2022")


async def issued(house: House) -> str:
    """Its box 18 signed."""
    certificate = await drafted(house, arrival_at=None)
    await house.move(certificate, "submit", EXPORTER)
    await house.move(certificate, "sign", BODY)
    return certificate


async def test_it_goes_its_way_under_its_own_numbers(house: House) -> None:
    certificate = await issued(house)
    await house.edit(certificate, IMPORTER, transfer_to="Plateforme de Saint-Charles", control_point="FRPGF4")
    for kind in ("705", "380", "271"):
        await added(house, EXPORTER, certificate, type=kind)
    await house.move(certificate, "start_customs_procedure", POST, form=WAREHOUSE)
    decided = {**world.ENDORSED, **ONWARD, "release_as": "in_conversion", "verified_again": True}
    await house.move(certificate, "verify", POST, form=decided)
    await house.move(certificate, "receive", CONSIGNEE)
    shown = await seen(house, IMPORTER, certificate)
    assert [each["box"] for each in shown["signatures"]] == ["18", "23", "30", "31"]
    assert (shown["content"]["entry_checks"], shown["status"]) == (decided, "FIRST_CONSIGNEE_SIGNED")
    assert shown["content"]["control_point"] == "FRPGF4"
    async with house.database.transaction() as session:
        assert verify.check(await views.export(session, await found(session, certificate))) == []


async def test_documents_may_follow_in_ten_days_and_not_after_the_endorsement(house: House) -> None:
    certificate = await drafted(house, arrival_at=None)
    await house.move(certificate, "submit", EXPORTER)
    warned = (await seen(house, BODY, certificate))["problems"]
    assert [each["params"]["label"] for each in warned if each["field"] == "documents"] == list(ENCLOSED)
    assert {each["severity"] for each in warned} == {"warning"}
    await house.move(certificate, "sign", BODY)
    assert (await house.row(certificate)).due_name == "completion_first_call"
    refusal = await refused("incomplete", house.move(certificate, "verify", POST))
    assert [(each.code, each.params["label"]) for each in refusal["problems"]] == [
        ("needed", each) for each in ENCLOSED
    ]
    for kind in ("740", "325", "271"):  # any transport document, any invoice
        await added(house, BODY, certificate, type=kind)
    assert (await house.row(certificate)).due_name is None
    await house.move(certificate, "verify", POST)


async def awaited_of(house: House, certificate: str) -> dict[str, tuple[str, str | None]]:
    """What each reads of the turn: on the certificate, and in his list where it awaits him."""
    told = {}
    for by in (IMPORTER, POST, EXPORTER):
        shown = (await seen(house, by, certificate))["awaited"]
        listed = (await house.get(by, "/certificates?awaits_me=true"))["items"]
        mine = next((each["awaits"] for each in listed if each["id"] == certificate), None)
        assert shown["mine"] == (mine is not None)
        told[by] = (shown["code"], mine)
    return told


async def test_the_importer_writes_the_customs_reference_of_box_23(house: House) -> None:
    certificate = await issued(house)
    wish: dict[str, Any] = {"customs_procedure.reference": "26FR00012345"}
    assert "customs_procedure.reference" not in (await seen(house, IMPORTER, certificate))["may"]["edit"]
    assert await codes(house, house.edit(certificate, IMPORTER, **wish)) == {"no_customs_procedure"}
    begun = {name: WAREHOUSE[name] for name in ("type", "operator")}
    await house.move(certificate, "start_customs_procedure", POST, form=begun)
    assert await awaited_of(house, certificate) == {
        IMPORTER: ("await_customs_reference", "await_customs_reference"),
        POST: ("await_box_20", "await_box_20"),
        EXPORTER: ("await_box_20", None),
    }
    decided = {**world.ENDORSED, "release_as": "organic", "verified_again": True}
    assert "customs_procedure_incomplete" in await codes(house, house.move(certificate, "verify", POST, form=decided))
    for by in (POST, BODY, FORWARDER):
        await refused("not_permitted", house.edit(certificate, by, **wish))
    wrong: dict[str, Any] = {"customs_procedure": {"type": "inward_processing"}}
    assert (await refused("invalid", house.edit(certificate, IMPORTER, **wrong)))["field"] == "customs_procedure"
    assert "customs_procedure.reference" in (await seen(house, IMPORTER, certificate))["may"]["edit"]
    assert "after the authority had signed" not in text_of(await copy(house, certificate))
    revision = (await house.row(certificate)).revision
    answer = await house.door(IMPORTER).put(
        f"/certificates/{certificate}/boxes",
        json={"revision": revision, "changes": wish},
        headers={"Idempotency-Key": fresh()},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"]["customs_procedure"] == {**begun, "reference": "26FR00012345"}
    last = (await house.journal(certificate))[-1]
    assert (last.action, list(last.changes)) == ("amend", ["customs_procedure"])
    assert (await awaited_of(house, certificate))[IMPORTER] == ("await_box_20", None)
    async with house.database.transaction() as session:
        assert verify.check(await views.export(session, await found(session, certificate))) == []
    assert text_of(await copy(house, certificate)).count("after the authority had signed") == 1
    wrong_with = await codes(house, house.move(certificate, "verify", POST, form=decided))
    assert "customs_procedure_incomplete" not in wrong_with


async def test_the_other_form_has_none_of_this(house: House) -> None:
    begun = {"customs_procedure": {"type": "warehousing"}}
    assert [each.code for each in awaited(Status.ISSUED, Model.COI_2017, begun)] == ["await_box_20"]
    certificate = await house.at(Status.ISSUED)
    assert (await refused("invalid", house.edit(certificate, IMPORTER, control_point="FRPGF4")))[
        "field"
    ] == "control_point"
    assert not {"control_point", "transfer_to"} & set((await seen(house, IMPORTER, certificate))["may"]["edit"])
    for answer in ({"release_as": "organic"}, {"onward_transfer": True}):
        form = {**world.ENDORSED, **answer}
        assert await codes(house, house.move(certificate, "verify", POST, form=form)) == {"unknown_field"}
    await house.move(certificate, "verify", POST, form={**world.ENDORSED, "transport_after": "AB-123-CD"})
