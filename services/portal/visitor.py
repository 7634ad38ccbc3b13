"""Who looks at the page: his session, his person, the organisation he acts for, his language.

One thing to remember: the cookie holds the session's secret and nothing else; everything about the person is asked
from identity, and kept no longer than his token lives.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx2
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from services.portal import words
from services.portal.clients import SOURCE, Caller, Clients, Trouble
from services.portal.held import whose
from services.portal.look import Look
from services.portal.security import (
    BROWSER_COOKIE,
    FormKeys,
    new_browser,
    refuse_foreign_origin,
    refuse_forged_form,
)
from services.portal.settings import PortalSettings
from shared.contracts.identity import PersonView, PostView, ServiceToken
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType
from shared.words import best_language

SESSION_COOKIE: Final = "session"
POST_COOKIE: Final = "post"
LANGUAGE_COOKIE: Final = "language"
UNFORMED: Final = ("/ops/temporal/", "/ops/codec/")
"""Asked by the engine's own pages, which know nothing of our forms; the guard of the origin holds there too."""
A_YEAR: Final = 365 * 24 * 3600
EARLY: Final = timedelta(seconds=15)
"""A token is renewed this long before it ends, so that it does not end on the way."""
A_MOMENT: Final = 1.0
"""Seconds a page waits for the number of unread news."""


@dataclass(frozen=True)
class Visitor:
    """A person who has signed in, in one of his posts."""

    session: str
    token: str
    person: PersonView
    post: PostView | None
    proved_at: datetime | None = None
    """When he last proved to be himself."""
    ways: tuple[str, ...] = ()
    """His second factors."""
    unread: int = 0
    """How many news he has not read, as of when his token was made."""

    @property
    def name(self) -> str:
        """First and last name, as they appear beside a signature."""
        return f"{self.person.first_name} {self.person.last_name}"

    @property
    def email(self) -> str:
        """The address he signs in with."""
        return self.person.email

    @property
    def posts(self) -> list[PostView]:
        """All his posts."""
        return self.person.posts

    @property
    def is_ops(self) -> bool:
        """Whether he acts as a platform administrator."""
        return self.post is not None and self.post.role_type == RoleType.SYS_ADMIN

    @property
    def caller(self) -> Caller:
        """On whose behalf services are asked."""
        return Caller(self.token, self.post.organisation_id if self.post else None)


@dataclass
class Known:
    """What is remembered of a session while its token lives."""

    ticket: ServiceToken
    person: PersonView
    unread: int | None
    """None is to be asked anew."""


@dataclass
class Doorkeeper:
    """Turns session cookies into visitors, and remembers each for as long as his token lives."""

    clients: Clients
    clock: Callable[[], datetime]
    known: dict[str, Known] = field(default_factory=dict)

    async def visitor(self, session: str, wanted: str) -> Visitor | None:
        """The visitor with this session, acting for the organisation he wants; None when the session has ended."""
        mark = _mark(session)
        found = self.known.get(mark)
        if found is None or found.ticket.expires_at <= self.clock() + EARLY:
            try:
                ticket = await self.clients.identity.token(session)
                caller = Caller(ticket.token)
                person, unread = await asyncio.gather(self.clients.identity.me(caller), self._unread(caller))
            except Trouble as trouble:
                if trouble.status in (401, 403, 404):
                    self.forget(session)
                    return None
                raise
            if len(self.known) > 5000:
                self.known.clear()
            found = self.known[mark] = Known(ticket, person, unread)
        if found.unread is None:
            found.unread = await self._unread(Caller(found.ticket.token))
        ticket, person = found.ticket, found.person
        post = next((post for post in person.posts if post.organisation_id == wanted), None)
        chosen = post or (person.posts[0] if person.posts else None)
        return Visitor(session, ticket.token, person, chosen, ticket.proved_at, tuple(ticket.ways), found.unread)

    async def _unread(self, caller: Caller) -> int:
        """How many news he has not read; none where they cannot be asked, for no page waits for that."""
        with suppress(Trouble, TimeoutError):
            async with asyncio.timeout(A_MOMENT):
                return (await self.clients.notifications.news(caller, limit=1)).unread
        return 0

    def counted(self, session: str, unread: int | None) -> None:
        """So many news are unread now; None has them counted for the next page."""
        if found := self.known.get(_mark(session)):
            found.unread = unread

    def forget(self, session: str) -> None:
        """Ask identity anew next time."""
        self.known.pop(_mark(session), None)


