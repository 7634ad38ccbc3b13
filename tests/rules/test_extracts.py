"""The law of extracts: moves, rights, boxes of both forms, and quantities that never exceed the certificate."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.rules.boxes import Model
from shared.rules.extract_problems import check_extract_form
from shared.rules.extracts import (
    BATCH,
    BOOKED,
    EXTRACT_BOXES,
    EXTRACT_CLOCKS,
    EXTRACT_FORM,
    EXTRACT_MATRIX,
    EXTRACT_MOVES,
    FINAL,
    ExtractMove,
    ExtractStatus,
    book,
    extract_allowed,
    extract_move,
    extract_moves,
    is_anything_left,
    left,
    may_see_extract,
    quantity,
    refuse_unless_lawful,
)
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Action

S = ExtractStatus


@pytest.mark.parametrize("row", EXTRACT_MOVES, ids=lambda row: f"{row.number} {row.action} {row.source}")
def test_every_move_leads_where_its_row_says_and_somebody_may_make_it(row: ExtractMove) -> None:
    assert extract_move(row.source, row.action, S.VERIFIED, row.target) is (row.target or S.VERIFIED)
    assert any(row.action in cell.do for cell in EXTRACT_MATRIX[row.source].values())
    assert row.action in EXTRACT_FORM


def test_the_numbers_are_those_of_our_documents() -> None:
    assert {row.number for row in EXTRACT_MOVES} == {"E2", "E3", "E4", "E5", "E6"}  # E1 is the birth


def test_every_status_can_be_reached_and_the_final_ones_have_no_way_out_and_no_rights() -> None:
    reached = {S.NEW}
    while new := {row.target for row in EXTRACT_MOVES if row.source in reached and row.target} - reached:
        reached |= new
    assert reached == set(S)
    assert set(S) - {row.source for row in EXTRACT_MOVES} == FINAL
    assert all(not EXTRACT_MATRIX[status] for status in FINAL)


@pytest.mark.parametrize("status", S)
def test_nobody_is_offered_a_move_that_does_not_exist(status: ExtractStatus) -> None:
    for cell in EXTRACT_MATRIX[status].values():
        assert all(extract_moves(status, action) for action in cell.do)
        assert cell.edit <= BATCH


@pytest.mark.parametrize(
    ("action", "status", "who"),
    [
        (Action.SUBMIT, S.NEW, {Tie.IMPORTER, Tie.RFL}),
        (Action.DELETE, S.NEW, {Tie.CREATOR, Tie.ENTRY_AUTHORITY, Tie.CENTRAL_AUTHORITY}),
        (Action.DELETE, S.SUBMITTED, {Tie.CREATOR, Tie.ENTRY_AUTHORITY, Tie.CENTRAL_AUTHORITY}),
        (Action.VERIFY, S.SUBMITTED, {Tie.ENTRY_AUTHORITY, Tie.CENTRAL_AUTHORITY}),
        (Action.RECEIVE, S.VERIFIED, {Tie.CONSIGNEE}),
        (Action.SIGNAL_IRREGULARITY, S.VERIFIED, {Tie.ENTRY_AUTHORITY}),
    ],
)
def test_who_may_do_what(action: Action, status: ExtractStatus, who: set[Tie]) -> None:
    assert {tie for tie in Tie if action in extract_allowed(status, frozenset({tie})).do} == who


def test_a_frozen_extract_may_only_be_signalled_and_concluded() -> None:
    for status in S:
        do = extract_allowed(status, frozenset(Tie), frozen=True).do
        assert do <= {Action.SIGNAL_IRREGULARITY, Action.CONCLUDE_IRREGULARITY}


@pytest.mark.parametrize(
    ("action", "status", "ties", "frozen", "sees", "code"),
    [
        (Action.SUBMIT, S.NEW, {Tie.IMPORTER}, False, False, "not_found"),
        (Action.RECEIVE, S.NEW, {Tie.CONSIGNEE}, False, True, "wrong_status"),
        (Action.SUBMIT, S.NEW, {Tie.CONSIGNEE}, True, True, "not_permitted"),
        (Action.SUBMIT, S.NEW, {Tie.IMPORTER}, True, True, "frozen"),
    ],
)
def test_refusals(action: Action, status: ExtractStatus, ties: set[Tie], frozen: bool, sees: bool, code: str) -> None:
    with pytest.raises(Refused) as no:
        refuse_unless_lawful(action, status, frozenset(ties), frozen, sees)
    assert no.value.code == code


def test_a_consignee_sees_his_batch_once_it_is_submitted() -> None:
    goal = frozenset({Tie.CONSIGNEE})
    assert [status for status in S if not may_see_extract(status, goal)] == [S.NEW]
    assert not may_see_extract(S.SUBMITTED, frozenset())
    assert not may_see_extract(S.SUBMITTED, frozenset(), frozenset({Tie.EXPORTER}))
    assert may_see_extract(S.NEW, frozenset(), frozenset({Tie.ISSUER}))


def test_the_boxes_of_both_forms_are_numbered_without_a_hole() -> None:
    for model, last in ((Model.COI_2017, 14), (Model.COI_2022, 13)):
        assert sorted({box.number(model) for box in EXTRACT_BOXES} - {None}) == list(range(1, last + 1))  # type: ignore[type-var]


def test_a_reception_out_of_order_says_what_was_wrong() -> None:
    assert {each.code for each in check_extract_form(Action.RECEIVE, {"in_order": False})} == {"remarks_needed"}
    assert {each.code for each in check_extract_form(Action.REJECT, {})} == {"needed"}
    assert {each.code for each in check_extract_form(Action.SUBMIT, {"hurry": 1})} == {"unknown_field"}


def test_every_clock_waits_where_somebody_may_move() -> None:
    for clock in EXTRACT_CLOCKS:
        assert clock.while_at not in FINAL
        assert clock.tells


def line(packages: int | None, weight: str) -> dict[str, Any]:
    return {"id": "1", "packages": packages, "net_weight": weight}


parts = some.tuples(some.integers(1, 100), some.decimals("0.001", "500", places=3))


@given(wishes=some.lists(some.tuples(parts, some.booleans()), max_size=30))
def test_what_is_booked_and_returned_never_exceeds_the_line(wishes: list[tuple[tuple[int, Decimal], bool]]) -> None:
    certificate = {"product_lines": [line(200, "1000")]}
    booked: dict[str, Any] = {}
    packages, weight = 0, Decimal(0)
    for (count, part), back in wishes:
        batch = {"product_lines": [line(count, f"{part:f}")]}
        if not left(certificate, booked)["1"].holds(quantity(batch["product_lines"][0])):
            assert packages + count > 200 or weight + part > 1000
            continue
        after = book(booked, batch)
        if back:
            assert left(certificate, book(after, batch, -1)) == left(certificate, booked)
            continue
        booked, packages, weight = after, packages + count, weight + part
    rest = left(certificate, booked)["1"]
    assert (rest.packages, rest.net_weight) == (200 - packages, 1000 - weight)
    assert rest.packages is not None
    assert rest.packages >= 0
    assert rest.net_weight >= 0
    assert is_anything_left(certificate, booked) == (rest.net_weight > 0)


def test_bulk_is_counted_by_weight_alone() -> None:
    certificate = {"product_lines": [{"id": "1", "package_type": "VR", "net_weight": "10"}]}
    booked = book({}, {"product_lines": [line(None, "4")]})
    rest = left(certificate, booked)["1"]
    assert (rest.packages, rest.net_weight) == (None, Decimal(6))
    assert not rest.holds(quantity(line(None, "6.001")))
    assert S.NEW not in BOOKED
    assert S.DELETED not in BOOKED
