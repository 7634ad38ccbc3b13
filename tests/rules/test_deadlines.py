"""The clocks: what rings next for a certificate that stands so."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.rules import lengths, requests
from shared.rules.deadlines import (
    CLOCKS,
    Standing,
    Start,
    clock_of,
    concerned,
    days,
    effect,
    minutes,
    next_due,
    still_rung,
    then,
    working_days,
)
from shared.rules.extracts import EXTRACT_CLOCKS, ExtractStatus, next_extract_due
from shared.rules.permissions import Tie
from shared.rules.status import Status, is_final
from shared.rules.terms import TERMS

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
EASTER_MONDAY = date(2026, 4, 6)


def working(day: date, country: str) -> bool:
    return day.weekday() < 5 and not (country == "FR" and day == EASTER_MONDAY)


def standing(
    status: Status,
    rung: tuple[str, ...] = (),
    complete: bool = True,
    at: datetime = MONDAY,
    since: dict[Start, datetime] | None = None,
    **content: str,
) -> Standing:
    return Standing(status, at, at, content, complete, rung, since or {})


def due(stand: Standing) -> tuple[str, datetime] | None:
    found = next_due(stand, "FR", working)
    return (found.name, found.at) if found else None


def rings(stand_of: Callable[[tuple[str, ...]], Standing]) -> Iterator[tuple[str, float]]:
    """Every ring, in order, as days after the start."""
    rung: tuple[str, ...] = ()
    while found := next_due(stand_of(rung), "FR", working):
        yield found.name, (found.at - MONDAY) / timedelta(days=1)
        rung = (*rung, found.name)


# « Vous avez 90 minutes pour cliquer sur le lien avant qu'il n'expire »
def test_a_link_lives_ninety_minutes() -> None:
    assert lengths.time_of("link") == timedelta(minutes=90)


def test_completion_is_called_for_twice_and_overdue_after_ten_days() -> None:
    assert list(rings(lambda rung: standing(Status.ISSUED, rung, complete=False))) == [
        ("completion_first_call", 5),
        ("completion_last_call", 8),
        ("completion_overdue", 10),
    ]


def test_a_complete_certificate_is_not_called_for() -> None:
    assert due(standing(Status.ISSUED)) is None


def test_the_arrival_is_announced_two_working_days_before_and_missed_one_after() -> None:
    arrival = "2026-03-09T09:00:00+00:00"  # a Monday
    assert [name for name, _ in rings(lambda rung: standing(Status.ISSUED, rung, arrival_at=arrival))] == [
        "announce_arrival",
        "arrival_near",
        "arrival_not_verified",
    ]
    assert due(standing(Status.ISSUED, arrival_at=arrival)) == ("announce_arrival", MONDAY + timedelta(days=3))


def test_a_departure_rings_for_whoever_has_not_signed_yet() -> None:
    leaves = "2026-03-04T09:00:00+00:00"
    at = MONDAY + timedelta(days=2)
    assert due(standing(Status.DESCRIPTION_COMPLETED, departure_at=leaves)) == ("departed_unsigned", at)
    assert due(standing(Status.DRAFT, departure_at=leaves)) == ("departed_as_draft", at)
    assert due(standing(Status.ISSUED, departure_at=leaves)) is None


def test_reception_is_called_for_three_times() -> None:
    names = list(rings(lambda rung: standing(Status.CONSIGNMENT_VERIFIED, rung)))
    assert names == [("reception_first_call", 3), ("reception_last_call", 14), ("reception_overdue", 30)]


def test_a_notice_is_answered_within_thirty_days() -> None:
    assert list(rings(lambda rung: standing(Status.OFIS_IRREGULARITY, rung))) == [
        ("reply_first_call", 15),
        ("reply_last_call", 25),
        ("reply_overdue", 30),
    ]
    assert Tie.CENTRAL_AUTHORITY in concerned("reply_overdue")


def test_a_stale_draft_is_warned_about_and_then_deleted() -> None:
    assert list(rings(lambda rung: standing(Status.DRAFT, rung))) == [("draft_stale", 90), ("draft_expired", 120)]
    assert effect("draft_expired") is Status.DELETED


def test_an_answered_notice_is_not_called_for() -> None:
    assert next_due(replace(standing(Status.OFIS_IRREGULARITY), answered=True), "FR", working) is None


def test_only_a_stale_draft_is_decided_by_silence() -> None:
    assert [clock.name for clock in CLOCKS if clock.effect] == ["replaced", "draft_expired"]


def test_a_signed_successor_takes_the_place_of_its_original_at_once() -> None:
    assert due(standing(Status.ISSUED, complete=False, since={Start.SUCCEEDED: MONDAY})) == ("replaced", MONDAY)
    assert effect("replaced") is Status.REPLACED


@pytest.mark.parametrize(("start", "name", "after"), [
    (Start.SAMPLED, "laboratory_awaited", 7),
    (Start.PROCEDURE, "customs_procedure_open#1", 30),
    (Start.REPLACEMENT, "replacement_unsigned", 7),
])  # fmt: skip
def test_what_was_begun_and_is_not_finished_is_asked_after(start: Start, name: str, after: int) -> None:
    assert due(standing(Status.ISSUED, since={start: MONDAY})) == (name, MONDAY + timedelta(days=after))
    assert due(standing(Status.ISSUED)) is None


def test_a_clock_that_repeats_counts_its_rings() -> None:
    begun = {Start.PROCEDURE: MONDAY}
    assert due(standing(Status.ISSUED, since=begun)) == ("customs_procedure_open#1", MONDAY + timedelta(days=30))
    rung = ("customs_procedure_open#1", "customs_procedure_open#2")
    assert due(standing(Status.ISSUED, rung, since=begun)) == ("customs_procedure_open#3", MONDAY + timedelta(days=90))
    assert clock_of("customs_procedure_open#3").number == "D15"


def test_a_clock_that_should_have_rung_is_still_due() -> None:
    assert due(standing(Status.DRAFT, at=MONDAY - timedelta(days=400))) == (
        "draft_stale",
        MONDAY - timedelta(days=310),
    )


def test_a_changed_date_and_an_edited_draft_start_their_clocks_anew() -> None:
    rung = ("announce_arrival", "completion_first_call", "draft_stale")
    assert still_rung(rung, {"arrival_at"}) == ["completion_first_call"]
    assert still_rung(rung, {"seals"}) == ["announce_arrival", "completion_first_call"]


def test_lengths_may_be_set_otherwise(otherwise: Callable[[str], None]) -> None:
    arrives = "2026-03-20T08:00:00+00:00"  # a Friday
    otherwise("draft_stale=10, announce_arrival=4 extract_undecided=2 expired=45 customs_procedure_open=20")
    assert due(standing(Status.DRAFT)) == ("draft_stale", MONDAY + timedelta(days=10))
    announced = datetime(2026, 3, 16, 8, tzinfo=UTC)
    assert due(standing(Status.ISSUED, arrival_at=arrives)) == ("announce_arrival", announced)
    begun = {Start.PROCEDURE: MONDAY}
    again = standing(Status.ISSUED, ("customs_procedure_open#1",), since=begun)
    assert due(again) == ("customs_procedure_open#2", MONDAY + timedelta(days=40))
    batch = next_extract_due(ExtractStatus.SUBMITTED, MONDAY, (), "FR", working)
    assert batch is not None
    assert (batch.name, batch.at) == ("extract_undecided", MONDAY + timedelta(days=2))
    rung = ("validator_reminded", "escalated")
    assert requests.next_due(MONDAY, None, rung, "FR", working) == ("expired", MONDAY + timedelta(days=45))
    otherwise("")
    assert due(standing(Status.DRAFT)) == ("draft_stale", MONDAY + timedelta(days=90))


def test_what_concerns_accounts_is_set_in_its_own_unit_and_two_warnings_at_once_are_one(
    otherwise: Callable[[str], None],
) -> None:
    warned = ("inactivity_first_warning", "inactivity_last_warning")
    assert lengths.warnings(*warned) == [timedelta(days=14), timedelta(days=3)]
    of_records = lengths.warnings("record_first_warning", "record_last_warning")
    assert of_records == [timedelta(days=30), timedelta(days=7)]
    otherwise("link=120 temporary_password=48 inactivity=6 wrong_passwords=3 inactivity_last_warning=21")
    assert lengths.time_of("link") == timedelta(hours=2)
    assert lengths.time_of("temporary_password") == timedelta(days=2)
    assert (lengths.amount_of("inactivity"), lengths.amount_of("wrong_passwords")) == (6, 3)
    assert lengths.warnings(*warned) == [timedelta(days=21), timedelta(days=14)]
    otherwise("inactivity_last_warning=14")
    assert lengths.warnings(*warned) == [timedelta(days=14)]


@pytest.mark.parametrize("said", ["reply=45", "reply_overdue", "reply_overdue=0", "reply_overdue=-3", "replaced=1"])
def test_a_length_that_cannot_be_meant_is_an_error(said: str) -> None:
    with pytest.raises(ValueError, match=r"no clock is called|whole number"):
        lengths.read(said)


def test_every_clock_with_a_length_can_be_set_and_names_are_used_once() -> None:
    rows = (*CLOCKS, *EXTRACT_CLOCKS, *requests.CLOCKS, *TERMS)
    assert {row.name for row in rows if row.after.amount} == set(lengths.LENGTHS)
    assert len({row.name for row in rows}) == len(rows)
    for name, law in lengths.LENGTHS.items():
        assert lengths.read(f"{name}={abs(law.amount)}") == {name: law}


def test_working_days_step_over_weekends_and_the_holidays_of_the_country() -> None:
    before_easter = datetime(2026, 4, 3, 9, 0, tzinfo=UTC)  # a Friday
    assert working_days(1).after(FRIDAY, "FR", working).date() == date(2026, 3, 9)
    assert working_days(-1).after(MONDAY, "FR", working).date() == date(2026, 2, 27)
    assert working_days(1).after(before_easter, "FR", working).date() == date(2026, 4, 7)
    assert working_days(1).after(before_easter, "BE", working).date() == date(2026, 4, 6)
    assert working_days(0).after(FRIDAY, "FR", working) == FRIDAY


def test_calendar_days_and_minutes_are_just_that() -> None:
    assert days(2).after(FRIDAY, "FR", working) == FRIDAY + timedelta(days=2)
    assert minutes(90).after(FRIDAY, "FR", working) == FRIDAY + timedelta(minutes=90)


def test_every_clock_of_a_certificate_is_a_row_with_somebody_to_tell_and_something_to_happen() -> None:
    assert {clock.number for clock in CLOCKS} == {f"D{number}" for number in range(10, 21)}
    assert len({clock.name for clock in CLOCKS}) == len(CLOCKS)
    for clock in CLOCKS:
        assert clock.tells
        assert then(clock.name).endswith(".")


@pytest.mark.parametrize("status", [status for status in Status if is_final(status)])
def test_nothing_rings_where_nothing_can_move(status: Status) -> None:
    assert next_due(standing(status, complete=False), "FR", working) is None
