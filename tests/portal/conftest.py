"""The web site over the four services in memory, asked in-process by a browser without scripts."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.portal.app import WebSite, create_app
from services.portal.settings import PortalSettings
from shared.kit import log
from tests.portal.world import DEMO, NOON, PASSWORD, World, build

log.set_up("portal", "CRITICAL")
ADDRESS = "http://portal.example"


def site_over(world: World, var: Path, **settings: Any) -> WebSite:
    """The web site over a world."""
    known = PortalSettings(
        portal_url=ADDRESS,
        demo=True,
        demo_file=DEMO / "accounts.json",
        codec_key_file=var / "codec.key",
        var=var,
        **{"registration": "both", **settings},
    )
    return create_app(known, world.clients, now=lambda: NOON)


@dataclass
class Browser:
    """A browser without scripts: it follows links, fills in forms and keeps cookies."""

    client: httpx2.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Open a page."""
        return await self.client.get(path, headers=headers)

    async def token(self) -> str:
        """The token that the forms of this browser carry."""
        page = await self.client.get("/help")
        found = re.search(r"X-Form-Token&#34;: &#34;(\w+)|X-Form-Token\": \"(\w+)", page.text)
        assert found is not None
        return found.group(1) or found.group(2)

    async def post(
        self, path: str, form: Mapping[str, Any] | None = None, follow: bool = True, **headers: Any
    ) -> httpx2.Response:
        """Send a form of ours."""
        data = {**(form or {}), "form_token": await self.token()}
        return await self.client.post(path, data=data, headers=headers, follow_redirects=follow)

    async def upload(self, path: str, name: str, content: bytes) -> httpx2.Response:
        """Send a file with a form of ours."""
        data = {"form_token": await self.token()}
        return await self.client.post(path, data=data, files={name: ("file.pdf", content, "application/pdf")})

    async def sign_in(self, email: str, language: str = "en") -> "Browser":
        """Come in as somebody."""
        answer = await self.post("/sign-in", {"email": email, "password": PASSWORD}, follow=False)
        assert answer.status_code == 303, answer.text
        await self.client.get(f"/language/{language}")
        return self


@pytest.fixture
def world() -> World:
    return build()


@pytest.fixture
def site(world: World, tmp_path: Path) -> WebSite:
    return site_over(world, tmp_path)


@pytest.fixture
async def browser(site: WebSite) -> AsyncIterator[Browser]:
    transport = httpx2.ASGITransport(app=site, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        yield Browser(client)


@pytest.fixture
async def another(site: WebSite) -> AsyncIterator[Callable[[], Browser]]:
    """More browsers, for more people."""
    opened: list[httpx2.AsyncClient] = []

    def one() -> Browser:
        transport = httpx2.ASGITransport(app=site, raise_app_exceptions=False)
        opened.append(httpx2.AsyncClient(transport=transport, base_url=ADDRESS))
        return Browser(opened[-1])

    yield one
    for client in opened:
        await client.aclose()
