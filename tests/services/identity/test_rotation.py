"""New signing keys: published before they sign, and the old ones until nothing they have signed is good any more."""

import base64
import json
from datetime import timedelta

import pytest

from services.identity import store
from services.identity.chest import AHEAD
from services.identity.rotation import AT_ONCE, rotate
from tests.services.identity.conftest import House, by

DOORS = {"tokens": "/.well-known/jwks.json", "tools": "/oauth/keys"}


async def published(house: House, which: str = "tokens") -> list[str]:
    """The keys everybody may read, the newest first."""
    answer = await house.client.get(DOORS[which])
    return [each["kid"] for each in answer.json()["keys"]]


async def token(house: House) -> tuple[str, str]:
    """A fresh service token of Claire's, and the key that signed it."""
    made = str((await house.client.post("/tokens", headers=by(await house.secret()))).json()["token"])
    head = made.partition(".")[0]
    return made, str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


async def accepted(house: House, shown: str) -> bool:
    answer = await house.client.get("/me", headers={"Authorization": f"Bearer {shown}"})
    return answer.status_code == 200


async def test_a_new_key_signs_once_everybody_has_it_and_the_old_one_stays_while_it_counts(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = await published(house)
    (old_tool,) = await published(house, "tools")
    assert (await token(house))[1] == old
    house.clock.forward(seconds=1)
    await rotate(house.around.settings, [], house.clock)
    new = (await published(house))[0]
    assert await published(house) == [new, old]
    assert (await published(house, "tools"))[1:] == [old_tool]
    assert f"tokens: {new} signs from 2026-11-20 13:00 UTC" in capsys.readouterr().out

    house.clock.time += AHEAD - timedelta(seconds=1)
    before, signed = await token(house)
    assert signed == old, "published, but not everybody has read it yet"
    house.clock.forward(seconds=61)
    after, signed = await token(house)
    assert signed == new
    assert await accepted(house, before), "a token lives on whatever its key does"
    assert await accepted(house, after)

    house.clock.forward(seconds=90)
    assert await published(house) == [new]
    assert len(await published(house, "tools")) == 2, "an id token lives longer"
    house.clock.forward(minutes=10)
    assert len(await published(house, "tools")) == 1
    async with house.around.database.transaction() as session:
        await store.forget_retired_keys(session, house.clock())
    assert await house.one("SELECT count(*) FROM signing_key") == 2, "the private halves are gone"


async def test_a_key_in_wrong_hands_goes_at_once(house: House) -> None:
    (old,) = await published(house)
    await rotate(house.around.settings, ["tokens"], house.clock)
    await rotate(house.around.settings, ["tokens", AT_ONCE], house.clock)
    (new,) = await published(house)
    assert new != old
    house.clock.forward(minutes=1)
    assert (await token(house))[1] == new
    assert len(await published(house, "tools")) == 1, "the other purpose was not named"


async def test_what_cannot_be_rotated_is_said(house: House) -> None:
    with pytest.raises(SystemExit, match=r"rotate .tokens.tools. .*not seals"):
        await rotate(house.around.settings, ["seals"], house.clock)
