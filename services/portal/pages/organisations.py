"""Records of organisations: creating one, and correcting one."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.records import BASES, IDENTIFIERS, TYPES, as_typed, evidence_of, new_of, typed_of, wanted_of
from services.portal.requests import Short, Text, desk_of, key_of, shown
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.organisations import Creatable, LookAlike, OrganisationEdit, OrganisationView
from shared.rules.refusals import Refused

router = APIRouter()
GUARDIANS: Final = ("AUTHORITY", "CONTROL_BODY")
"""Who may answer for other organisations; the directory says for which."""
SUPERIORS: Final = ("EC", "CCA", "NATIONAL_VALIDATING")
TITLES: Final = {
    "OPERATOR": N_("Create a new operator"),
    "CONTROL_BODY": N_("Create a control body"),
    "AUTHORITY": N_("Create an authority"),
}


@router.get("/organisations/new")
async def blank(
    request: Request, house: TheHouse, visitor: Somebody, kind: Short = "", country: Short = "", name: Text = ""
) -> Response:
    """The form for a new operator; for who answers for others, also for a control body or an authority."""
    return await _form(request, house, visitor, kind, {"country": country, "name": name})


async def _form(
    request: Request,
    house: House,
    visitor: Visitor,
    kind: str,
    typed: Mapping[str, Any],
    trouble: Trouble | None = None,
    alike: list[LookAlike] | None = None,
) -> Response:
    guardian = visitor.post is not None and visitor.post.role_type in GUARDIANS
    may = await desk_of(house, visitor).creatable() if guardian else Creatable(kinds=["OPERATOR"])
    if not may.kinds:
        raise Refused("not_permitted")
    wanted = kind if kind in may.kinds else may.kinds[0]
    problems = _problems(trouble)
    return house.look.page(
        request,
        "organisations/new.html",
        status=trouble.status if trouble else 200,
        current="organisations" if guardian else "roles",
        kind=wanted,
        kinds=[
            {
                "href": f"/organisations/new?kind={each}",
                "name": words._(TITLES[each]),
                "here": each == wanted,
                "count": 0,
            }
            for each in may.kinds
        ],
        title=words._(TITLES[wanted]),
        typed=typed,
        guardian=guardian,
        problems=problems,
        trouble=trouble.text if trouble and not problems and not alike else "",
        alike=alike or [],
        authority_roles=may.authority_roles,
        **await _choices(house, visitor, wanted),
        **shown(),
    )


def _problems(trouble: Trouble | None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for problem in trouble.problems if trouble else ():
        if problem.message not in {each.message for each in found.setdefault(problem.field, [])}:
            found[problem.field].append(problem)
    return found


async def _choices(house: House, visitor: Visitor, kind: str) -> dict[str, Any]:
    """What the fields of a record may be chosen from."""
    return {
        "bodies": await bodies_of(house, visitor) if kind == "OPERATOR" else [],
        "superiors": await superiors_of(house, visitor) if kind == "AUTHORITY" else [],
        "countries": forms.countries_for(""),
        "types": TYPES,
        "identifiers": IDENTIFIERS,
        "bases": BASES,
    }


async def superiors_of(house: House, visitor: Visitor) -> list[OrganisationView]:
    """The valid authorities that others may stand below."""
    ask = house.clients.directory.organisations
    wishes = {"kind": "AUTHORITY", "status": "VALID", "limit": 100}
    pages = await asyncio.gather(*(ask(visitor.caller, authority_role=role, **wishes) for role in SUPERIORS))
    return sorted((each for page in pages for each in page.items), key=lambda each: (each.country, each.name))


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
        return await _form(request, house, visitor, typed.get("kind", ""), typed, trouble, alike)
    if created.role_id is None:
        return RedirectResponse(f"/organisations/{created.organisation_id}", 303)
    return RedirectResponse("/roles?sent=1", 303)


@router.get("/organisations/{organisation_id}/edit")
async def edit(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """The record as a form."""
    return await _edit(request, house, visitor, organisation_id)


async def _edit(
    request: Request,
    house: House,
    visitor: Visitor,
    organisation_id: str,
    trouble: Trouble | None = None,
    typed: Mapping[str, Any] | None = None,
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
        value={**as_typed(record), **(typed or {})},
        trouble=trouble,
        problems=_problems(trouble),
        **await _choices(house, visitor, record.kind),
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
        if trouble.status not in (403, 409, 422):
            raise
        return await _edit(request, house, visitor, organisation_id, trouble, typed_of(form))
    return RedirectResponse(f"/organisations/{organisation_id}?{'proposed' if may.pending else 'saved'}=1", 303)
