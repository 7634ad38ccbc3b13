"""My profile (guide 000): who I am here, what I am called and where I am written to, my posts, letters and language.

One thing to remember: a new name or address is only asked for here; it stands once each letter was answered.
"""

from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, proof, words
from services.portal.clients import Trouble
from services.portal.names import ROLES
from services.portal.pages.registration import by_field
from services.portal.visitor import LANGUAGE_COOKIE, POST_COOKIE, House, Somebody, TheHouse, Visitor, keep, own_path
from services.portal.words import N_
from shared.contracts.certificate_views import ProblemView
from shared.contracts.identity import DetailsWish, Preferences
from shared.contracts.notifications import Pace, Topic
from shared.rules.refusals import Refused

router = APIRouter()

# fmt: off
TOPICS: Final = (
    (Topic.CERTIFICATES, N_("Certificates: submitted, signed, changed, decided")),
    (Topic.BATCHES,      N_("Extracts of batches")),
    (Topic.REMINDERS,    N_("Reminders and deadlines")),
    (Topic.ROLES,        N_("Roles, requests and organisations")),
)
PACES: Final = (
    (Pace.NOW,   N_("at once")),
    (Pace.DAILY, N_("once a day, in one letter")),
    (Pace.NEVER, N_("never")),
)
SAVED: Final = {
    "1":       N_("Saved."),
    "details": N_("We have written to you. The change is made once the link in each letter was followed."),
}
ZONES: Final = (
    "Europe/Paris", "Europe/Brussels", "Europe/London", "Europe/Lisbon", "Europe/Athens", "Africa/Casablanca",
    "Africa/Tunis", "Africa/Abidjan", "Africa/Nairobi", "America/Lima", "America/Bogota", "America/Sao_Paulo",
    "America/Mexico_City", "America/New_York", "Asia/Kolkata", "Asia/Colombo", "Asia/Ho_Chi_Minh", "Asia/Jakarta",
    "Asia/Makassar", "Asia/Shanghai", "Asia/Istanbul", "UTC",
)
# fmt: on


@router.get("/profile")
async def profile(request: Request, house: TheHouse, visitor: Somebody, saved: str = "") -> Response:
    """Who I am here, my posts, my letters, my language and time zone."""
    said = words._(SAVED[saved]) if saved in SAVED else ""
    return house.look.page(
        request,
        "profile.html",
        current="profile",
        zones=sorted({*ZONES, visitor.person.time_zone}),
        flashes=[{"tone": "", "text": said}] if said else [],
        role_names=ROLES,
        topics=TOPICS,
        paces=[{"value": code, "name": words._(name)} for code, name in PACES],
        notify=visitor.person.notify,
    )


@router.post("/profile")
async def change_profile(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    language: Annotated[str, Form()],
    time_zone: Annotated[str, Form()],
) -> Response:
    """Change my language and my time zone."""
    if language not in words.LANGUAGES:
        raise Refused("invalid", field="language")
    await house.clients.identity.prefer(visitor.caller, Preferences(language=language, time_zone=time_zone))
    house.doorkeeper.forget(visitor.session)
    answer = RedirectResponse("/profile?saved=1", 303)
    keep(answer, LANGUAGE_COOKIE, language, house)
    return answer


@router.post("/profile/letters")
async def change_letters(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Say for each kind of letter when I want it."""
    typed = await request.form()
    wish = {topic.value: forms.text(typed, topic) for topic, _ in TOPICS}
    if not set(wish.values()) <= set(Pace):
        raise Refused("invalid", field="notify")
    await house.clients.identity.prefer(visitor.caller, Preferences(notify=wish))
    house.doorkeeper.forget(visitor.session)
    return RedirectResponse("/profile?saved=1", 303)


@router.post("/profile/post")
async def choose_post(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    organisation: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/profile",
) -> Response:
    """Act for another of my organisations."""
    if organisation not in {post.organisation_id for post in visitor.posts}:
        raise Refused("not_found")
    answer = RedirectResponse(own_path(next), 303)
    keep(answer, POST_COOKIE, organisation, house)
    return answer


@router.get("/profile/details")
async def details(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Another name or address."""
    person = visitor.person
    typed = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email}
    return await _details(request, house, visitor, typed | {"username": person.username or ""}, {}, 200)


async def _details(
    request: Request,
    house: House,
    visitor: Visitor,
    typed: dict[str, str],
    problems: dict[str, list[ProblemView]],
    status: int,
    said: str = "",
) -> Response:
    return house.look.page(
        request,
        "security/details.html",
        status=status,
        current="profile",
        typed=typed,
        problems=problems,
        key=uuid4().hex,
        **await proof.asked(house, visitor, said=said),
    )


@router.post("/profile/details")
async def change_details(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Ask for another name or address: letters go to every address it concerns."""
    form = await request.form()
    typed = {name: forms.text(form, name)[:400] for name in ("first_name", "last_name", "email", "username")}
    wish = DetailsWish(**{**typed, "username": typed["username"][:100]})
    try:
        visitor = await proof.proved(house, visitor, form)
        await house.clients.factors.change_details(visitor.session, wish, forms.text(form, "key") or uuid4().hex)
    except Trouble as trouble:
        if trouble.code in proof.TROUBLES:
            return await _details(request, house, visitor, typed, {}, 401, trouble.text)
        if trouble.code != "incomplete":
            raise
        return await _details(request, house, visitor, typed, by_field(trouble), 422)
    return RedirectResponse("/profile?saved=details", 303)


@router.get("/profile/confirmation/{secret}")
async def confirmation(request: Request, house: TheHouse, secret: str) -> Response:
    """The link in one of the letters: what the change is, and a button that makes it."""
    return await _confirmation(request, house, secret, made=None)


@router.post("/profile/confirmation/{secret}")
async def confirm(request: Request, house: TheHouse, secret: str) -> Response:
    """Yes, change it."""
    return await _confirmation(request, house, secret, made=True)


async def _confirmation(request: Request, house: House, secret: str, made: bool | None) -> Response:
    ask = house.clients.factors.confirm_change if made else house.clients.factors.change
    try:
        change: Any = await ask(secret[:200])
    except Trouble as trouble:
        if trouble.code != "link_expired":
            raise
        return house.look.page(request, "security/change.html", status=410, current="profile", change=None)
    if made and (session := request.cookies.get("session", "")):
        house.doorkeeper.forget(session)
    return house.look.page(
        request, "security/change.html", current="profile", change=change, secret=secret, pressed=bool(made)
    )
