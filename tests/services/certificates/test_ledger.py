"""The ledger on the certificate's row: no more is taken than there is, were it twenty importers at once."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from services.certificates import extracts, store
from shared.rules.refusals import Refused
from tests.services.certificates.batches import base, begun, codes, edited, left, move, part, row_of
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BELGIAN_POST,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    POST,
)


async def test_a_batch_books_when_it_is_submitted_and_gives_back_when_it_is_deleted(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate, product_lines=part(100, "1000"))
    assert await left(house, certificate) == [(100, "1000.000")]
    await move(house, extract, "submit", IMPORTER)
    assert await left(house, certificate) == [(0, "0.000")]
    assert "nothing_left" in await codes(begun(house, certificate))
    await move(house, extract, "delete", IMPORTER)
    assert await left(house, certificate) == [(100, "1000.000")]
    actions = [each.action for each in await house.journal(certificate)]
    assert actions[-3:] == ["extract", "book_extract", "return_extract"]


@pytest.mark.parametrize(("packages", "weight"), [(91, "100"), (10, "900.001"), (91, "900.001")])
async def test_no_more_is_taken_than_is_left(house: House, packages: int, weight: str) -> None:
    certificate = await base(house)
    await move(house, await begun(house, certificate), "submit", IMPORTER)
    late = await begun(house, certificate, product_lines=part(packages, weight))
    assert await codes(move(house, late, "submit", IMPORTER)) == {"more_than_left"}
    await edited(house, late, IMPORTER, product_lines=part(90, "900"))
    await move(house, late, "submit", IMPORTER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"consignee": None}, "needed"),
        ({"product_lines": []}, "needed"),
        ({"product_lines": part(10, "0")}, "weight_not_positive"),
        ({"product_lines": part(10, "1.2345")}, "weight_too_fine"),
        ({"product_lines": part(0, "1")}, "packages_not_positive"),
        ({"product_lines": part(None, "1")}, "needed"),
        ({"product_lines": part(1, "1", number=7)}, "unknown_line"),
        ({"entry_authority": BELGIAN_POST}, "authority_elsewhere"),
        ({"consignee": EXPORTER}, "outside_union"),
        ({"consignee": POST}, "wrong_kind_of_organisation"),
    ],
)
async def test_a_batch_is_complete_when_it_is_submitted(house: House, changes: dict[str, Any], code: str) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    await edited(house, extract, IMPORTER, **changes)
    assert await codes(move(house, extract, "submit", IMPORTER)) == {code}


async def test_a_certificate_is_depleted_when_everything_is_extracted_and_decided(house: House) -> None:
    certificate = await base(house)
    first = await begun(house, certificate, product_lines=part(60, "600"))
    assert await codes(house.move(certificate, "deplete", POST, form={})) == {"quantity_left", "extracts_open"}
    await move(house, first, "submit", IMPORTER)
    rest = await begun(house, certificate, product_lines=part(40, "400"))
    await move(house, rest, "submit", FORWARDER)
    assert await codes(house.move(certificate, "deplete", POST, form={})) == {"extracts_open"}
    await move(house, first, "verify", POST)
    await move(house, rest, "reject", POST)
    await refused("not_permitted", house.move(certificate, "deplete", IMPORTER, form={}))
    await house.move(certificate, "deplete", CENTRE, form={})
    await move(house, first, "receive", CONSIGNEE)  # what was released goes on
    assert (await house.row(certificate)).status == "DEPLETED"


async def test_twenty_importers_at_once_never_take_more_than_there_is(house: House) -> None:
    certificate = await base(house)
    wish = {"content": {"consignee": CONSIGNEE, "product_lines": part(7, "70.5")}}
    path = f"/certificates/{certificate}/extracts"
    doors = [house.door(IMPORTER if n % 2 else FORWARDER) for n in range(20)]
    answers = await asyncio.gather(
        *(each.post(path, json=wish, headers={"Idempotency-Key": fresh()}) for each in doors)
    )
    assert {each.status_code for each in answers} == {201}
    batches = [each.json()["id"] for each in answers]
    done = await asyncio.gather(
        *(move(house, each, "submit", IMPORTER if n % 2 else FORWARDER) for n, each in enumerate(batches)),
        return_exceptions=True,
    )
    refusals = [each for each in done if isinstance(each, Refused)]
    assert {each.code for each in refusals} == {"incomplete"}
    assert len(done) - len(refusals) == 14  # 14 × 70.5 = 987 of 1000, 98 of 100 packages
    assert await left(house, certificate) == [(2, "13.000")]
    numbers = [row.number[-3:] for row in [await row_of(house, each) for each in batches]]
    assert sorted(numbers) == [f"E{n:02d}" for n in range(1, 21)]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    wishes=some.lists(
        some.tuples(
            some.integers(1, 40),
            some.decimals("0.001", "400", places=3),
            some.sampled_from(["keep", "delete", "verify"]),
        ),
        min_size=2,
        max_size=20,
    )
)
async def test_whatever_is_booked_and_returned_the_sum_is_never_above_the_certificate(
    house: House, wishes: list[tuple[int, Decimal, str]]
) -> None:
    certificate = await base(house)

    async def one(packages: int, weight: Decimal, then: str) -> None:
        extract = await begun(house, certificate, product_lines=part(packages, f"{weight:f}"))
        await move(house, extract, "submit", IMPORTER)
        if then == "delete":
            await move(house, extract, "delete", IMPORTER)
        elif then == "verify":
            await move(house, extract, "verify", POST)

    outcomes = await asyncio.gather(*(one(*wish) for wish in wishes), return_exceptions=True)
    assert all(each is None or isinstance(each, Refused) for each in outcomes), outcomes
    async with house.database.transaction() as session:
        parent = await store.found(session, certificate)
        rows = await extracts.of(session, certificate)
    counted = [row.content["product_lines"][0] for row in rows if row.status not in ("EXT_NEW", "EXT_DELETED")]
    packages = sum(each["packages"] for each in counted)
    weight = sum((Decimal(each["net_weight"]) for each in counted), Decimal(0))
    assert packages <= 100
    assert weight <= Decimal("1000")
    booked = parent.booked.get("1") or {"packages": 0, "net_weight": "0"}
    assert ((booked["packages"] or 0), Decimal(booked["net_weight"])) == (packages, weight)
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert {each.code for each in refusals} <= {"incomplete"}
