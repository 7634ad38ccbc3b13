"""What awaits me, the news, and the two pages open to everybody: Help and Contact."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, sheets, words
from services.portal.clients import Trouble
from services.portal.names import STATUSES
from services.portal.requests import desk_of
from services.portal.visitor import Anybody, House, Somebody, TheHouse, Visitor, own_path
from shared.contracts.certificate_views import CertificateLine
from shared.contracts.directory import RoleRequestPage
from shared.contracts.notifications import NewsPage
from shared.rules.boxes import Model
from shared.rules.status import MOVES, Status

router = APIRouter()


@router.get("/")
async def home(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """What awaits me."""
    if visitor.is_ops:
        return RedirectResponse("/ops", 303)
    if visitor.post is None:
        nothing: dict[str, Any] = {
            "lines": [],
            "batches": [],
            "latest": [],
            "news": None,
            "counts": {},
            "more": False,
            "requests": None,
        }
        return house.look.page(request, "home.html", current="home", **nothing)
    ask = house.clients.certificates.certificates
    awaiting, latest, batches, requests, news = await asyncio.gather(
        ask(visitor.caller, awaits_me=True, sort="arrival", limit=50),
        ask(visitor.caller, sort="updated", limit=6),
        house.clients.extracts.mine(visitor.caller, awaits_me=True, limit=20),
        _requests(house, visitor),
        _news(house, visitor),
    )
    groups: dict[str, list[CertificateLine]] = {}
    for line in awaiting.items:
        groups.setdefault(sheets.asked(line), []).append(line)
    return house.look.page(
        request,
        "home.html",
        current="home",
        lines=awaiting.items,
        groups=groups,
        batches=batches.items,
        requests=requests,
        unread=_counted(house, visitor, news),
        more=awaiting.next is not None,
        latest=[line for line in latest.items if not line.awaits_me],
        news=news,
        counts=latest.counts,
        statuses=STATUSES,
        may_create=visitor.post.role_type in ("OPERATOR", "CONTROL_BODY"),
        awaiting=len(awaiting.items) + len(batches.items) + (requests.number if requests else 0),
    )


async def _requests(house: House, visitor: Visitor) -> RoleRequestPage | None:
    """The requests to decide, or nothing for whoever decides none and while the directory rests."""
    try:
        return await desk_of(house, visitor).waiting(limit=5)
    except Trouble as trouble:
        if trouble.status < 500 and trouble.status not in (403, 404):
            raise
        return None


async def _news(house: House, visitor: Visitor, **wishes: Any) -> NewsPage | None:
    """The news, or nothing while the news cannot be asked: what awaits me does not wait for them."""
    try:
        return await house.clients.notifications.news(visitor.caller, **({"limit": 6} | wishes))
    except Trouble as trouble:
        if trouble.status < 500:
            raise
        return None


def _counted(house: House, visitor: Visitor, page: NewsPage | None) -> int:
    """How many news are unread, for the menu of this page and of the next ones."""
    if page is None:
        return visitor.unread
    house.doorkeeper.counted(visitor.session, page.unread)
    return page.unread


@router.get("/news")
async def news(
    request: Request, house: TheHouse, visitor: Somebody, after: Annotated[str, Query(max_length=400)] = ""
) -> Response:
    """All news, newest first."""
    page = await house.clients.notifications.news(visitor.caller, after=after, limit=25)
    return house.look.page(
        request, "news.html", current="news", page=page, after=after, unread=_counted(house, visitor, page)
    )


@router.post("/news/read")
async def read_all_news(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """All news up to the newest that was shown count as read."""
    typed = await request.form()
    await house.clients.notifications.read_all(visitor.caller, forms.text(typed, "until"))
    house.doorkeeper.counted(visitor.session, None)
    return RedirectResponse(own_path(forms.text(typed, "to") or "/news"), 303)


@router.post("/news/{news_id}")
async def read_news(request: Request, house: TheHouse, visitor: Somebody, news_id: str) -> Response:
    """Go where a piece of news leads; it counts as read."""
    form = await request.form()
    await house.clients.notifications.read(visitor.caller, news_id)
    house.doorkeeper.counted(visitor.session, None)
    return RedirectResponse(own_path(str(form.get("to") or "/news")), 303)


@router.get("/help")
async def help_page(request: Request, house: TheHouse, visitor: Anybody, form: str = "") -> Response:
    """The guides' steps, in the reader's language, with the numbers of one of the two forms."""
    model = Model(form) if form in set(Model) else Model.COI_2017
    return house.look.page(
        request,
        f"help/{words.reader().language}.html",
        current="help",
        model=model,
        sheet=forms.sheet(model),
        no=lambda field: forms.number_of(model, field),
        path=_path(model),
    )


def _path(model: Model) -> list[tuple[str, list[tuple[str, str]]]]:
    """The guide's diagram (guide 002 §3.2): from each status what is done, and where it leads; nothing is back."""
    found = []
    for status in Status:
        onward = [each for each in MOVES if each.source is status and each.target is not status]
        steps = [
            (sheets.button(each.action, model), STATUSES[each.target].name if each.target else "") for each in onward
        ]
        found += [(STATUSES[status].name, steps)] if steps else []
    return found


@router.get("/contact")
async def contact_page(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """Whom to ask for what."""
    return house.look.page(request, "contact.html", current="contact")
