"""[Gestion des utilisateurs]: an authority finds, opens, corrects and decides about the users of its territory.

One thing to remember: the pages know no rule. What may be done about a user is what identity says.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Caller, Trouble
from services.portal.pages.classic import countries, languages, place_of, place_typed, questions
from services.portal.pages.registration import by_field, raw
from services.portal.visitor import House, TheHouse, Visitor, signed_in
from services.portal.words import N_
from shared.contracts.certificate_views import ProblemView
from shared.contracts.identity import PostView
from shared.contracts.users import (
    ChosenUser,
    NewQuestion,
    Reach,
    UserEdit,
    UserResult,
    UserStep,
    UserSteps,
    UserView,
)
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType

router = APIRouter()
Short = Annotated[str, Query(max_length=40)]
Text = Annotated[str, Query(max_length=200)]
FIELDS: Final = ("email", "name", "postal_code", "organisation", "state")
PAGE: Final = 25
OFFICIAL: Final = (RoleType.AUTHORITY, RoleType.EC_ADMIN, RoleType.SYS_ADMIN)

# fmt: off
STATES: Final = {
    "NEW":       (N_("New"),       "grey"),
    "CONFIRMED": (N_("Confirmed"), "amber"),
    "VALID":     (N_("Valid"),     "green"),
    "BLOCKED":   (N_("Blocked"),   "red"),
    "REFUSED":   (N_("Refused"),   "red"),
    "EXPIRED":   (N_("Expired"),   "grey"),
    "DELETED":   (N_("Deleted"),   "grey"),
}
STEPS: Final = {
    # step:           its button,               its look, what is typed beside it
    "activate":       (N_("Activate"),           "main",   ""),
    "refuse":         (N_("Refuse"),             "danger", N_("Reason (the applicant reads it)")),
    "reset_password": (N_("Reset the password"), "",       N_("Reason (it stays in the journal)")),
    "delete":         (N_("Delete"),             "danger", N_("Reason (the person reads it)")),
}
THEN: Final = {
    "reset_password": N_("The person gets a temporary password by mail, and chooses a new secret question."),
    "reset_and_keep": N_("The person gets a temporary password by mail, and answers the secret question as before."),
    "delete":         N_("The account is closed for good, and its address is free again."),
}
HAPPENED: Final = {
    "register":           N_("sent the form"),
    "confirm":            N_("confirmed the request"),
    "validator_reminded": N_("the time to answer has passed: the authority was reminded"),
    "escalated":          N_("the authority above was told that it waits"),
    "expired":            N_("nobody decided in time"),
    "activate":           N_("activated the account"),
    "refuse":             N_("refused the request"),
    "correct":            N_("corrected the record"),
    "reset_password":     N_("reset the password"),
    "delete":             N_("deleted the account"),
    "set_question":       N_("set a new secret question"),
    "ask_password":       N_("asked for a new password"),
    "choose_password":    N_("chose a new password"),
    "change_password":    N_("changed the password"),
    "block":              N_("the account was blocked"),
    "warn":               N_("was warned that the account will be blocked"),
}
CHANGED: Final = {
    "first_name": N_("First name"), "last_name": N_("Last name"), "language": N_("Language of the letters"),
    "html": N_("Kind of letters"), "organisation": N_("Organisation, company"), "reach": N_("Phone, fax, information"),
}
WHY_BLOCKED: Final = {
    "WRONG_PASSWORDS": N_("Too many wrong passwords."),
    "INACTIVITY":      N_("Nobody signed in for too long."),
}
# fmt: on


def officials(request: Request, visitor: Annotated[Visitor, Depends(signed_in)]) -> Visitor:
    """The visitor, if he works at an authority or looks after the platform; for others there is nothing here."""
    if visitor.post is None or visitor.post.role_type not in OFFICIAL:
        request.state.elsewhere = _other_offices(visitor)
        raise Refused("not_found")
    return visitor


def _other_offices(visitor: Visitor) -> list[PostView]:
    """Where else he looks after users."""
    return [post for post in visitor.posts if post != visitor.post and post.role_type in OFFICIAL]


Official = Annotated[Visitor, Depends(officials)]


@dataclass(frozen=True)
class Sorting:
    """How the list is sorted, and the links that sort it otherwise."""

    sort: str
    query: dict[str, str]

    @property
    def by(self) -> str:
        """The column it is sorted by."""
        return self.sort.removeprefix("-")

    @property
    def down(self) -> bool:
        """Whether the largest stands first."""
        return self.sort.startswith("-")

    def link(self, key: str) -> str:
        """The same list sorted by a column; the other way round when it is already sorted by it."""
        return f"/users?{urlencode({**self.query, 'sort': f'-{key}' if self.sort == key else key})}"


def _shown(**more: Any) -> dict[str, Any]:
    return {
        "states": STATES,
        "steps": STEPS,
        "happened": HAPPENED,
        "changed": CHANGED,
        "then": THEN,
        "key": uuid4().hex,
        **more,
    }


@router.get("/users")
async def users(
    request: Request,
    house: TheHouse,
    visitor: Official,
    email: Text = "",
    name: Text = "",
    postal_code: Short = "",
    organisation: Text = "",
    state: Short = "",
    sort: Short = "name",
    after: Annotated[str, Query(max_length=2000)] = "",
    done: Short = "",
) -> Response:
    """Search by e-mail, name, postal code, organisation and state."""
    said = {"email": email, "name": name, "postal_code": postal_code, "organisation": organisation, "state": state}
    return await _list(request, house, visitor, said, sort, after, done=done)


async def _list(
    request: Request,
    house: House,
    visitor: Visitor,
    said: dict[str, str],
    sort: str = "name",
    after: str = "",
    done: str = "",
    results: list[UserResult] | None = None,
    trouble: Trouble | None = None,
) -> Response:
    query = {each: said.get(each, "").strip() for each in FIELDS if said.get(each, "").strip()}
    query = {each: value for each, value in query.items() if each != "state" or value in STATES}
    sort = sort if sort.removeprefix("-") in ("name", "organisation", "postal_code", "status", "since") else "name"
    page = await house.clients.classic.users(visitor.caller, **query, sort=sort, after=after, limit=PAGE)
    sorted_query = {**query, "sort": sort}
    return house.look.page(
        request,
        "users/list.html",
        status=trouble.status if trouble else 200,
        current="users",
        page=page,
        query={**dict.fromkeys(FIELDS, ""), **query, "sort": sort},
        asked=bool(query),
        sorting=Sorting(sort, query),
        first=f"/users?{urlencode(sorted_query)}" if after else "",
        next=f"/users?{urlencode({**sorted_query, 'after': page.next})}" if page.next else "",
        results=results,
        trouble=trouble,
        people={each.id: each for each in page.items},
        others=_other_offices(visitor),
        flashes=[{"tone": "", "text": words._("Your decision is on record.")}] if done else [],
        **_shown(),
    )


@router.post("/users")
async def decide_several(request: Request, house: TheHouse, visitor: Official) -> Response:
    """The same decision about the ticked users; the page says what came of each."""
    typed = await request.form()
    chosen = [ChosenUser(id=one, revision=int(seen)) for one, seen in _ticked(typed)][:PAGE]
    said = {each: forms.text(typed, f"search_{each}")[:200] for each in FIELDS}
    sort = forms.text(typed, "search_sort")[:40] or "name"
    if not chosen:
        return RedirectResponse(f"/users?{urlencode({**said, 'sort': sort})}", 303)
    steps = UserSteps(action=forms.text(typed, "action")[:30], reason=forms.text(typed, "reason")[:2000], chosen=chosen)
    results = await house.clients.classic.decide_several(visitor.caller, steps, _key(typed))
    return await _list(request, house, visitor, said, sort, results=results)


def _ticked(typed: FormData) -> list[tuple[str, str]]:
    parts = [str(each).partition(":") for each in typed.getlist("chosen")]
    return [(one[:36], seen) for one, _, seen in parts if seen.isdigit()]


def _key(typed: FormData) -> str:
    return forms.text(typed, "key") or uuid4().hex


@router.get("/users/{user_id}")
async def user(request: Request, house: TheHouse, visitor: Official, user_id: UUID, done: Short = "") -> Response:
    """One user, opened: his record, what may be done, and what was done."""
    try:
        found = await house.clients.classic.user(visitor.caller, str(user_id))
    except Trouble as trouble:
        if trouble.status == 404:
            request.state.elsewhere = [
                post for post in _other_offices(visitor) if await _there(house, visitor, post, str(user_id))
            ]
        raise
    said = {"saved": words._("Saved."), "1": words._("Your decision is on record.")}.get(done, "")
    return _one(request, house, found, flash=said)


async def _there(house: House, visitor: Visitor, post: PostView, user_id: str) -> bool:
    """Whether this user is one of another of the reader's authorities."""
    try:
        await house.clients.classic.user(Caller(visitor.token, post.organisation_id), user_id)
    except Trouble as trouble:
        if trouble.status != 404:
            raise
        return False
    return True


