"""Roles: asking for one, my requests, and what others ask me to decide.

One thing to remember: the pages know no rule. Which buttons there are is what the directory says may be done.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, names, words
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.visitor import House, Somebody, TheHouse, Visitor, own_path
from services.portal.words import N_
from shared.contracts.directory import (
    Chosen,
    DecisionResult,
    Decisions,
    NewRoles,
    OrganisationPage,
    RoleRequestView,
    StepWish,
    Wanted,
)
from shared.rules.refusals import Refused

router = APIRouter()
Short = Annotated[str, Query(max_length=40)]
Text = Annotated[str, Query(max_length=200)]

# ruff: noqa: E501
# fmt: off
STATUSES: Final = {
    "REQUESTED": (N_("Requested"), "blue"),
    "VALID":     (N_("Valid"),     "green"),
    "SUSPENDED": (N_("Suspended"), "amber"),
    "REFUSED":   (N_("Refused"),   "red"),
    "WITHDRAWN": (N_("Withdrawn"), "grey"),
    "EXPIRED":   (N_("Expired"),   "grey"),
}
_WHY: Final = N_("Reason (the person reads it)")
STEPS: Final = {
    # step:     its button,                   what was done,                     its look, what is typed beside it
    "validate":  (N_("Validate"),             N_("validated"),                     "main",   N_("A word to the applicant (optional)")),
    "refuse":    (N_("Refuse"),               N_("refused"),                       "danger", _WHY),
    "ask":       (N_("Ask a question"),       N_("asked"),                         "",       N_("Question (the clock stands still)")),
    "answer":    (N_("Answer"),               N_("answered"),                      "main",   N_("Answer")),
    "withdraw":  (N_("Withdraw"),             N_("withdrew"),                      "danger", ""),
    "suspend":   (N_("Suspend"),              N_("suspended"),                     "danger", _WHY),
    "reinstate": (N_("Reinstate"),            N_("reinstated"),                    "",       _WHY),
    "revoke":    (N_("Withdraw the role"),    N_("took the role away"),            "danger", _WHY),
    "appoint":   (N_("Make administrator"),   N_("made him administrator"),        "",       ""),
    "dismiss":   (N_("Administrator no more"), N_("ended his being administrator"), "",      _WHY),
}
"""What may be done about a role, as buttons."""
HAPPENED: Final = {
    **{step: told[1] for step, told in STEPS.items()},
    "request":            N_("asked for it"),
    "validator_reminded": N_("two working days have passed: whoever decides was reminded"),
    "escalated":          N_("the authority above was told that it waits"),
    "expired":            N_("nobody decided in thirty days"),
    "unanswered":         N_("the question was not answered in thirty days"),
    "operator_refused":   N_("the operator was not accepted"),
    "applicant_gone":     N_("the applicant took his request back"),
}
THEN: Final = {
    "validator_reminded": N_("then whoever decides is reminded"),
    "escalated":          N_("then the authority above is told"),
    "expired":            N_("then the request expires and can be made again"),
    "unanswered":         N_("then the request expires and can be made again"),
    "operator_refused":   N_("the operator was refused, and this request with it"),
}
SECTIONS: Final = {
    "ORGANIC": N_("Organic"), "ANIMAL_BY_PRODUCTS": N_("Animal by-products"), "FEED": N_("Feed"),
    "FOOD": N_("Food"), "PLANTS": N_("Plants"), "SEMEN_AND_EMBRYO": N_("Semen and embryo"),
    "TIMBER": N_("Imported timber products"), "VETERINARY": N_("Veterinary"),
}
REASONS: Final = {
    "EORI":                 N_("same EORI number"),
    "VAT":                  N_("same VAT number"),
    "NUMBER":               N_("same number"),
    "NAME_AND_POSTAL_CODE": N_("same name and postal code"),
    "SIMILAR_NAME":         N_("similar name"),
}
# fmt: on


def desk_of(house: House, visitor: Visitor) -> Desk:
    """The directory's desk on behalf of this visitor."""
    return Desk(house.clients.directory, visitor.caller)