def _mark(session: str) -> str:
    return sha256(session.encode()).hexdigest()


@dataclass(frozen=True)
class House:
    """What all pages share."""

    settings: PortalSettings
    clients: Clients
    look: Look
    keys: FormKeys
    doorkeeper: Doorkeeper
    clock: Callable[[], datetime]
    engine: httpx2.AsyncClient
    """The way to the engine's own pages, for ops."""


class SignInFirst(Exception):
    """The page is for people who have signed in; the reader is sent to the door and back."""


def the_house(request: Request) -> House:
    """What all pages share."""
    house: House = request.app.state.house
    return house


def reader_of(request: Request) -> words.Reader:
    """Who reads, as far as the request itself tells."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    language = chosen if chosen in words.LANGUAGES else best_language(request.headers.get("accept-language"))
    return words.Reader(language, words.reader().zone)


def path_of(request: Request) -> str:
    """The address of the page the reader is on, for the way back."""
    address = request.headers.get("hx-current-url", "") if request.headers.get("hx-request") else ""
    if address and (at := address.find("/", address.find("//") + 2)) > 0:
        return address[at:]
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def page_before(request: Request) -> str:
    """The page of ours from which a form was sent, as its browser says; the first page where it does not."""
    sent_from = urlsplit(request.headers.get("referer", ""))
    if sent_from.netloc != request.headers.get("host", ""):
        return "/"
    return own_path(sent_from.path + (f"?{sent_from.query}" if sent_from.query else ""))


async def enter(request: Request) -> None:
    """Before every page: whose session, whose language, which browser, and whether a posted form is ours."""
    house = the_house(request)
    words.write_for(reader_of(request))
    SOURCE.set(request.client.host if request.client else "")
    session = request.cookies.get(SESSION_COOKIE, "")
    browser = request.cookies.get(BROWSER_COOKIE, "")
    if not browser:
        browser = request.state.new_browser = new_browser()
    request.state.context = {
        "visitor": None,
        "here": path_of(request) if request.method == "GET" else "/",
        "form_token": house.keys.token(browser, session),
        "demo": house.settings.demo,
        "registering": house.settings.registration,
        "environment": house.settings.environment,
        "accounts_of": urlsplit(house.settings.accounts_of).netloc,
        "now": house.clock(),
    }
    request.state.visitor = None
    refuse_foreign_origin(request, house.settings.portal_url)
    if not request.url.path.startswith(UNFORMED):
        await refuse_forged_form(request, house.keys, session)
    if session:
        visitor = await house.doorkeeper.visitor(session, request.cookies.get(POST_COOKIE, ""))
        if visitor is not None:
            words.write_for(words.Reader(words.reader().language, visitor.person.time_zone))
        request.state.visitor = request.state.context["visitor"] = visitor
        if visitor is not None:
            request.state.context["whose"] = whose(house.keys, browser, visitor.person.id)


def optional_visitor(request: Request) -> Visitor | None:
    """The visitor, if he has signed in."""
    visitor: Visitor | None = request.state.visitor
    return visitor


def signed_in(request: Request) -> Visitor:
    """The visitor; whoever has not signed in is sent to the door."""
    visitor = optional_visitor(request)
    if visitor is None:
        raise SignInFirst
    return visitor


def ops_only(request: Request) -> Visitor:
    """The visitor, if he is a platform administrator; for everybody else there is nothing here."""
    visitor = signed_in(request)
    if not visitor.is_ops:
        raise Refused("not_found")
    return visitor


TheHouse = Annotated[House, Depends(the_house)]
Somebody = Annotated[Visitor, Depends(signed_in)]
Anybody = Annotated[Visitor | None, Depends(optional_visitor)]
Ops = Annotated[Visitor, Depends(ops_only)]


def keep(response: Response, name: str, value: str, house: House, lasts: int | None = A_YEAR) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send along with a form."""
    response.set_cookie(
        name, value, max_age=lasts, path="/", httponly=True, samesite="lax", secure=house.settings.secure
    )


def own_path(wanted: str) -> str:
    """The page to go to next, if it is one of ours; otherwise the first page."""
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else "/"
