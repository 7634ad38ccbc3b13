"""What a story is played on: the installation, its letters, its people, and clean windows.

One thing to remember: stories run in the browser's own thread; whatever waits for the installation waits in the loop.
"""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
from playwright.sync_api import Page, expect

from deploy.local.mailbox import Letter
from deploy.local.stack import Stack
from tests.journeys.people import PASSWORD, People, until
from tests.portal.chromium import Eye, Windows

PICTURES: Final = Path(os.environ.get("PICTURES") or Path(__file__).parents[2] / "var" / "pictures")
PATIENCE: Final = 60
"""Seconds for what usually takes one: the machine may be busy."""
T = TypeVar("T")


@dataclass
class Site:
    """One installation, seen through one browser."""

    stack: Stack
    people: People
    windows: Windows
    loop: asyncio.AbstractEventLoop

    @property
    def address(self) -> str:
        return self.stack.url("portal")

    def window(self, width: int = 1440, scheme: str = "light") -> AbstractContextManager[Eye]:
        """A clean window of a reader of French."""
        return self.windows.open(width, scheme, "fr")

    def wait(self, work: Coroutine[object, object, T]) -> T:
        """What comes of something asynchronous."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(2 * PATIENCE)

    def letters(self, email: str, subject: str, about: str = "") -> list[Letter]:
        """The letters to somebody with this subject, about this; the newest first."""
        box = self.stack.letters
        found = [box.get(each.id) for each in box.all() if email in " ".join(each.to) and subject in each.subject]
        return [each for each in found if each and about in each.text]

    def letter(self, email: str, subject: str, about: str = "", number: int = 1) -> Letter:
        """The newest of so many letters, once they are there."""

        def come() -> list[Letter]:
            found = self.letters(email, subject, about)
            return found if len(found) >= number else []

        newest: Letter = self.wait(until(come, PATIENCE))[0]
        return newest

    def has_post(self, email: str, organisation: str) -> None:
        """Wait until identity has heard by the bus that somebody works for an organisation."""
        self.wait(self._has_post(email, organisation))

    async def _has_post(self, email: str, organisation: str) -> None:
        base = await asyncpg.connect(self.stack.database_url("identity", scheme="postgresql"))
        heard = """SELECT count(*) FROM post JOIN account ON account.id = post.person_id
            JOIN organisation ON organisation.id = post.organisation_id
            WHERE account.email = $1 AND organisation.name LIKE $2 || '%'"""
        try:
            await until(lambda: base.fetchval(heard, email, organisation), PATIENCE)
        finally:
            await base.close()


def types(eye: Eye, email: str, password: str = PASSWORD) -> Page:
    """Somebody types who he is."""
    eye.goto("/sign-in")
    eye.page.locator("#email").fill(email)
    eye.page.locator("#password").fill(password)
    eye.page.locator("#password").press("Enter")
    return eye.page


def come_in(eye: Eye, email: str, password: str = PASSWORD) -> Page:
    """Somebody signs in, and reads French."""
    page = types(eye, email, password)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    if page.locator("html").get_attribute("lang") != "fr":
        eye.goto("/language/fr?back=/")
    expect(page.locator("h1")).to_be_visible()
    return page


def picture(eye: Eye, name: str, whole: bool = False) -> None:
    """Keep what is seen, and have axe look at it."""
    keep(eye.page, name, whole)
    assert eye.violations() == [], name
    assert eye.complaints == [], name
    assert eye.asked_elsewhere == [], name


def keep(page: Page, name: str, whole: bool = False) -> None:
    """Keep what is seen."""
    page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=whole)
