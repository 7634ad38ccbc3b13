"""Who signs proves first that it is he: which orders ask for it, and how fresh a proof must be."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.rules.extracts import SIGNS
from shared.rules.forms import SIGNATURES
from shared.rules.proofs import PROOFS, is_fresh, refuse_unless_fresh
from shared.rules.refusals import Refused
from shared.rules.status import Action

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_every_order_that_seals_a_box_asks_for_a_proof_and_no_other_does() -> None:
    assert {row.action for row in PROOFS} == SIGNATURES | set(SIGNS)
    assert len(PROOFS) == len({row.action for row in PROOFS})


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (4.9, True), (5, True), (5.1, False), (60, False)])
def test_a_proof_is_good_for_five_minutes(minutes: float, fresh: bool) -> None:
    assert is_fresh(Action.SIGN, NOON, NOON + timedelta(minutes=minutes)) is fresh


def test_who_never_proved_himself_signs_nothing() -> None:
    with pytest.raises(Refused, match="proof_needed"):
        refuse_unless_fresh(Action.VERIFY, None, NOON)
    refuse_unless_fresh(Action.SUBMIT, None, NOON)
