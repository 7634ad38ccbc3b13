"""The whole matrix at the door: every status, tie, box and action, allowed and refused, compared with its row.

One thing to remember: an order is told on a revision nobody has, so what the law allows is refused for that reason
alone; a box is really changed, and put back.
"""

from typing import Any

import pytest

from services.certificates import paper, store
from shared.rules.boxes import BOX, BOXES, Filled, Model
from shared.rules.permissions import EVERYWHERE, MATRIX, Tie
from shared.rules.status import CONTENT, MOVES, Action, Status
from tests.services.certificates import world
from tests.services.certificates.conftest import JSON, House, fresh
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    STRANGER,
)

NOBODY_HAS = 2**31 - 1
ALONE = {
    Tie.IMPORTER: IMPORTER,
    Tie.EXPORTER: EXPORTER,
    Tie.ISSUER: BODY,
    Tie.ENTRY_AUTHORITY: POST,
    Tie.CENTRAL_AUTHORITY: CENTRE,
    Tie.RFL: FORWARDER,
    Tie.CONSIGNEE: CONSIGNEE,
}
CREATORS = {STRANGER: set[Tie](), IMPORTER: {Tie.IMPORTER}, EXPORTER: {Tie.EXPORTER}, BODY: {Tie.ISSUER}}
"""Who drew it up: a company with no other tie to it, or one of its parties."""
STANDS = [(at, by) for at in Status for by in CREATORS if at is Status.DRAFT or by == STRANGER]
"""Who drew it up counts in a draft; later on it is a tie like any other."""
SUBMITTED = frozenset(Status) - {Status.DRAFT}

# fmt: off
OTHERWISE: dict[str, Any] = {
    "issuing_body": world.OTHER_BODY, "exporter": world.PRODUCER, "importer": STRANGER, "first_consignee": STRANGER,
    "entry_authority": world.BELGIAN_POST, "clearance_country": "BE", "countries_of_origin": ["TN"],
    "country_of_export": "TN", "responsible_for_load": [STRANGER], "release_by_batches": True,
    "national_reference": "N-9", "containers": ["CSQU3054383", "TGHU1234567"], "seals": ["S-9"],
    "bulk_no_container": True, "gross_weight": {"value": "1200", "unit": "KGM"},
    "transport": {"mode": "3", "identification": "AB-123-CD", "document": "CMR-9"},
    "departure_at": "2026-11-24T08:00:00+01:00", "arrival_at": "2026-12-02T08:00:00+01:00",
    "product_lines": [world.line(trade_name="Dattes Deglet Nour")], "trader_without_handling": OTHER_PRODUCER,
    "procedure": "COMPLIANCE", "number": "COI.MA.2026.9999999", "country_of_destination": "DE",
    "producers": [OTHER_PRODUCER], "producers_control_bodies": [world.OTHER_BODY],
    "issuing_declaration": {"documentary": "acceptable"}, "entry_checks": {"documentary": "acceptable"},
    "customs_procedure": {"type": "warehousing"}, "first_consignee_declaration": {"in_order": True},
}
"""Another value of each box, that its shape allows."""
PARTS: dict[str, Any] = {
    "product_lines.packages": {"product_lines": [world.line(packages=99)]},
    "product_lines.package_type": {"product_lines": [world.line(package_type="BX")]},
    "responsible_for_load.add": {"responsible_for_load": [FORWARDER, STRANGER]},
    "customs_procedure.reference": {"customs_procedure.reference": "26FR-9"},
}
"""What may be granted as a part of a box."""
# fmt: on


def named(each: str) -> str:
    """A status, or the name of an organisation, for the list of tests."""
    return world.ORGANISATIONS[each].name if each in CREATORS else each


def granted(status: Status, ties: set[Tie]) -> tuple[set[str], set[Action]]:
    """The boxes and actions of these ties, read off the rows of the two tables."""
    sees = Tie.CREATOR in ties if status is Status.DRAFT else bool(ties - {Tie.CREATOR})
    if not sees:
        return set(), set()
    rows = [(tie, cell) for table in (MATRIX[status], EVERYWHERE) for tie, cell in table.items() if tie in ties]
    cells = [cell for _, cell in rows if Tie.CREATOR in ties or not cell.own]
    edit = {field for cell in cells for field in cell.edit}
    do = {action for cell in cells for action in cell.do}
    return edit, do | ({Action.AMEND} if edit and (status, Action.AMEND) in _STARTS else set())


_STARTS = {(move.source, move.action) for move in MOVES}


async def standing(house: House, status: Status, creator: str) -> str:
    """A certificate that stands there, drawn up by this organisation, with everybody named; its id."""
    certificate = await house.draft(by=creator)
    async with house.database.transaction() as session:
        row = await store.locked(session, certificate)
        row.status, row.submitted = status, status in SUBMITTED
        row.number = f"COI.MA.2026.{int(certificate[:7], 16) % 10**7:07d}" if status in SUBMITTED else None
        known, _ = await store.facts(session, row.content, house.clock(), also=[row.creator])
        paper.settle(row, known, house.clock())
    return certificate


