"""Who is told what, and once."""

import asyncio
from uuid import uuid4

import pytest

from services.notifications.letters import LETTERS, rows_for
from services.notifications.writing import TEMPLATES
from shared.events.certificates import CertificateClockRang, CertificateEdited, CertificateMoved
from shared.events.directory import ActivityPart, RoleRevoked
from shared.rules.deadlines import CLOCKS, Clock, concerned
from shared.rules.permissions import Tie
from shared.rules.status import CONTENT, MOVES, Action, Move, Status
from tests.services.conftest import NOON
from tests.services.notifications.conftest import (
    CERTIFICATE,
    NUMBER,
    PARTIES,
    PostOffice,
    granted,
    moved,
    organisation,
    person_id,
    signed,
    submitted,
)


def rang(clock: str, status: Status) -> CertificateClockRang:
    """A clock rings for those the law names."""
    told = sorted({each for tie in concerned(clock) for each in PARTIES.get(tie, [])})
    return CertificateClockRang(
        at=NOON, certificate_id=CERTIFICATE, number=NUMBER, status=status, clock=clock, concerns=told, parties=PARTIES
    )


def edited(by: str, status: Status = Status.ISSUED, announced: bool = False) -> CertificateEdited:
    """Boxes are changed."""
    return CertificateEdited(
        at=NOON, certificate_id=CERTIFICATE, number=NUMBER, status=status, revision=4, by=by, boxes=["arrival_at"],
        parties=PARTIES, announced=announced,
    )  # fmt: skip


async def told(office: PostOffice, letter: str) -> set[str]:
    """Who gets this letter by mail: his organisation's people by the first letters of their ids."""
    return {row.person_id for row in await office.letters() if row.letter == letter}


def ids(*names: str) -> set[str]:
    """The ids of people."""
    return {person_id(name) for name in names}


@pytest.mark.parametrize("move", [m for m in MOVES if m.action not in CONTENT], ids=lambda m: f"{m.action}-{m.source}")
def test_every_move_has_a_letter(move: Move) -> None:
    assert rows_for(moved(move.action, move.source, move.target or Status.ISSUED, "ecocert"))


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: clock.name)
def test_every_clock_has_a_letter(clock: Clock) -> None:
    assert len(rows_for(rang(clock.name, clock.while_at))) == 1


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: clock.name)
async def test_a_clock_tells_those_the_law_names(office: PostOffice, clock: Clock) -> None:
    ring = rang(clock.name + ("#2" if clock.every else ""), clock.while_at)
    await office.hear(ring)
    people = {row.person_id for row in await office.letters()}
    expected = {"atlas": ids("youssef", "salma"), "ecocert": ids("ines"), "pyrenees": ids("claire"),
                "garonne": ids("luc"), "perpignan": ids("paul"), "dgccrf": ids("anne")}  # fmt: skip
    besides = ids("bram") if clock.name == "reception_overdue" else set()
    assert people == set().union(*(expected[each] for each in ring.concerns)) | besides


def test_no_row_speaks_of_what_does_not_exist() -> None:
    known = {*Action, "announced", "amended", *(clock.name for clock in CLOCKS)}
    assert {row.what for row in LETTERS} <= known
    assert all((TEMPLATES / row.letter / "body.html").exists() for row in LETTERS)


async def test_a_submission_is_mailed_to_the_issuing_body_and_receipted_in_app(office: PostOffice) -> None:
    await office.hear(submitted())
    assert await told(office, "submitted") == ids("ines")
    assert len(await office.letters()) == 1
    assert {(row.letter, row.person_id) for row in await office.news()} == {
        ("submitted", person_id("ines")),
        ("submitted-receipt", person_id("youssef")),
        ("submitted-receipt", person_id("salma")),
    }


async def test_an_issue_is_told_to_all_parties_and_the_importers_control_body(office: PostOffice) -> None:
    await office.hear(signed())
    assert await told(office, "issued") == ids("youssef", "salma", "claire", "luc", "paul", "bram")


@pytest.mark.parametrize(
    ("action", "letter"),
    [
        (Action.VERIFY, "verified"),
        (Action.OPEN_BATCHES, "base-for-extract"),
        (Action.RELEASE_CONVENTIONAL, "released-conventional"),
        (Action.REJECT, "not-released"),
    ],
)
async def test_a_decision_is_told_to_consignee_importer_body_and_exporter(
    office: PostOffice, action: Action, letter: str
) -> None:
    await office.hear(moved(action, Status.ISSUED, Status.CONSIGNMENT_VERIFIED, "perpignan"))
    assert await told(office, letter) == ids("luc", "claire", "ines", "youssef", "salma")


async def test_a_reception_is_told_to_importer_authority_and_body(office: PostOffice) -> None:
    await office.hear(moved(Action.RECEIVE, Status.CONSIGNMENT_VERIFIED, Status.FIRST_CONSIGNEE_SIGNED, "garonne"))
    assert await told(office, "received") == ids("claire", "paul", "ines")


async def test_nobody_hears_of_a_deleted_draft(office: PostOffice) -> None:
    await office.hear(moved(Action.DELETE, Status.DRAFT, Status.DELETED, "atlas", number=None))
    assert await office.letters() == []


