"""Roles: asking for one, and my roles and requests."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.requests import STATUSES, Short, Text, desk_of, key_of, said, shown
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.directory import NewRoles, RoleRequestView, Wanted
from shared.contracts.organisations import OrganisationPage

router = APIRouter()


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
            visitor.caller, kind="OPERATOR", after=after or None, limit=25, **said(query)
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
            visitor.caller, kind="AUTHORITY", after=after or None, limit=50, **said(query)
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
            visitor.caller, kind="CONTROL_BODY", after=after or None, limit=50, **said(query)
        )
    return _search(house, request, "roles/control_bodies.html", page, query, "/roles/control-bodies", after, searched)


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
    here = {**said(query), "searched": "1"}
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
        await desk_of(house, visitor).request(new, key_of(form))
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