def asked(status: Status, creator: str) -> dict[str, set[Tie]]:
    """Everybody; but that a draft is shown to nobody else is asked of one company's, of the others' what he may do."""
    drafts = {creator: CREATORS[creator] | {Tie.CREATOR}}
    return drafts if status is Status.DRAFT and creator != STRANGER else viewers(creator)


def viewers(creator: str) -> dict[str, set[Tie]]:
    """Everybody who looks, and by which ties; the last one by none."""
    ties: dict[str, set[Tie]] = {organisation: {tie} for tie, organisation in ALONE.items()}
    ties[creator] = ties.get(creator, set()) | {Tie.CREATOR}
    return {**ties, OTHER_PRODUCER: set()}


async def code_of(house: House, by: str, certificate: str, action: Action) -> str:
    """What somebody hears who gives this order on a revision nobody has."""
    headers = {"Idempotency-Key": fresh(), **JSON}
    wish = {"action": action, "revision": NOBODY_HAS, "form": {}}
    answer = await house.door(by).post(f"/certificates/{certificate}/actions", json=wish, headers=headers)
    return str(answer.json().get("code", "done"))


@pytest.mark.parametrize(("status", "creator"), STANDS, ids=named)
async def test_every_tie_may_do_what_its_row_says_and_nothing_else(house: House, status: Status, creator: str) -> None:
    certificate = await standing(house, status, creator)
    for by, ties in asked(status, creator).items():
        edit, do = granted(status, ties)
        answer = await house.door(by).get(f"/certificates/{certificate}")
        sees = Tie.CREATOR in ties if status is Status.DRAFT else bool(ties - {Tie.CREATOR})
        assert answer.status_code == (200 if sees else 404), (by, ties)
        if sees:
            assert answer.json()["ties"] == sorted(ties)
            shown = do - {Action.ACCEPT_REPLACEMENT}  # offered once a replacement is being written
            on_the_form = {each for each in edit if (BOX.get(each) or BOX[each.split(".")[0]]).is_on(Model.COI_2017)}
            assert (set(answer.json()["may"]["edit"]), set(answer.json()["may"]["do"])) == (on_the_form, shown), ties
        for action in set(Action) - CONTENT:
            said = await code_of(house, by, certificate, action)
            if not sees:
                expected = "not_found"
            elif (status, action) not in _STARTS:
                expected = "wrong_status"
            else:
                expected = "stale_revision" if action in do else "not_permitted"
            assert said == expected, (action, ties)


@pytest.mark.parametrize(("status", "creator"), STANDS, ids=named)
async def test_every_box_is_open_to_those_its_row_names_and_to_nobody_else(
    house: House, status: Status, creator: str
) -> None:
    certificate = await standing(house, status, creator)
    row = await house.row(certificate)
    before, revision = row.content, row.revision
    for by, ties in asked(status, creator).items():
        edit, do = granted(status, ties)
        if (status, Action.AMEND) not in _STARTS and by != IMPORTER:
            continue  # where nothing is edited, one reader stands for all: the answer does not depend on the box
        for field, changes in changed().items():
            headers = {"Idempotency-Key": fresh(), **JSON}
            wish = {"revision": revision, "changes": changes}
            answer = await house.door(by).put(f"/certificates/{certificate}/boxes", json=wish, headers=headers)
            said = str(answer.json().get("code", "done"))
            assert said in expected_of(field, status, ties, edit, do), (field, ties, answer.text)
            if said == "done":
                await put_back(house, certificate, before)
                revision += 1


def changed() -> dict[str, dict[str, Any]]:
    """Every box and every part of one, with another value."""
    model = Model.COI_2017
    whole = {
        box.field: {box.field: OTHERWISE[box.field]}
        for box in BOXES
        if "." not in box.field and box.is_on(model) and box.field in OTHERWISE
    }
    return {**whole, **PARTS}


def expected_of(field: str, status: Status, ties: set[Tie], edit: set[str], do: set[Action]) -> set[str]:
    """What may be answered to a change of this box: allowed is done, or not done for what stands there."""
    sees = Tie.CREATOR in ties if status is Status.DRAFT else bool(ties - {Tie.CREATOR})
    if not sees:
        return {"not_found"}
    if (status, Action.AMEND) not in _STARTS:
        return {"wrong_status"}
    if Action.AMEND not in do:
        return {"not_permitted", "invalid"} if _nobodys(field) else {"not_permitted"}
    if _nobodys(field):
        return {"invalid", "not_permitted"}
    root = field.split(".")[0]
    mine = field in edit or root in edit
    return {"done", "incomplete"} if mine else {"not_permitted"}


def _nobodys(field: str) -> bool:
    """Whether the box is filled by the system or by a signature: it is in no list of what may be edited."""
    return next(box for box in BOXES if box.field == field.split(".")[0]).filled not in (
        Filled.BY_HAND,
        Filled.FILLED_IN,
    )


async def put_back(house: House, certificate: str, content: dict[str, Any]) -> None:
    """The content as it was; the journal goes on."""
    async with house.database.transaction() as session:
        row = await store.locked(session, certificate)
        row.content = content
        known, _ = await store.facts(session, content, house.clock(), also=[row.creator])
        paper.settle(row, known, house.clock())
