"""What identity hears from the directory, and what it tells."""

from pathlib import Path

import deploy
from services.identity import demo, events, store
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from shared.events.directory import Organisation, OrganisationChanged, RoleGranted, RoleRevoked
from tests.services.conftest import NOON, DatabaseOf
from tests.services.identity.conftest import CLAIRE, PERPIGNAN, TOULOUSE, House, by

ACCOUNTS = Path(str(deploy.__file__)).parent / "demo" / "accounts.json"


async def test_a_role_that_was_granted_is_a_post_of_the_person(house: House) -> None:
    event = RoleGranted(at=NOON, person_id=CLAIRE, organisation_id=PERPIGNAN, role_type="AUTHORITY")
    async with house.around.database.transaction() as session:
        await events.remember_post(session, event)
        await events.remember_post(session, event.model_copy(update={"administrator": True}))
    person = (await house.sign_in()).json()["person"]
    assert [(post["organisation"], post["administrator"]) for post in person["posts"]] == [
        ("Perpignan", True),
        ("Pyrénées Bio Import", True),
    ]


async def test_a_role_that_was_revoked_ends_the_sessions_that_carry_it(house: House) -> None:
    secrets = [await house.secret() for _ in range(2)]
    async with house.around.database.transaction() as session:
        await events.forget_post(session, RoleRevoked(at=NOON, person_id=CLAIRE, organisation_id=TOULOUSE))
    for secret in secrets:
        assert (await house.client.get("/me", headers=by(secret))).json()["code"] == "session_ended"
    assert len(await house.announced("identity.session.ended.v1")) == 2
    assert (await house.sign_in()).json()["person"]["posts"] == []


async def test_an_organisation_keeps_its_newest_name(house: House) -> None:
    for revision, name in ((3, "Newest"), (2, "Older"), (3, "Same again")):
        record = Organisation(id=TOULOUSE, kind="OPERATOR", name=name, country="FR", status="VALID")
        async with house.around.database.transaction() as session:
            await events.remember_organisation(
                session, OrganisationChanged(at=NOON, organisation=record, revision=revision)
            )
    assert (await house.sign_in()).json()["person"]["posts"][0]["organisation"] == "Newest"


async def test_overdue_sessions_are_ended_and_told_and_at_last_forgotten(house: House) -> None:
    limits = house.desk.limits
    await house.secret()
    house.clock.forward(minutes=20)
    await house.secret()
    house.clock.forward(minutes=10)
    for _ in range(2):
        async with house.around.database.transaction() as session:
            await store.end_overdue(session, house.clock(), limits)
    assert len(await house.announced("identity.session.ended.v1")) == 1
    assert await house.one("SELECT count(*) FROM session WHERE ended_at IS NULL") == 1
    house.clock.forward(days=31)
    async with house.around.database.transaction() as session:
        await store.end_overdue(session, house.clock(), limits)
    assert await house.one("SELECT count(*) FROM session") == 1


async def test_the_demonstrations_accounts_are_loaded_once(database: DatabaseOf) -> None:
    base, passwords = await database("identity"), Passwords(Settings(argon2_memory_kib=64, argon2_passes=1))
    added = await demo.load(base, passwords, ACCOUNTS, NOON)
    assert added > 30
    assert await demo.load(base, passwords, ACCOUNTS, NOON) == 0
    async with base.transaction() as session:
        account = await store.account_by_email(session, "EXPORTER@atlas.example")
    assert account is not None
    assert account.demo
    assert await passwords.matches("Demonstration-2026!", account.password_hash) == (True, None)
    passwords.close()


async def test_an_outdated_hash_is_renewed_when_the_person_signs_in(house: House) -> None:
    stronger = Passwords(Settings(argon2_memory_kib=128, argon2_passes=1))
    old = await house.one("SELECT password_hash FROM account WHERE id = :id", id=CLAIRE)
    house.desk.attempts.passwords = stronger
    assert (await house.sign_in()).status_code == 201
    new = await house.one("SELECT password_hash FROM account WHERE id = :id", id=CLAIRE)
    assert old != new
    assert "m=128" in new
    assert (await house.sign_in()).status_code == 201
    assert await house.one("SELECT password_hash FROM account WHERE id = :id", id=CLAIRE) == new
