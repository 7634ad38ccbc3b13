"""What happens to an organisation and to a role: row, journal and news together, or nothing."""

import pytest

from services.directory import demo, store
from services.directory.models import OrganisationRow
from services.directory.store import By
from shared.events.base import CATALOGUE
from shared.events.directory import OrganisationChanged, RoleGranted
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus
from tests.services.directory.conftest import House

ATLAS = demo.organisation_id("atlas-bio-export")
YOUSSEF = demo.person_id("youssef-amrani")
NEWS = "SELECT subject, body FROM outbox ORDER BY id"


async def test_the_demonstration_is_loaded_once(house: House) -> None:
    settings = house.around.settings
    counts = "SELECT (SELECT count(*) FROM organisation), (SELECT count(*) FROM role), (SELECT count(*) FROM outbox)"
    before = await house.all(counts)
    assert await demo.load(house.around.database, settings.demo_file, settings.grants_file, house.clock()) == (0, 0)
    assert await house.all(counts) == before
    assert before[0][2] == before[0][0] + before[0][1]


async def test_loading_again_leaves_alone_what_people_changed(house: House) -> None:
    settings = house.around.settings
    async with house.around.database.transaction() as session:
        await store.change(session, ATLAS, {"city": "Rabat"}, By(), house.clock())
        await store.revoke(session, YOUSSEF, ATLAS, By(), house.clock())
    assert await demo.load(house.around.database, settings.demo_file, settings.grants_file, house.clock()) == (0, 0)
    assert (await house.all("SELECT city FROM organisation WHERE id = :id", id=ATLAS))[0][0] == "Rabat"


async def test_the_news_of_an_organisation_carry_its_whole_record(house: House) -> None:
    events = [CATALOGUE[subject].model_validate(body) for subject, body in await house.all(NEWS)]
    told = next(e for e in events if isinstance(e, OrganisationChanged) and e.organisation.id == ATLAS)
    assert (told.revision, told.what, told.organisation.demo) == (1, "created", True)
    assert told.organisation.identifiers["TRACES"] == "MA-ORG-000118"
    assert told.organisation.activities[0].control_body == demo.organisation_id("ecocert-ma")
    granted = next(e for e in events if isinstance(e, RoleGranted) and e.person_id == YOUSSEF)
    assert (granted.organisation_id, granted.role_type, granted.administrator) == (ATLAS, "OPERATOR", True)


async def test_a_change_is_journalled_with_who_and_why(house: House) -> None:
    by = By(YOUSSEF, ATLAS, "We have moved.")
    async with house.around.database.transaction() as session:
        await store.change(session, ATLAS, {"city": "Rabat", "country": "MA"}, by, house.clock(), "moved")
        await store.change(session, ATLAS, {"city": "Rabat"}, by, house.clock())
    async with house.around.database.transaction() as session:
        line = [line for line in await store.journal(session, ATLAS) if line.record][-1]
    assert (line.revision, line.what, line.person_id, line.acting_for, line.why) == (
        2,
        "moved",
        YOUSSEF,
        ATLAS,
        "We have moved.",
    )
    assert line.changed == {"city": "Agadir"}
    assert line.record["city"] == "Rabat"
    news = await house.all("SELECT body FROM outbox WHERE subject = 'directory.organisation.changed.v1' ORDER BY id")
    assert (news[-1][0]["revision"], news[-1][0]["organisation"]["city"]) == (2, "Rabat")
    assert await house.names(text="rabat") == ["atlas-bio-export"]


async def test_nothing_is_told_of_what_did_not_happen(house: House) -> None:
    before = await house.all("SELECT count(*) FROM outbox")

    async def fail() -> None:
        async with house.around.database.transaction() as session:
            await store.change(session, ATLAS, {"city": "Rabat"}, By(), house.clock())
            await store.grant(session, YOUSSEF, demo.organisation_id("rif-bio-trading"), False, By(), house.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await house.all("SELECT count(*) FROM outbox") == before
    assert await house.names(text="rabat") == []


async def test_a_role_is_granted_revoked_and_granted_again(house: House) -> None:
    async with house.around.database.transaction() as session:
        await store.grant(session, YOUSSEF, ATLAS, True, By(), house.clock())
        await store.revoke(session, YOUSSEF, ATLAS, By(why="left"), house.clock(), RoleStatus.SUSPENDED)
        with pytest.raises(Refused, match="not_found"):
            await store.revoke(session, YOUSSEF, ATLAS, By(), house.clock())
        await store.grant(session, YOUSSEF, ATLAS, False, By(), house.clock())
    told = await house.all("SELECT subject FROM outbox WHERE body->>'person_id' = :id ORDER BY id", id=YOUSSEF)
    assert [subject for (subject,) in told] == [
        "directory.role.granted.v1",
        "directory.role.revoked.v1",
        "directory.role.granted.v1",
    ]
    with pytest.raises(Refused, match="not_found"):
        async with house.around.database.transaction() as session:
            await store.grant(session, YOUSSEF, demo.person_id("x"), False, By(), house.clock())


async def test_an_authority_and_its_superior_may_come_in_any_order(empty: House) -> None:
    async with empty.around.database.transaction() as session:
        await store.create(session, _authority(1, superior=2), By(), empty.clock())
        await store.create(session, _authority(2, superior=None), By(), empty.clock())
    assert len(await empty.all("SELECT id FROM organisation")) == 2


def _authority(number: int, superior: int | None) -> OrganisationRow:
    return OrganisationRow(
        id=f"00000000-0000-4000-8000-{number:012}",
        superior=f"00000000-0000-4000-8000-{superior:012}" if superior else None,
        kind="AUTHORITY",
        name=f"Authority {number}",
        country="FR",
        status="VALID",
    )
