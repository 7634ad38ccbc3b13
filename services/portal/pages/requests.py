"""What others ask the organisation I act for to decide: the list, one request side by side, one decision or many."""

import asyncio
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, names, words
from services.portal.clients import Trouble
from services.portal.pages.organisations import GUARDIANS
from services.portal.requests import Short, Text, desk_of, explained, key_of, said, shown, step_of
from services.portal.visitor import House, Somebody, TheHouse, Visitor, own_path
from services.portal.words import N_
from shared.contracts.directory import Chosen, DecisionResult, Decisions, StepWish

router = APIRouter()
ORDERS: Final = {
    "oldest": N_("longest waiting first"),
    "newest": N_("newest first"),
    "due": N_("first to be decided first"),
}


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
    changes_after: Annotated[str, Query(max_length=400)] = "",
    done: Short = "",
) -> Response:
    """The requests and the changes of records that wait for the organisation I act for."""
    return await _waiting(request, house, visitor, text, role_type, country, sort, after, changes_after, done)


async def _waiting(
    request: Request,
    house: House,
    visitor: Visitor,
    text: str = "",
    role_type: str = "",
    country: str = "",
    sort: str = "oldest",
    after: str = "",
    changes_after: str = "",
    done: str = "",
    results: list[DecisionResult] | None = None,
) -> Response:
    desk = desk_of(house, visitor)
    query = said({"text": text.strip(), "role_type": role_type, "country": country, "sort": sort})
    about_records = {name: value for name, value in query.items() if name != "role_type"}
    page, changes = await asyncio.gather(
        desk.waiting(**query, after=after or None, limit=50),
        desk.proposals(**about_records, kind="CHANGE", after=changes_after or None, limit=20),
    )
    people = {role.id: role for role in page.items}
    guardian = visitor.post is not None and visitor.post.role_type in GUARDIANS
    return house.look.page(
        request,
        "roles/waiting.html",
        current="requests",
        page=page,
        changes=changes,
        orders=ORDERS,
        query={"text": text, "role_type": role_type, "country": country, "sort": sort},
        countries=forms.countries_for(""),
        first=f"/requests?{urlencode(query)}" if after else "",
        next=f"/requests?{urlencode({**query, 'after': page.next})}" if page.next else "",
        first_changes=f"/requests?{urlencode(query)}#changes" if changes_after else "",
        next_changes=f"/requests?{urlencode({**query, 'changes_after': changes.next})}#changes" if changes.next else "",
        results=results,
        creatable=(await desk.creatable()).kinds if guardian else [],
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
        Decisions(action=action, reason=reason, chosen=chosen[:500]), key_of(form)
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
        trouble=explained(trouble) if trouble else "",
        typed=typed,
        **shown(),
    )


@router.post("/requests/{role_id}")
async def decide(request: Request, house: TheHouse, visitor: Somebody, role_id: str) -> Response:
    """One step about a request or a role; with a new operator, the operator comes first."""
    form = await request.form()
    wish, reason = step_of(form)
    desk, key = desk_of(house, visitor), key_of(form)
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
