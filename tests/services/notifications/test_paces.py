"""Letters at once, once a day, or never: each kind for itself, and never those about one's own account."""

from datetime import UTC, datetime

import pytest

from services.notifications.activities import Letters
from services.notifications.letters import LETTERS, ORDERED
from services.notifications.paces import DIGEST, TOPIC, next_morning, pace_of
from shared.contracts.notifications import LetterOrder, Pace, Topic
from tests.services.notifications.conftest import PostOffice, person_id, submitted


def test_every_letter_an_event_causes_is_of_one_kind_and_no_ordered_one_is() -> None:
    assert {row.letter for row in LETTERS} <= set(TOPIC)
    assert not (ORDERED | {DIGEST}) & set(TOPIC)
    assert set(TOPIC.values()) == set(Topic)
    assert pace_of("password-changed", dict.fromkeys(Topic, Pace.NEVER)) is Pace.NOW


@pytest.mark.parametrize(
    ("now", "zone", "morning"),
    [
        ("2026-11-20T12:00", "Europe/Paris", "2026-11-21T06:00"),
        ("2026-11-20T05:59", "Europe/Paris", "2026-11-20T06:00"),
        ("2026-11-20T06:00", "Europe/Paris", "2026-11-21T06:00"),
        ("2026-07-01T12:00", "Europe/Paris", "2026-07-02T05:00"),
        ("2026-11-20T12:00", "Asia/Jakarta", "2026-11-21T00:00"),
        ("2026-11-20T12:00", "Nowhere/Land", "2026-11-21T07:00"),
    ],
)
def test_the_morning_is_seven_oclock_where_the_person_is(now: str, zone: str, morning: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_morning(at, zone) == datetime.fromisoformat(morning).replace(tzinfo=UTC)


async def test_letters_of_one_day_come_as_one_in_the_morning(office: PostOffice) -> None:
    office.hall.change("ines", notify={"certificates": "daily"})
    await office.hear(submitted(), submitted())
    await office.deliver()
    assert office.server.to("ines") == []
    office.clock.forward(hours=20)
    await office.deliver()
    (digest,) = office.server.to("ines")
    body = digest.get_body(("plain",))
    assert body is not None
    assert "COI.MA.2026" in body.get_content()
    assert {each.state for each in await office.letters() if each.person_id == person_id("ines")} == {
        "GATHERED", "SENT",
    }  # fmt: skip
    office.clock.forward(days=1)
    await office.deliver()
    assert len(office.server.to("ines")) == 1


async def test_what_is_never_wanted_is_not_mailed_but_stays_news(office: PostOffice) -> None:
    office.hall.change("ines", notify={"certificates": "never"})
    await office.hear(submitted())
    office.clock.forward(days=2)
    await office.deliver()
    assert office.server.to("ines") == []
    assert person_id("ines") in {each.person_id for each in await office.news()}
    assert "UNWANTED" in {each.state for each in await office.letters()}


async def test_a_letter_about_the_account_always_comes(office: PostOffice) -> None:
    office.hall.change("ines", notify=dict.fromkeys(Topic, "never"))
    await Letters(office.around).send(LetterOrder("key-1", "password-link", person_id("ines"), "link-1"))
    await office.deliver()
    assert len(office.server.to("ines")) == 1