def _one(
    request: Request,
    house: House,
    found: UserView,
    *,
    flash: str = "",
    said: dict[str, Any] | None = None,
    problems: dict[str, list[ProblemView]] | None = None,
    trouble: Trouble | None = None,
    step: str = "",
    reason: str = "",
) -> Response:
    record: dict[str, Any] = {
        "first_name": found.first_name,
        "last_name": found.last_name,
        "language": found.language,
        "html": "true" if found.html else "false",
        **found.reach.model_dump(),
        **{f"organisation.{name}": value for name, value in found.organisation.model_dump().items()},
    }
    return house.look.page(
        request,
        "users/one.html",
        status=trouble.status if trouble else 200,
        current="users",
        user=found,
        said={**record, **(said or {})},
        problems=problems or {},
        trouble=trouble if trouble and trouble.code != "incomplete" else None,
        step=step,
        reason=reason,
        why_blocked=WHY_BLOCKED,
        questions=questions(),
        country_list=countries(),
        language_list=languages(),
        flashes=[{"tone": "", "text": flash}] if flash else [],
        **_shown(),
    )


@router.post("/users/{user_id}")
async def correct(request: Request, house: TheHouse, visitor: Official, user_id: UUID) -> Response:
    """[Enregistrer]: corrections to the record."""
    typed = await request.form()
    names = ("first_name", "last_name", "language", "html", "phone", "fax", "information")
    said = {name: forms.text(typed, name) for name in names}
    place = place_typed(typed)
    found = await house.clients.classic.user(visitor.caller, str(user_id))
    edit = UserEdit(
        revision=_number(typed, "revision"),
        first_name=said["first_name"][:400],
        last_name=said["last_name"][:400],
        language=said["language"][:8],
        html=said["html"] != "false",
        organisation=place_of(place, found.organisation.organisation_id),
        reach=Reach(phone=said["phone"][:100], fax=said["fax"][:100], information=said["information"][:4000]),
    )
    try:
        saved = await house.clients.classic.correct(visitor.caller, str(user_id), edit, _key(typed))
    except Trouble as trouble:
        if trouble.status not in (409, 422):
            raise
        again = said | {f"organisation.{name}": value for name, value in place.items()}
        return _one(request, house, found, said=again, problems=by_field(trouble), trouble=trouble)
    return RedirectResponse(f"/users/{user_id}?done=saved" if saved else "/users?done=1", 303)