def shown(**more: Any) -> dict[str, Any]:
    """The names all pages of this area speak with."""
    return {
        "role_statuses": STATUSES,
        "steps": STEPS,
        "happened": HAPPENED,
        "then": THEN,
        "sections": SECTIONS,
        "reasons": REASONS,
        "key": uuid4().hex,
        **more,
    }


# ---- asking for a role ---------------------------------------------------------------------------------------------


@router.get("/roles/new")
async def choose(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    certifies: Short = "",
    official: Short = "",
    trades: Short = "",
) -> Response:
    """The three kinds of organisations, and three questions that tell which one is mine."""
    answer = ""
    if "yes" in (certifies, official, trades):
        answer = "CONTROL_BODY" if certifies == "yes" else "AUTHORITY" if official == "yes" else "OPERATOR"
    asked = {"certifies": certifies, "official": official, "trades": trades}
    return house.look.page(request, "roles/choose.html", current="roles", answer=answer, asked=asked, **shown())


@router.get("/roles/operators")
async def operators(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    country: Short = "",
    section: Short = "",
    activity: Short = "",
    text: Text = "",
    after: Annotated[str, Query(max_length=2000)] = "",
    searched: Short = "",
) -> Response:
    """Look for the company one works for; only a search that did not help offers to create it."""
    query = {"country": country, "section": section, "activity": activity, "text": text.strip()}
    page = None
    if country:
        page = await house.clients.directory.organisations(
            visitor.caller, kind="OPERATOR", after=after or None, limit=25, **_said(query)
        )
    return _search(house, request, "roles/operators.html", page, query, "/roles/operators", after, searched)


@router.get("/roles/authorities")
async def authorities(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    country: Short = "",
    authority_role: Short = "",
    competence: Short = "",
    text: Text = "",
    after: Annotated[str, Query(max_length=2000)] = "",
    searched: Short = "",
) -> Response:
    """Look for the authority one works for."""
    query = {"country": country, "authority_role": authority_role, "competence": competence, "text": text.strip()}
    page = None
    if country:
        page = await house.clients.directory.organisations(
            visitor.caller, kind="AUTHORITY", after=after or None, limit=50, **_said(query)
        )
    return _search(house, request, "roles/authorities.html", page, query, "/roles/authorities", after, searched)


@router.get("/roles/control-bodies")
async def control_bodies(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    country: Short = "",
    text: Text = "",
    after: Annotated[str, Query(max_length=2000)] = "",
    searched: Short = "",
) -> Response:
    """Look for the control body one works for: a row for each country in which it is recognised."""
    query = {"country": country, "text": text.strip()}
    page = None
    if country or text.strip():
        page = await house.clients.directory.organisations(
            visitor.caller, kind="CONTROL_BODY", after=after or None, limit=50, **_said(query)
        )
    return _search(house, request, "roles/control_bodies.html", page, query, "/roles/control-bodies", after, searched)


