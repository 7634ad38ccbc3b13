"""A small tool signs somebody in, over HTTP: its browser at the real portal, its server at the real identity."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from services.identity.tools import Tool
from services.portal.app import create_app
from services.portal.factors import FactorsOverHttp
from services.portal.over_http import IdentityOverHttp
from services.portal.settings import PortalSettings
from services.portal.tools import ToolsOverHttp
from services.portal.wire import Wire
from shared.kit.keys import keyring
from tests.portal.conftest import ADDRESS, Browser
from tests.portal.world import build
from tests.services.identity.conftest import CLAIRE, PASSWORD, House

BACK = "https://stock.example/back"


class RelyingParty:
    """What a tool's own server does: it knows one address and its secret, and learns the rest."""

    def __init__(self, web: httpx2.AsyncClient, tool: Tool) -> None:
        assert tool.secret is not None
        self.web, self.tool, self.secret = web, tool, tool.secret.get_secret_value()
        self.known: dict[str, Any] = {}

    async def begin(self) -> str:
        """Where it sends the browser."""
        self.known = (await self.web.get("/.well-known/openid-configuration")).json()
        self.verifier, self.state, self.nonce = (secrets.token_urlsafe(40) for _ in range(3))
        asked = {
            "response_type": "code", "client_id": self.tool.client_id, "redirect_uri": BACK, "scope": "openid email",
            "state": self.state, "nonce": self.nonce, "code_challenge_method": "S256",
            "code_challenge": create_s256_code_challenge(self.verifier),
        }  # fmt: skip
        return f"{self.known['authorization_endpoint']}?{urlencode(asked)}"

    async def finish(self, returned: str) -> dict[str, Any]:
        """The browser is back: who is it?"""
        assert returned.startswith(f"{BACK}?")
        said = {name: values[0] for name, values in parse_qs(urlsplit(returned).query).items()}
        assert (said["state"], said["iss"]) == (self.state, self.known["issuer"])
        form = {"grant_type": "authorization_code", "code": said["code"], "redirect_uri": BACK,
                "code_verifier": self.verifier}  # fmt: skip
        answer = await self.web.post(self.known["token_endpoint"], data=form, auth=(self.tool.client_id, self.secret))
        assert answer.status_code == 200, answer.text
        keys = KeySet.import_key_set((await self.web.get(self.known["jwks_uri"])).json())
        alg = self.known["id_token_signing_alg_values_supported"]
        claims = jwt.decode(answer.json()["id_token"], keys, algorithms=alg).claims
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (
            self.known["issuer"], [self.tool.client_id], self.nonce
        )  # fmt: skip
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        seen = (await self.web.get(self.known["userinfo_endpoint"], headers=bearer)).json()
        assert seen["sub"] == claims["sub"]
        return dict(seen)


@pytest.fixture
async def browser(house: House, tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser at the real portal, which asks the real identity."""
    house.around.settings.portal_url = ADDRESS
    wire = Wire("", house.client, keyring(tmp_path / "codec.key", "services"))
    clients = replace(
        build().clients, identity=IdentityOverHttp(wire), factors=FactorsOverHttp(wire), tools=ToolsOverHttp(wire)
    )
    settings = PortalSettings(portal_url=ADDRESS, codec_key_file=tmp_path / "codec.key", var=tmp_path)
    site = create_app(settings, clients, now=house.clock)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=ADDRESS) as web:
        yield Browser(web)


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_small_tool_signs_somebody_in(house: House, browser: Browser, trusted: bool) -> None:
    said = {"client_id": "stock", "name": "Stock book", "secret": secrets.token_hex(16), "redirect_uris": [BACK]}
    tool = Tool.model_validate({**said, "trusted": trusted})
    house.around.settings.tools = (tool,)
    party = RelyingParty(browser.client, tool)
    door = await browser.client.get(await party.begin(), follow_redirects=False)
    assert urlsplit(door.headers["location"]).path == "/sign-in", "first he signs in"
    wanted = parse_qs(urlsplit(door.headers["location"]).query)["next"][0]
    form = {"email": "claire@pyrenees.example", "password": PASSWORD, "next": wanted}
    page = await browser.post("/sign-in", form, follow=False)
    page = await browser.client.get(page.headers["location"], headers={"Sec-Fetch-Site": "same-origin"})
    if not trusted:
        assert "Stock book" in page.text
        query = unescape(re.search(r'name="query" value="([^"]*)"', page.text)[1])  # type: ignore[index]
        page = await browser.post("/oauth/authorize", {"query": query, "answer": "yes"}, follow=False)
    assert page.status_code == 200, "after a form of ours the browser goes on by a page"
    returned = unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', page.text)[1])  # type: ignore[index]
    assert await party.finish(returned) == {
        "sub": CLAIRE, "email": "Claire@Pyrenees.example", "email_verified": True
    }  # fmt: skip
    if trusted:  # signed in already: straight there and back
        again = await browser.client.get(await party.begin(), follow_redirects=False)
        assert (await party.finish(again.headers["location"]))["sub"] == CLAIRE
