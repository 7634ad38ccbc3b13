"""Access tokens of programs: who mints them, what is kept of them, when they stop being good."""

from typing import Any

import pytest
from sqlalchemy import text

from services.identity import store
from services.identity.models import OrganisationRow, PostRow
from shared.kit.tokens import digest
from tests.services.conftest import NOON, PassportOffice
from tests.services.identity.conftest import CLAIRE, PERPIGNAN, TOULOUSE, House, by

NEW = {"name": "Warehouse", "scopes": ["act", "read"], "days": 30}


async def hers(house: House) -> dict[str, str]:
    """The header of Claire, administrator of her organisation."""
    token = (await house.client.post("/tokens", headers=by(await house.secret()))).json()["token"]
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": "one-key-of-claires"}


async def minted(house: House, **more: Any) -> Any:
    """A fresh token of hers."""
    answer = await house.client.post("/access-tokens", json={**NEW, **more}, headers=await hers(house))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def shown(house: House, passports: PassportOffice, secret: str) -> Any:
    """What identity says of a token to another service."""
    return await house.client.post(
        "/access-tokens/presented", json={"digest": digest(secret)}, headers=passports.service("certificates")
    )


async def test_an_administrator_mints_a_token_and_only_its_digest_is_kept(
    house: House, passports: PassportOffice
) -> None:
    made = await minted(house)
    assert made["secret"].startswith("bdx_")
    assert made["token"]["beginning"] == made["secret"][:10]
    assert await minted(house) == made
    async with house.around.database.transaction() as session:
        row = (await session.execute(text("SELECT t::text FROM access_token t"))).scalar_one()
    assert made["secret"] not in row
    said = (await shown(house, passports, made["secret"])).json()
    assert (said["organisation_id"], said["role_type"], said["scopes"]) == (TOULOUSE, "OPERATOR", ["read", "act"])
    (listed,) = (await house.client.get("/access-tokens", headers=await hers(house))).json()
    assert (listed["name"], listed["last_used_at"]) == ("Warehouse", NOON.isoformat().replace("+00:00", "Z"))
    assert "secret" not in listed


async def test_another_wish_under_the_same_key_is_refused(house: House) -> None:
    await minted(house)
    answer = await house.client.post("/access-tokens", json={**NEW, "name": "Other"}, headers=await hers(house))
    assert answer.json()["code"] == "key_reused"


async def test_a_token_that_was_revoked_expired_or_whose_organisation_fell_is_nobody(
    house: House, passports: PassportOffice
) -> None:
    made = await minted(house)
    assert (await shown(house, passports, "bdx_wrong")).status_code == 404
    async with house.around.database.transaction() as session:
        fallen = OrganisationRow(id=TOULOUSE, name="Pyrénées", status="SUSPENDED", revision=2)
        await store.remember_organisation(session, fallen)
    assert (await shown(house, passports, made["secret"])).status_code == 404
    async with house.around.database.transaction() as session:
        back = OrganisationRow(id=TOULOUSE, name="Pyrénées", status="VALID", revision=3)
        await store.remember_organisation(session, back)
    assert (await shown(house, passports, made["secret"])).status_code == 200
    for _ in range(2):
        gone = await house.client.delete(f"/access-tokens/{made['token']['id']}", headers=await hers(house))
        assert gone.status_code == 204
    assert (await shown(house, passports, made["secret"])).status_code == 404


async def test_a_token_ends_with_its_day(house: House, passports: PassportOffice) -> None:
    made = await minted(house)
    house.clock.forward(days=31)
    assert (await shown(house, passports, made["secret"])).status_code == 404


async def test_who_is_no_administrator_mints_nothing(house: House, passports: PassportOffice) -> None:
    async with house.around.database.transaction() as session:
        for organisation, administrator in ((TOULOUSE, False), (PERPIGNAN, True)):
            await store.remember_post(
                session,
                PostRow(
                    person_id=CLAIRE,
                    organisation_id=organisation,
                    role_type="OPERATOR",
                    administrator=administrator,
                    since=NOON,
                ),
            )
    headers = await hers(house)
    for organisation, status in ((TOULOUSE, 403), (PERPIGNAN, 201)):
        answer = await house.client.post("/access-tokens", json=NEW, headers={**headers, "Acting-For": organisation})
        assert answer.status_code == status
    assert (await house.client.get("/access-tokens", headers=passports.service())).status_code == 401
    asked = await house.client.post("/access-tokens/presented", json={"digest": "0" * 64}, headers=headers)
    assert asked.status_code == 401


@pytest.mark.parametrize("wrong", [{"scopes": []}, {"scopes": ["sign"]}, {"days": 0}, {"days": 400}, {"name": " "}])
async def test_a_token_without_end_or_scope_is_refused(house: House, wrong: dict[str, Any]) -> None:
    answer = await house.client.post("/access-tokens", json={**NEW, **wrong}, headers=await hers(house))
    assert answer.status_code == 422
