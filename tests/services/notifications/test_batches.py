"""Who is told what of extracts."""

import pytest

from services.notifications.batches import BATCH_LETTER, batch_notices
from services.notifications.writing import TEMPLATES
from shared.events.certificates import ExtractClockRang, ExtractMoved
from shared.rules.extracts import EXTRACT_CLOCKS, EXTRACT_MOVES, ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.status import Action
from tests.services.conftest import NOON
from tests.services.notifications.conftest import CERTIFICATE, PARTIES, PostOffice

EXTRACT = "00000000-0000-4000-8000-0000000e0001"
TARGET = ExtractStatus.VERIFIED


def moved(action: Action, by: str) -> ExtractMoved:
    """An extract was moved by somebody."""
    return ExtractMoved(
        at=NOON, extract_id=EXTRACT, certificate_id=CERTIFICATE, number="COI.MA.2026.0000001-E01",
        source=ExtractStatus.SUBMITTED, target=TARGET, action=action, revision=3, by=by, parties=PARTIES,
    )  # fmt: skip


def test_every_move_and_every_clock_of_an_extract_has_a_letter() -> None:
    asked = {move.action.value for move in EXTRACT_MOVES} | {clock.name for clock in EXTRACT_CLOCKS} | {Action.EXTRACT}
    assert asked == set(BATCH_LETTER)
    assert all((TEMPLATES / row.letter / "body.html").exists() for row in BATCH_LETTER.values())


@pytest.mark.parametrize("action", [move.action for move in EXTRACT_MOVES])
def test_nobody_is_told_of_his_own_deed_and_everybody_once(action: Action) -> None:
    told = [notice.organisation_id for notice in batch_notices(moved(action, "perpignan"))]
    assert "perpignan" not in told
    assert len(set(told)) == len(told)


async def test_a_released_batch_is_told_to_its_consignee_and_leads_to_the_extract(office: PostOffice) -> None:
    await office.hear(moved(Action.VERIFY, "perpignan"))
    assert {row.letter for row in await office.letters()} == {"extract-verified"}
    consignee = PARTIES[Tie.CONSIGNEE][0]
    (notice,) = (each for each in batch_notices(moved(Action.VERIFY, "perpignan")) if each.organisation_id == consignee)
    assert (notice.facts["path"], notice.certificate_id) == (f"/extracts/{EXTRACT}", None)
    assert Tie.CONSIGNEE in notice.facts["ties"]


def test_a_clock_tells_those_the_event_names() -> None:
    for clock in EXTRACT_CLOCKS:
        event = ExtractClockRang(
            at=NOON, extract_id=EXTRACT, certificate_id=CERTIFICATE, number="E01", status=clock.while_at,
            clock=clock.name, concerns=["garonne"], parties=PARTIES,
        )  # fmt: skip
        (notice,) = batch_notices(event)
        assert (notice.organisation_id, notice.mail) == ("garonne", True)
