"""Extracts in the making: a certificate released in batches, a batch begun, a batch moved."""

from typing import Any

from services.certificates import extract_paper, extracts, store
from services.certificates.seal import canonical, fingerprint
from shared.contracts.certificate_views import Edit
from shared.contracts.certificates import BatchRecord, BatchRecorded, Order
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    CONSIGNEE,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    line,
    person,
)

FORMS: dict[str, dict[str, Any]] = {
    "verify": {"remarks": "in order"},
    "receive": {"in_order": True},
    "delete": {"reason": "cut by mistake"},
    "reject": {"reason": "not these goods"},
    "release_conventional": {"reason": "residues"},
    "signal_irregularity": {"notice_reference": "FR-1", "nature": "residues", "legal_aspect": "article 29"},
}
TWO_LINES = [line(), line(2, producer=OTHER_PRODUCER, producer_control_body=world.OTHER_BODY, cn_code="08044000")]


async def base(house: House, **boxes: Any) -> str:
    """A certificate released in batches; its id."""
    certificate = await house.at(Status.ISSUED, first_consignee=None, release_by_batches=True, **boxes)
    await house.move(certificate, "open_batches", POST)
    return certificate


def part(packages: int | None = 10, weight: str = "100", number: int = 1) -> list[dict[str, Any]]:
    """The lines of a batch that takes so much of one line."""
    return [{"id": str(number), "packages": packages, "net_weight": weight}]


async def begun(house: House, certificate: str, by: str = IMPORTER, key: str | None = None, **content: Any) -> str:
    """An extract begun; its id."""
    said = {"consignee": CONSIGNEE, "product_lines": part(), **content}
    async with house.database.transaction() as session:
        row = await extracts.begin(session, certificate, person(by), said, key or fresh(), house.clock())
        return row.id


async def row_of(house: House, extract: str) -> Any:
    """The extract's row."""
    async with house.database.transaction() as session:
        return await extracts.found(session, extract)


async def ordered(house: House, extract: str, action: str, by: str, **more: Any) -> Order:
    """The order somebody would give now, having seen the extract as it is."""
    async with house.database.transaction() as session:
        row = await extracts.found(session, extract)
        parent = await store.found(session, row.parent_id)
        _, sources = await extracts.facts(session, row, parent, house.clock())
        mark = fingerprint(canonical(extract_paper.document(row, parent, sources)))
    told: dict[str, Any] = {"revision": row.revision, "form": FORMS.get(action, {}), "fingerprint": mark, **more}
    return Order(action, person(by), **told)


async def told(house: House, extract: str, order: Order, key: str | None = None) -> BatchRecorded:
    """This very order on paper."""
    return await house.pen.extracts.record(BatchRecord(extract, order, key or fresh()))


async def move(house: House, extract: str, action: str, by: str, key: str | None = None, **more: Any) -> BatchRecorded:
    """One move on paper."""
    return await told(house, extract, await ordered(house, extract, action, by, **more), key)


async def edited(house: House, extract: str, by: str, **changes: Any) -> None:
    """Boxes of an extract filled in."""
    async with house.database.transaction() as session:
        row = await extracts.found(session, extract)
        edit = Edit(revision=row.revision, changes=changes)
        await extracts.edit(session, extract, person(by), edit, fresh(), house.clock())


async def codes(asked: Any) -> set[str]:
    """The codes of the problems an order is refused for."""
    return {each.code for each in (await refused("incomplete", asked))["problems"]}


async def left(house: House, certificate: str) -> list[tuple[int | None, str]]:
    """What is left of each line."""
    page = await house.get(IMPORTER, f"/certificates/{certificate}/extracts")
    return [(each["packages_left"], each["net_weight_left"]) for each in page["left"]]