async def test_a_deletion_by_the_body_is_told_to_the_creator_and_both_traders(office: PostOffice) -> None:
    await office.hear(moved(Action.DELETE, Status.DESCRIPTION_COMPLETED, Status.DELETED, "ecocert", reason="twice"))
    assert await told(office, "deleted") == ids("youssef", "salma", "claire")


async def test_a_deletion_by_the_authority_is_told_to_all(office: PostOffice) -> None:
    await office.hear(moved(Action.DELETE, Status.CONSIGNMENT_VERIFIED, Status.DELETED, "dgccrf", reason="error"))
    assert await told(office, "deleted") == ids("youssef", "salma", "claire", "luc", "paul", "ines", "bram")


async def test_the_first_time_of_arrival_is_the_prior_notification(office: PostOffice) -> None:
    await office.hear(edited("pyrenees", announced=True))
    assert await told(office, "prior-notification") == ids("paul")
    assert await told(office, "amended") == ids("youssef", "salma", "luc", "bram")


async def test_changes_before_the_issue_are_told_to_nobody_but_an_announced_arrival(office: PostOffice) -> None:
    await office.hear(edited("atlas", Status.DRAFT, announced=True), edited("ecocert", Status.DESCRIPTION_COMPLETED))
    assert await office.letters() == []
    await office.hear(edited("pyrenees", Status.DESCRIPTION_COMPLETED, announced=True))
    assert await told(office, "prior-notification") == ids("paul")


async def test_an_event_that_comes_twice_is_one_letter_and_one_piece_of_news(office: PostOffice) -> None:
    event = signed()
    await office.hear(event, event)
    await office.deliver()
    await office.hear(event)
    await office.deliver()
    assert len(await office.letters()) == len(await office.news()) == len(office.server.taken) == 6
    assert len(set(office.server.ids)) == 6


async def test_an_organisation_with_two_ties_gets_one_letter(office: PostOffice) -> None:
    await office.hear(signed(parties=PARTIES | {Tie.CONSIGNEE: ["pyrenees"], Tie.RFL: ["pyrenees"]}))
    assert [row.person_id for row in await office.letters()].count(person_id("claire")) == 1


async def test_a_person_in_two_organisations_gets_one_letter(office: PostOffice) -> None:
    await office.hear(granted("claire", organisation_id="garonne"), signed())
    assert [row.person_id for row in await office.letters()].count(person_id("claire")) == 1


async def test_news_that_overtake_the_directory_still_arrive(office: PostOffice) -> None:
    event = submitted(parties=PARTIES | {Tie.ISSUER: ["ceres"]}, at=NOON)
    await office.hear(event)
    assert await office.letters() == []
    await office.hear(granted("bram", organisation_id="ceres", at=NOON))
    assert await told(office, "submitted") == ids("bram")


async def test_the_importers_control_body_is_told_also_when_the_directory_names_it_later(office: PostOffice) -> None:
    await office.hear(signed(parties=PARTIES | {Tie.IMPORTER: ["abian"]}))
    assert person_id("bram") not in await told(office, "issued")
    certified = [ActivityPart(kind="ORG_IMPORTER", control_body="certisys")]
    late = organisation("pyrenees", id="abian", activities=certified)
    await office.hear(late, late)
    assert person_id("bram") in await told(office, "issued")


async def test_whoever_joins_later_gets_no_old_letters(office: PostOffice) -> None:
    await office.hear(submitted())
    office.clock.forward(days=1)
    late = granted("bram", organisation_id="ecocert", at=office.clock())
    await office.hear(late, late, submitted(id=uuid4()))
    assert person_id("bram") not in await told(office, "submitted")


async def test_whoever_left_gets_nothing_more_not_even_what_waits(office: PostOffice) -> None:
    await office.hear(submitted())
    await office.hear(RoleRevoked(at=NOON, person_id=person_id("ines"), organisation_id="ecocert"))
    await office.hear(submitted())
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("FAILED", "role_ended")
    assert office.server.taken == []


async def test_a_role_and_an_event_at_the_same_moment_do_not_miss_each_other(office: PostOffice) -> None:
    for number in range(12):
        ceres = f"ceres-{number}"
        await asyncio.gather(
            office.hear(submitted(parties=PARTIES | {Tie.ISSUER: [ceres]})),
            office.hear(granted("bram", organisation_id=ceres)),
        )
    assert len(await office.letters()) == 12


async def test_an_older_record_of_an_organisation_does_not_overwrite_a_newer_one(office: PostOffice) -> None:
    newer = organisation("ecocert", name="ECOCERT International (démonstration)", revision=5)
    await office.hear(newer, organisation("ecocert"), submitted())
    await office.deliver()
    assert "ECOCERT International" in office.server.taken[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_move_of_the_system_is_understood() -> None:
    event = moved(Action.DELETE, Status.DRAFT, Status.DELETED, "", number=None)
    assert isinstance(event, CertificateMoved)
    assert [row.letter for row in rows_for(event)] == ["draft-deleted"]
