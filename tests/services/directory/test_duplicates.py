"""Duplicates are found: judged on 300 labelled pairs that were made by rules the matcher does not use."""

from uuid import NAMESPACE_URL, uuid5

from services.directory import operators, records, store
from services.directory.models import OrganisationRow
from services.directory.store import By
from tests.services.directory.conftest import House
from tests.services.directory.duplicates import Figures, judged, pairs

RECALL, PRECISION = 0.95, 0.8


def told(figures: Figures) -> str:
    """The figures, for whoever looks."""
    return f"recall {figures.recall:.3f}, precision {figures.precision:.3f}"


def test_there_are_300_pairs_and_always_the_same() -> None:
    made = pairs()
    assert (len(made), sum(pair.same for pair in made)) == (300, 150)
    assert made == pairs()
    assert all(pair.one != pair.other for pair in made)


def test_the_matcher_finds_what_is_one_and_leaves_what_is_two() -> None:
    figures = judged(lambda one, other: records.alike(one, other) is not None)
    print(told(figures))
    assert figures.recall >= RECALL, told(figures)
    assert figures.precision >= PRECISION, told(figures)


async def test_so_does_the_search_among_all_records(empty: House) -> None:
    made = pairs()
    async with empty.around.database.transaction() as session:
        for number, pair in enumerate(made):
            fields = {**pair.one, "address": pair.one["address"], "activities": [], "contacts": []}
            row = OrganisationRow(id=mark(number), kind="OPERATOR", status="VALID", **fields)
            await store.create(session, row, By(), empty.clock())
    hits = mistaken = 0
    async with empty.around.database.transaction() as session:
        for number, pair in enumerate(made):
            found = await operators.look_alikes(session, pair.other, most=len(made))
            seen = mark(number) in {row.id for row, _ in found}
            hits += seen and pair.same
            mistaken += seen and not pair.same
    recall, precision = hits / 150, hits / (hits + mistaken)
    print(f"recall {recall:.3f}, precision {precision:.3f}")
    assert (recall >= RECALL, precision >= PRECISION) == (True, True), (recall, precision)


def mark(number: int) -> str:
    """The id of the first record of a pair."""
    return str(uuid5(NAMESPACE_URL, f"pair/{number}"))
