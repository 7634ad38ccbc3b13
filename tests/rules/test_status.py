"""The statuses and the moves between them."""

import pytest

from shared.rules.permissions import MATRIX, Tie, allowed
from shared.rules.refusals import Refused
from shared.rules.status import CONTENT, FINAL, MOVES, NOTED, Action, Move, Status, is_final, is_over, move, moves

GUIDE = (
    "Brouillon", "Description terminée", "Déclaration de l'organisme de délivrance signée", "Lot vérifié",
    "Déclaration du premier destinataire signée", "Base pour extrait",
    "Mise en libre pratique comme produit conventionnel", "Pas de mise en libre pratique", "Irrégularité OFIS",
    "Supprimé", "Remplacé",
)  # fmt: skip


def test_the_first_eleven_statuses_are_those_of_the_guide_and_one_is_ours() -> None:
    assert len(Status) == len(GUIDE) + 1
    assert list(Status)[-1] is Status.DEPLETED


def test_every_move_of_the_guide_is_there_but_the_birth() -> None:
    assert {row.number for row in MOVES} == {f"T{number}" for number in range(2, 22)}


def test_every_status_can_be_reached_from_a_draft() -> None:
    reached = {Status.DRAFT}
    while new := {row.target for row in MOVES if row.source in reached and row.target} - reached:
        reached |= new
    assert reached == set(Status)


def test_a_final_status_has_no_way_out() -> None:
    ways_out = {row.source for row in MOVES if row.target is not row.source}
    assert set(Status) - ways_out == FINAL
    assert {status for status in Status if is_final(status)} == FINAL


def test_a_certificate_is_over_once_its_goods_were_received_though_an_irregularity_may_follow() -> None:
    assert is_over(Status.FIRST_CONSIGNEE_SIGNED)
    assert not is_final(Status.FIRST_CONSIGNEE_SIGNED)
    assert not is_over(Status.ISSUED)


def test_only_changes_of_content_leave_the_status_alone() -> None:
    for row in MOVES:
        stays = row.target is row.source
        beside = is_final(row.source) or row == Move("T10", Action.REPLACE, Status.ISSUED, Status.ISSUED)
        assert stays == (row.action in CONTENT | NOTED or beside), row


def test_the_moves_that_wait_for_a_form_are_known_but_not_offered() -> None:
    assert {row.number for row in MOVES if not row.offered} == set()


def test_a_move_that_is_not_in_the_table_does_not_exist() -> None:
    with pytest.raises(Refused) as refusal:
        move(Status.DRAFT, Action.VERIFY)
    assert refusal.value.code == "wrong_status"


@pytest.mark.parametrize("row", MOVES, ids=lambda row: f"{row.number} {row.action} {row.source}")
def test_every_move_leads_where_its_row_says(row: Move) -> None:
    before = Status.FIRST_CONSIGNEE_SIGNED
    target = row.target or before
    assert move(row.source, row.action, before, target) is target


def test_a_dismissed_irregularity_leads_back_to_where_the_certificate_stood() -> None:
    assert move(Status.OFIS_IRREGULARITY, Action.CONCLUDE_IRREGULARITY, Status.BASE_FOR_EXTRACT) is (
        Status.BASE_FOR_EXTRACT
    )


def test_an_irregularity_cannot_be_concluded_with_any_odd_status() -> None:
    with pytest.raises(Refused) as refusal:
        move(Status.OFIS_IRREGULARITY, Action.CONCLUDE_IRREGULARITY, Status.BASE_FOR_EXTRACT, Status.DRAFT)
    assert refusal.value.code == "invalid"


@pytest.mark.parametrize("row", MOVES, ids=lambda row: f"{row.number} {row.action} {row.source}")
def test_somebody_may_make_every_move(row: Move) -> None:
    drawn_up = frozenset({Tie.CREATOR})
    assert any(row.action in allowed(row.source, frozenset({tie}) | drawn_up).do for tie in Tie)


@pytest.mark.parametrize("status", Status)
def test_nobody_is_offered_a_move_that_does_not_exist(status: Status) -> None:
    for cell in MATRIX[status].values():
        assert all(moves(status, action) for action in cell.do)
    assert all(moves(status, action) for action in allowed(status, frozenset(Tie)).do)
