"""Records of organisations: creating one, and correcting one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms
from services.portal.clients import Trouble
from services.portal.records import FIELDS, IDENTIFIERS, TYPES, evidence_of, new_of, typed_of, wanted_of
from services.portal.requests import Short, Text, desk_of, key_of, shown
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.directory import LookAlike, OrganisationEdit, OrganisationView
from shared.rules.refusals import Refused

router = APIRouter()


@router.get("/organisations/new")
async def blank(request: Request, house: TheHouse, visitor: Somebody, country: Short = "", name: Text = "") -> Response:
    """The form for a new operator."""
    return await _form(request, house, visitor, {"country": country, "name": name})


async def _form(
    request: Request,
    house: House,
    visitor: Visitor,
    typed: Mapping[str, Any],
    trouble: Trouble | None = None,
    alike: list[LookAlike] | None = None,
) -> Response:
    bodies = await bodies_of(house, visitor)
    problems: dict[str, list[Any]] = {}
    for problem in trouble.problems if trouble else ():
        problems.setdefault(problem.field, []).append(problem)
    guardian = visitor.post is not None and visitor.post.role_type in ("AUTHORITY", "CONTROL_BODY")
    return house.look.page(
        request,
        "organisations/new.html",
        status=trouble.status if trouble else 200,
        current="organisations" if guardian else "roles",
        typed=typed,
        guardian=guardian,
        problems=problems,
        trouble=trouble.text if trouble and not problems and not alike else "",
        alike=alike or [],
        bodies=bodies,
        countries=forms.countries_for(""),
        types=TYPES,
        identifiers=IDENTIFIERS,
        **shown(),
    )


async def bodies_of(house: House, visitor: Visitor) -> list[OrganisationView]:
    """All valid control bodies, by name."""
    page = await house.clients.directory.organisations(visitor.caller, kind="CONTROL_BODY", status="VALID", limit=100)
    return page.items


@router.post("/organisations/new")
async def create(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Create it; what resembles it is shown first."""
    form = await request.form()
    typed = typed_of(form)
    desk, key = desk_of(house, visitor), key_of(form)
    try:
        new = await new_of(form)
        created = await desk.create(new, key)
    except Trouble as trouble:
        alike = await desk.look_alikes(new, key + "-alike") if trouble.code == "look_alikes" else None
        if trouble.status not in (403, 409, 422):
            raise
        return await _form(request, house, visitor, typed, trouble, alike)
    if created.role_id is None:
        return RedirectResponse(f"/organisations/{created.organisation_id}", 303)
    return RedirectResponse("/roles?sent=1", 303)


@router.get("/organisations/{organisation_id}/edit")
async def edit(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """The record as a form."""
    return await _edit(request, house, visitor, organisation_id)


async def _edit(
    request: Request, house: House, visitor: Visitor, organisation_id: str, trouble: Trouble | None = None
) -> Response:
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    may = await desk_of(house, visitor).may(organisation_id)
    if may.edit is None:
        raise Refused("not_found")
    return house.look.page(
        request,
        "organisations/edit.html",
        status=trouble.status if trouble else 200,
        current="organisations",
        record=record,
        may=may,
        bodies=await bodies_of(house, visitor),
        trouble=trouble,
        fields=FIELDS,
        types=TYPES,
        identifiers=IDENTIFIERS,
        countries=forms.countries_for(""),
        **shown(),
    )


@router.post("/organisations/{organisation_id}/edit")
async def save(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """Change what differs: at once, or as a proposal."""
    form = await request.form()
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    try:
        wanted = wanted_of(form, record)
        wish = OrganisationEdit(
            revision=int(str(form.get("revision") or "1")),
            changes=wanted,
            reason=str(form.get("reason") or "").strip()[:2000],
            evidence=await evidence_of(form),
        )
        may = await desk_of(house, visitor).edit(organisation_id, wish, key_of(form))
    except Trouble as trouble:
        if trouble.status not in (409, 422):
            raise
        return await _edit(request, house, visitor, organisation_id, trouble)
    return RedirectResponse(f"/organisations/{organisation_id}?{'proposed' if may.pending else 'saved'}=1", 303)
