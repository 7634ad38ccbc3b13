"""Accounts are shared between installations, roles never: a browser, two real portals, two real identities."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from services.identity.app import create_app
from services.identity.home import BACK, Home, Way
from services.identity.settings import Settings
from services.identity.tools import Tool
from services.portal import app as portal
from services.portal.factors import FactorsOverHttp
from services.portal.over_http import IdentityOverHttp
from services.portal.settings import PortalSettings
from services.portal.tools import ToolsOverHttp
from services.portal.wire import Wire
from shared.kit.keys import keyring
from tests.portal.conftest import ADDRESS, Browser
from tests.portal.world import build
from tests.services.conftest import Around, Visitor
from tests.services.identity.conftest import CHEAP, CLAIRE, PASSWORD, House, by
from tests.services.identity.test_relying_party import browser

__all__ = ["browser"]
TRAINING = "http://localhost:8099"
SECRET = secrets.token_hex(16)
ROW = {"client_id": "training", "name": "Training", "secret": SECRET, "redirect_uris": [TRAINING + BACK]}


@pytest.fixture
async def training(
    house: House, browser: Browser, around: Around, visit: Visitor, tmp_path: Path
) -> AsyncIterator[tuple[Browser, House]]:
    """A second installation, whose settings name the first."""
    house.around.settings.tools = (Tool.model_validate({**ROW, "trusted": True}),)
    home = Home.model_construct(issuer=ADDRESS, client_id="training", secret=SecretStr(SECRET))  # no TLS in here
    made = await around("identity", Settings, **CHEAP, portal_url=TRAINING, accounts_of=home)
    inside = create_app(made)
    there = House(made, visit(inside), house.clock, inside.state.desk)
    there.desk.home = Way(home, TRAINING + BACK, there.desk.mint, web=browser.client)
    wire = Wire("", there.client, keyring(tmp_path / "codec.key", "services"))
    clients = replace(
        build().clients, identity=IdentityOverHttp(wire), factors=FactorsOverHttp(wire), tools=ToolsOverHttp(wire)
    )
    told = {"portal_url": TRAINING, "accounts_of": ADDRESS, "environment": "training"}
    settings = PortalSettings.model_validate({**told, "codec_key_file": tmp_path / "codec.key", "var": tmp_path})
    site = portal.create_app(settings, clients, now=house.clock)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=TRAINING) as web:
        yield Browser(web), there


async def goes_there_and_back(browser: Browser, training: Browser) -> httpx2.Response:
    """From the button on the sign-in page to the page at which the browser comes back."""
    assert "/sign-in/elsewhere?next=" in (await training.get("/sign-in")).text
    left = await training.client.get("/sign-in/elsewhere?next=/profile", follow_redirects=False)
    assert left.headers["location"].startswith(f"{ADDRESS}/oauth/authorize?")
    returned = await browser.client.get(left.headers["location"], follow_redirects=False)
    assert returned.headers["location"].startswith(TRAINING + BACK)
    return await training.client.get(returned.headers["location"], follow_redirects=False)


async def test_who_signs_in_with_his_account_of_production_has_no_role_here(
    browser: Browser, training: tuple[Browser, House]
) -> None:
    here, inside = training
    form = {"email": "claire@pyrenees.example", "password": PASSWORD}
    assert (await browser.post("/sign-in", form, follow=False)).status_code == 303
    for _ in range(2):  # the second time she is known
        arrived = await goes_there_and_back(browser, here)
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/profile")
        cookies = [each.partition("=")[0] for each in arrived.headers.get_list("set-cookie")]
        assert "training-session" in cookies, "its own, under the same host name"
        me = (await inside.client.get("/me", headers=by(here.client.cookies["training-session"]))).json()
        assert (me["id"], me["first_name"], me["email"], me["posts"]) == (
            CLAIRE, "Claire", "Claire@Pyrenees.example", []
        )  # fmt: skip
        here.client.cookies.delete("training-session")
    assert await inside.one("SELECT count(*) FROM account") == 1
    assert (await inside.sign_in()).status_code == 401, "her password stays where it is"

    async with inside.around.database.transaction() as session:
        await session.execute(text("UPDATE account SET status = 'CLOSED'"))
    assert (await goes_there_and_back(browser, here)).status_code == 403, "who is out here stays out"


async def test_nobody_comes_back_who_was_not_sent(browser: Browser, training: tuple[Browser, House]) -> None:
    here, inside = training
    form = {"email": "claire@pyrenees.example", "password": PASSWORD}
    await browser.post("/sign-in", form, follow=False)
    left = await here.client.get("/sign-in/elsewhere", follow_redirects=False)
    back = (await browser.client.get(left.headers["location"], follow_redirects=False)).headers["location"]
    stolen = httpx2.AsyncClient(transport=here.client._transport, base_url=TRAINING)
    for wrong in (back.replace("state=", "state=x"), back.partition("&iss=")[0], f"{BACK}?error=access_denied"):
        assert (await here.client.get(wrong)).status_code == 401, wrong
    assert (await stolen.get(back)).status_code == 401, "the ticket is in the other browser"
    assert (await here.client.get(back, follow_redirects=False)).status_code == 303
    assert (await here.client.get(back)).status_code == 401, "a code is good once"
    assert (await inside.client.post("/sessions/elsewhere/back", json={"ticket": "x", "said": {}})).status_code == 401


async def test_without_the_setting_there_is_no_such_door(house: House) -> None:
    assert (await house.client.post("/sessions/elsewhere", json={})).status_code == 404
    with pytest.raises(ValidationError, match="TLS"):
        Home.model_validate({"issuer": "http://production.example", "client_id": "x", "secret": "y"})
