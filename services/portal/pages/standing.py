"""What a record's page offers beyond reading: its standing, its people, its history."""

import asyncio
from datetime import date, datetime, time
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import words
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.pages.organisations import bodies_of, superiors_of
from services.portal.records import FIELDS, WHATS, told
from services.portal.requests import Short, Text, desk_of, key_of, shown, step_of
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.organisations import NewOrganisation, OrganisationView
from shared.rules.refusals import Refused

router = APIRouter()

# fmt: off
STANDING: Final = {
    "suspend":   (N_("Suspend"),   "danger"),
    "reinstate": (N_("Reinstate"), ""),
    "close":     (N_("Close"),     "danger"),
    "merge":     (N_("Merge"),     ""),
}
# fmt: on


@router.post("/organisations/{organisation_id}/standing")
async def standing(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """Suspend, reinstate, close or merge, with a reason."""
    form = await request.form()
    wish, _ = step_of(form)
    await desk_of(house, visitor).standing(organisation_id, wish, key_of(form))
    return RedirectResponse(f"/organisations/{organisation_id}?saved=1", 303)


@router.get("/organisations/{organisation_id}/merge")
async def merge(
    request: Request, house: TheHouse, visitor: Somebody, organisation_id: str, text: Text = ""
) -> Response:
    """Which record of the same organisation stays: found by name, as a rule the one that looks alike."""
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    may = await desk_of(house, visitor).may(organisation_id)
    if "merge" not in may.steps:
        raise Refused("not_found")
    found = await _candidates(house, visitor, record, text.strip())
    others = [each for each in found if each.id != record.id and each.status == "VALID"]
    return house.look.page(
        request,
        "organisations/merge.html",
        current="organisations",
        record=record,
        may=may,
        text=text.strip(),
        others=others,
        **shown(),
    )


async def _candidates(house: House, visitor: Visitor, record: OrganisationView, text: str) -> list[OrganisationView]:
    """The records that fit what was typed; before anything is, those that look alike."""
    ask = house.clients.directory.organisations
    if text:
        return (await ask(visitor.caller, text=text, kind=record.kind, status="VALID", limit=20)).items
    told = record.model_dump(include={"kind", "name", "country", "city", "postal_code", "address", "identifiers"})
    alike = await desk_of(house, visitor).look_alikes(NewOrganisation(**told), uuid4().hex)
    ids = ",".join(each.organisation.id for each in alike)
    return (await ask(visitor.caller, ids=ids)).items if ids else []


@router.get("/organisations/{organisation_id}/people")
async def people(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """Who belongs to an organisation, for those who decide about it."""
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    roles = await desk_of(house, visitor).people(organisation_id)
    return house.look.page(
        request, "organisations/people.html", current="organisations", record=record, roles=roles, **shown()
    )


@router.get("/organisations/{organisation_id}/history")
async def history(
    request: Request, house: TheHouse, visitor: Somebody, organisation_id: str, on: Short = ""
) -> Response:
    """Who changed what, when and why; and the record as it stood at the end of any day."""
    day = _day(on)
    at = datetime.combine(day, time(23, 59, 59), words.reader().timezone) if day else None
    shown_history = await desk_of(house, visitor).history(organisation_id, at)
    record = await house.clients.directory.organisation(visitor.caller, organisation_id)
    above, bodies = await asyncio.gather(superiors_of(house, visitor), bodies_of(house, visitor))
    known = {each.id: each.name for each in (*above, *bodies)}
    return house.look.page(
        request,
        "organisations/history.html",
        current="organisations",
        record=record,
        history=shown_history,
        day=day,
        fields=FIELDS,
        whats=WHATS,
        told=lambda field, value: told(field, value, known),
        **shown(),
    )


def _day(on: str) -> date | None:
    try:
        return date.fromisoformat(on) if on else None
    except ValueError as problem:
        raise Refused("invalid", field="on") from problem


@router.get("/organisations/{organisation_id}/actions")
async def actions(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """What a record's page offers beyond reading: editing, people, history, standing."""
    told_more: dict[str, Any] = {"may": None, "people_seen": False, "standing_steps": STANDING}
    if visitor.post is not None and not visitor.is_ops:
        desk = desk_of(house, visitor)
        may, seen = await asyncio.gather(desk.may(organisation_id), _allowed(desk, organisation_id))
        told_more |= {"may": may, "people_seen": seen}
    return house.look.page(
        request, "organisations/actions.html", organisation_id=organisation_id, **told_more, **shown()
    )


async def _allowed(desk: Desk, organisation_id: str) -> bool:
    try:
        await desk.people(organisation_id)
    except Trouble as trouble:
        if trouble.status != 404:
            raise
        return False
    return True