def _number(typed: FormData, name: str) -> int:
    said = forms.text(typed, name)
    return int(said) if said.isdigit() else 0


@router.post("/users/{user_id}/actions")
async def decide(request: Request, house: TheHouse, visitor: Official, user_id: UUID) -> Response:
    """Activate, refuse, reset the password, delete."""
    typed = await request.form()
    action, reason = forms.text(typed, "action")[:30], forms.text(typed, "reason")[:2000]
    step = UserStep(action=action, revision=_number(typed, "revision"), reason=reason)
    try:
        kept = await house.clients.classic.decide(visitor.caller, str(user_id), step, _key(typed))
    except Trouble as trouble:
        if trouble.status not in (409, 422):
            raise
        found = await house.clients.classic.user(visitor.caller, str(user_id))
        problems = by_field(trouble)
        return _one(request, house, found, trouble=trouble, problems=problems, step=action, reason=reason)
    return RedirectResponse(f"/users/{user_id}?done=1" if kept else "/users?done=1", 303)


@router.post("/users/{user_id}/question")
async def set_question(request: Request, house: TheHouse, visitor: Official, user_id: UUID) -> Response:
    """A new secret question on request, by a platform administrator."""
    typed = await request.form()
    new = NewQuestion(
        revision=_number(typed, "revision"),
        question=forms.text(typed, "question")[:30],
        answer=raw(typed, "answer")[:400],
        reason=forms.text(typed, "reason")[:2000],
    )
    try:
        await house.clients.classic.set_question(visitor.caller, str(user_id), new, _key(typed))
    except Trouble as trouble:
        if trouble.status not in (409, 422):
            raise
        found = await house.clients.classic.user(visitor.caller, str(user_id))
        return _one(request, house, found, trouble=trouble, problems=by_field(trouble), reason=new.reason)
    return RedirectResponse(f"/users/{user_id}?done=1", 303)