def _said(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def _search(
    house: House,
    request: Request,
    template: str,
    page: OrganisationPage | None,
    query: dict[str, str],
    path: str,
    after: str,
    searched: str,
) -> Response:
    here = {**_said(query), "searched": "1"}
    following = page.next if page else None
    return house.look.page(
        request,
        template,
        current="roles",
        page=page,
        query=query,
        searched=searched,
        countries=forms.countries_for(""),
        first=f"{path}?{urlencode(here)}" if after else "",
        next=f"{path}?{urlencode({**here, 'after': following})}" if following else "",
        **shown(),
    )


@router.get("/roles/confirm")
async def confirm(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    wanted: Annotated[list[str] | None, Query(max_length=40)] = None,
    back: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """What is about to be asked for, with an optional message, address and phone number."""
    return await _confirm(request, house, visitor, wanted or [])


async def _confirm(
    request: Request,
    house: House,
    visitor: Visitor,
    wanted: list[str],
    trouble: Trouble | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    told = _wanted(wanted)
    if not told:
        return RedirectResponse("/roles/new", 303)
    found = [await house.clients.directory.organisation(visitor.caller, each.organisation_id) for each in told]
    return house.look.page(
        request,
        "roles/confirm.html",
        status=trouble.status if trouble else 200,
        current="roles",
        organisations=list(zip(found, told, strict=True)),
        wanted=wanted,
        trouble=trouble.text if trouble else "",
        typed=typed or {},
        **shown(),
    )


def _wanted(told: list[str]) -> list[Wanted]:
    """Ticked rows: an organisation, or an organisation and a country."""
    found: dict[str, list[str]] = {}
    for each in told:
        organisation, _, country = each.partition(":")
        found.setdefault(organisation, []).extend([country] if country else [])
    return [Wanted(organisation_id=each, countries=countries[:60]) for each, countries in list(found.items())[:20]]


@router.post("/roles")
async def send(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Send the request for authorisation."""
    form = await request.form()
    wanted = [str(each) for each in form.getlist("wanted")]
    typed = {name: str(form.get(name) or "").strip() for name in ("message", "email", "phone")}
    new = NewRoles(
        wanted=_wanted(wanted), message=typed["message"][:2000], email=typed["email"][:254], phone=typed["phone"][:60]
    )
    try:
        await desk_of(house, visitor).request(new, _key(form))
    except Trouble as trouble:
        if trouble.status not in (404, 409, 422):
            raise
        return await _confirm(request, house, visitor, wanted, trouble, typed)
    return RedirectResponse("/roles?sent=1", 303)


# ---- my roles ------------------------------------------------------------------------------------------------------


@router.get("/roles")
async def mine(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    show: Annotated[list[str] | None, Query(max_length=6)] = None,
    sent: Short = "",
    done: Short = "",
) -> Response:
    """My roles and requests: how many of each, who holds them, until when, and what happens then."""
    roles = await desk_of(house, visitor).my_roles()
    _notice_new_posts(house, visitor, roles)
    said = {"1": words._("Your request was sent.")}.get(sent) or {"1": words._("Done.")}.get(done)
    kept = [status for status in show or () if status in STATUSES]
    return house.look.page(
        request,
        "roles/mine.html",
        block="part" if request.headers.get("hx-target") == "my-roles" else None,
        current="roles",
        roles=[role for role in roles if not kept or role.status in kept],
        kept=kept,
        counts={status: sum(role.status == status for role in roles) for status in STATUSES},
        flashes=[{"tone": "", "text": said}] if said else [],
        **shown(),
    )


def _notice_new_posts(house: House, visitor: Visitor, roles: list[RoleRequestView]) -> None:
    """What the directory knows and the token does not yet: ask identity again on the next page."""
    valid = {role.organisation.id for role in roles if role.status == "VALID"}
    if valid != {post.organisation_id for post in visitor.posts}:
        house.doorkeeper.forget(visitor.session)


# ---- what I am to decide -------------------------------------------------------------------------------------------


@router.get("/requests")
async def waiting(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    text: Text = "",
    role_type: Short = "",
    country: Short = "",
    sort: Short = "oldest",
    after: Annotated[str, Query(max_length=400)] = "",
    done: Short = "",
) -> Response:
    """The requests that wait for the organisation I act for."""
    return await _waiting(request, house, visitor, text, role_type, country, sort, after, done)


async def _waiting(
    request: Request,
    house: House,
    visitor: Visitor,
    text: str = "",
    role_type: str = "",
    country: str = "",
    sort: str = "oldest",
    after: str = "",
    done: str = "",
    results: list[DecisionResult] | None = None,
) -> Response:
    desk = desk_of(house, visitor)
    query = _said({"text": text.strip(), "role_type": role_type, "country": country, "sort": sort})
    page = await desk.waiting(**query, after=after or None, limit=50)
    proposals = await desk.proposals(limit=50)
    people = {role.id: role for role in page.items}
    return house.look.page(
        request,
        "roles/waiting.html",
        current="requests",
        page=page,
        proposals=[each for each in proposals.items if each.kind == "CHANGE"],
        query={"text": text, "role_type": role_type, "country": country, "sort": sort},
        countries=forms.countries_for(""),
        first=f"/requests?{urlencode(query)}" if after else "",
        next=f"/requests?{urlencode({**query, 'after': page.next})}" if page.next else "",
        results=results,
        people=people,
        role_types={code: names.ROLES[code] for code in ("OPERATOR", "CONTROL_BODY", "AUTHORITY")},
        flashes=[{"tone": "", "text": words._("Your decision is on record.")}] if done else [],
        **shown(),
    )


@router.post("/requests")
async def decide_several(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """The same decision on the ticked requests; the page says what came of each."""
    form = await request.form()
    chosen = []
    for told in form.getlist("chosen"):
        role_id, _, revision = str(told).partition(":")
        if revision.isdigit():
            chosen.append(Chosen(id=role_id, revision=int(revision)))
    if not chosen:
        return RedirectResponse("/requests", 303)
    action, reason = str(form.get("action") or ""), str(form.get("reason") or "").strip()[:2000]
    results = await desk_of(house, visitor).decide(
        Decisions(action=action, reason=reason, chosen=chosen[:500]), _key(form)
    )
    return await _waiting(request, house, visitor, results=results)


@router.get("/requests/{role_id}")
async def one(request: Request, house: TheHouse, visitor: Somebody, role_id: str) -> Response:
    """One request: everything needed to decide it side by side; for the applicant, how it stands."""
    return await _one(request, house, visitor, role_id)


async def _one(
    request: Request, house: House, visitor: Visitor, role_id: str, trouble: Trouble | None = None, typed: str = ""
) -> Response:
    sides = await desk_of(house, visitor).sides(role_id)
    related = {}
    for other in {each.control_body for each in sides.organisation.activities if each.control_body}:
        related[other] = await house.clients.directory.organisation(visitor.caller, other)
    return house.look.page(
        request,
        "roles/one.html",
        status=trouble.status if trouble else 200,
        current="roles" if sides.role.person_id == visitor.person.id else "requests",
        sides=sides,
        role=sides.role,
        record=sides.organisation,
        proposal=sides.proposal,
        mine=sides.role.person_id == visitor.person.id,
        related=related,
        trouble=_explained(trouble) if trouble else "",
        typed=typed,
        **shown(),
    )


def _explained(trouble: Trouble) -> str:
    """What a refusal says; where somebody else was faster, also who decided what, and when."""
    told = trouble.params
    if trouble.code == "already_decided" and told.get("at"):
        moment = words.parse_moment(str(told["at"]))
        step = HAPPENED.get(str(told.get("action")), "")
        return words._(
            "%(person)s (%(by)s) %(step)s on %(at)s, before you.",
            person=told.get("person") or "",
            by=told.get("by") or "",
            step=words._(step),
            at=words.moment(moment),
        )
    return trouble.text


@router.post("/requests/{role_id}")
async def decide(request: Request, house: TheHouse, visitor: Somebody, role_id: str) -> Response:
    """One step about a request or a role; with a new operator, the operator comes first."""
    form = await request.form()
    wish, reason = _step(form)
    desk, key = desk_of(house, visitor), _key(form)
    try:
        if (proposal := str(form.get("proposal") or "")) and wish.action in ("validate", "refuse"):
            revision = int(str(form.get("proposal_revision") or "1"))
            first = StepWish(action=wish.action, revision=revision, form=wish.form)
            await desk.propose_step(proposal, first, key + "-operator")
        if not (proposal and wish.action == "refuse"):  # the operator's refusal takes the request along
            await desk.step(role_id, wish, key)
    except Trouble as trouble:
        if trouble.status not in (403, 409, 422):
            raise
        return await _one(request, house, visitor, role_id, trouble, reason)
    return RedirectResponse(own_path(str(form.get("to") or f"/requests/{role_id}")), 303)


def _step(form: FormData) -> tuple[StepWish, str]:
    """The step a form asks for, and the reason typed into it."""
    reason = str(form.get("reason") or "").strip()[:2000]
    revision = str(form.get("revision") or "")
    if not revision.isdigit():
        raise Refused("invalid", field="revision")
    more = {name: str(form[name]) for name in ("into", "activity") if form.get(name)}
    said = {"reason": reason} if reason else {}
    return StepWish(action=str(form.get("action") or "")[:40], revision=int(revision), form={**more, **said}), reason


def _key(form: FormData) -> str:
    key = str(form.get("key") or "")
    return key if key.isalnum() and len(key) == 32 else uuid4().hex
