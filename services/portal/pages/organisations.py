"""Records of organisations: creating, editing, their people, their history, proposals, and the public directory."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, names, words
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.pages.roles import Short, Text, _explained, _key, _said, _step, desk_of, shown
from services.portal.visitor import Anybody, House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.directory import Evidence, LookAlike, NewOrganisation, OrganisationEdit, OrganisationView
from shared.rules.refusals import Refused

router = APIRouter()
LARGEST_FILE: Final = 500_000
IDENTIFIERS: Final = ("EORI", "VAT", "SIRET", "SIREN", "NATIONAL", "TRACES", "APPROVAL")
TYPED: Final = ("name", "country", "region", "city", "postal_code", "address", "latitude", "longitude")

# fmt: off
FIELDS: Final = {
    "name":        N_("Name"),
    "country":     N_("Country"),
    "region":      N_("Administrative region"),
    "city":        N_("City"),
    "postal_code": N_("Postal code"),
    "address":     N_("Address"),
    "latitude":    N_("Latitude"),
    "longitude":   N_("Longitude"),
    "contacts":    N_("Contacts"),
    "identifiers": N_("Identifiers"),
    "activities":  N_("Activities"),
    "control_body": N_("Control body"),
    "valid_to":    N_("Valid until"),
    "status":      N_("Standing"),
    "code":        N_("Code"),
    "recognitions": N_("Recognised for"),
    "authority_role": N_("Role"),
    "competences": N_("Competence"),
    "superior":    N_("Superior authority"),
    "territory":   N_("Territory"),
    "time_zone":   N_("Time zone"),
}
TYPES: Final = {
    "EORI": N_("EORI number"), "VAT": N_("VAT number"), "SIRET": N_("SIRET number"), "SIREN": N_("SIREN number"),
    "NATIONAL": N_("National register"), "TRACES": N_("TRACES number"), "APPROVAL": N_("Approval number"),
    "CERTIFICATE": N_("Certificate number"),
}
WHATS: Final = {
    "created":      N_("created"),
    "requested":    N_("creation requested"),
    "validated":    N_("validated"),
    "corrected":    N_("corrected by whoever answers for it"),
    "changed":      N_("changed"),
    "rejected":     N_("rejected"),
    "withdrawn":    N_("request withdrawn"),
    "lapsed":       N_("request lapsed"),
    "suspended":    N_("suspended"),
    "reinstated":   N_("reinstated"),
    "closed":       N_("closed"),
    "expired":      N_("an activity has ended"),
    "merged":       N_("merged into another record"),
    "merged_with":  N_("another record was merged into it"),
    "pointed_to_merged": N_("its control body or superior was merged"),
}
STANDING: Final = {
    "suspend":   (N_("Suspend"),   "danger"),
    "reinstate": (N_("Reinstate"), ""),
    "close":     (N_("Close"),     "danger"),
    "merge":     (N_("Merge"),     ""),
}
# fmt: on


# ---- creating ------------------------------------------------------------------------------------------------------


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
    bodies = await _bodies(house, visitor)
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


async def _bodies(house: House, visitor: Visitor) -> list[OrganisationView]:
    """All valid control bodies, by name."""
    page = await house.clients.directory.organisations(visitor.caller, kind="CONTROL_BODY", status="VALID", limit=100)
    return page.items


@router.post("/organisations/new")
async def create(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Create it; what resembles it is shown first."""
    form = await request.form()
    typed = _typed(form)
    desk, key = desk_of(house, visitor), _key(form)
    try:
        new = await _new(form)
        created = await desk.create(new, key)
    except Trouble as trouble:
        alike = await desk.look_alikes(new, key + "-alike") if trouble.code == "look_alikes" else None
        if trouble.status not in (403, 409, 422):
            raise
        return await _form(request, house, visitor, typed, trouble, alike)
    if created.role_id is None:
        return RedirectResponse(f"/organisations/{created.organisation_id}", 303)
    return RedirectResponse("/roles?sent=1", 303)


def _typed(form: FormData) -> dict[str, Any]:
    """What was typed, for the form to be shown again."""
    return {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}


async def _new(form: FormData) -> NewOrganisation:
    fields = {name: str(form.get(name) or "").strip() for name in TYPED}
    return NewOrganisation(
        name=fields["name"][:200],
        country=fields["country"][:2],
        region=fields["region"][:100] or None,
        city=fields["city"][:100],
        postal_code=fields["postal_code"][:20],
        address=fields["address"][:300],
        latitude=_degrees(fields["latitude"], "latitude"),
        longitude=_degrees(fields["longitude"], "longitude"),
        contacts=[
            {"kind": kind, "value": str(form[kind]).strip()}
            for kind in names.CONTACTS
            if str(form.get(kind) or "").strip()
        ],
        identifiers=[
            {"type": kind, "value": str(form[kind]).strip()}
            for kind in IDENTIFIERS
            if str(form.get(kind) or "").strip()
        ],
        activities=[
            {
                "kind": str(form["activity"]),
                "section": str(form.get("section") or "ORGANIC"),
                "control_body": str(form.get("control_body") or "") or None,
                "valid_from": str(form.get("valid_from") or "") or None,
                "valid_to": str(form.get("valid_to") or "") or None,
            }
        ]
        if form.get("activity")
        else [],
        evidence=await _evidence(form),
        another_one=form.get("another_one") == "true",
        message=str(form.get("message") or "").strip()[:2000],
        email=str(form.get("applicant_email") or "").strip()[:254],
        phone=str(form.get("applicant_phone") or "").strip()[:60],
    )


def _degrees(told: str, field: str) -> float | None:
    if not told:
        return None
    try:
        return float(words.typed_number(told))
    except ValueError as problem:
        raise Trouble(422, "invalid", words.law("Please give degrees as a number."), field) from problem


async def _evidence(form: FormData) -> Evidence | None:
    """The proof of certification: number, end of validity, file."""
    number, ends = str(form.get("certificate_number") or "").strip(), str(form.get("certificate_valid_to") or "")
    file = form.get("certificate_file")
    content, name = b"", ""
    if isinstance(file, UploadFile) and file.filename:
        content, name = await file.read(LARGEST_FILE + 1), file.filename[-200:]
        if len(content) > LARGEST_FILE:
            raise Refused("too_large", limit=LARGEST_FILE)
    if not (number or ends or content):
        return None
    return Evidence(
        certificate_number=number[:100],
        valid_to=date.fromisoformat(ends) if ends else None,
        file_name=name,
        file=base64.b64encode(content).decode(),
    )


# ---- editing -------------------------------------------------------------------------------------------------------


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
        bodies=await _bodies(house, visitor),
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
        wanted = _wanted(form, record)
        wish = OrganisationEdit(
            revision=int(str(form.get("revision") or "1")),
            changes=wanted,
            reason=str(form.get("reason") or "").strip()[:2000],
            evidence=await _evidence(form),
        )
        may = await desk_of(house, visitor).edit(organisation_id, wish, _key(form))
    except Trouble as trouble:
        if trouble.status not in (409, 422):
            raise
        return await _edit(request, house, visitor, organisation_id, trouble)
    return RedirectResponse(f"/organisations/{organisation_id}?{'proposed' if may.pending else 'saved'}=1", 303)


def _wanted(form: FormData, record: OrganisationView) -> dict[str, Any]:
    """The fields that differ from the record."""
    wanted: dict[str, Any] = {name: str(form.get(name) or "").strip() for name in TYPED[:6]}
    wanted["region"] = wanted["region"] or None
    for name in TYPED[6:]:
        wanted[name] = _degrees(str(form.get(name) or "").strip(), name)
    wanted["contacts"] = [
        {"kind": kind, "value": str(form[kind]).strip()} for kind in names.CONTACTS if str(form.get(kind) or "").strip()
    ]
    others = [each for each in record.identifiers if each["type"] not in IDENTIFIERS]
    wanted["identifiers"] = others + [
        {"type": kind, "value": str(form[kind]).strip()} for kind in IDENTIFIERS if str(form.get(kind) or "").strip()
    ]
    if record.kind == "OPERATOR":
        wanted["activities"] = [
            {
                "kind": kind,
                "section": str(form.get(f"{kind}-section") or "ORGANIC"),
                "control_body": str(form.get(f"{kind}-control_body") or "") or None,
                "valid_from": str(form.get(f"{kind}-valid_from") or "") or None,
                "valid_to": str(form.get(f"{kind}-valid_to") or "") or None,
            }
            for kind in names.ACTIVITIES
            if form.get(f"{kind}-has") == "true"
        ]
    return {name: value for name, value in wanted.items() if not _same(name, value, record)}


def _same(name: str, value: Any, record: OrganisationView) -> bool:
    there = getattr(record, name)
    if name in ("identifiers", "contacts"):
        order = "type" if name == "identifiers" else "kind"
        return sorted(value, key=lambda each: each[order]) == sorted(there, key=lambda each: each[order])
    if name == "activities":
        kept = ("kind", "section", "control_body", "valid_from", "valid_to")
        told = [{field: each.model_dump(mode="json")[field] for field in kept} for each in there]
        return sorted(value, key=lambda each: str(each["kind"])) == sorted(told, key=lambda each: str(each["kind"]))
    return bool(value == there)


@router.post("/organisations/{organisation_id}/standing")
async def standing(request: Request, house: TheHouse, visitor: Somebody, organisation_id: str) -> Response:
    """Suspend, reinstate, close or merge, with a reason."""
    form = await request.form()
    wish, _ = _step(form)
    await desk_of(house, visitor).standing(organisation_id, wish, _key(form))
    return RedirectResponse(f"/organisations/{organisation_id}?saved=1", 303)


# ---- people, history, proposals ------------------------------------------------------------------------------------


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
    return house.look.page(
        request,
        "organisations/history.html",
        current="organisations",
        record=record,
        history=shown_history,
        day=day,
        fields=FIELDS,
        whats=WHATS,
        told=told,
        **shown(),
    )


def _day(on: str) -> date | None:
    try:
        return date.fromisoformat(on) if on else None
    except ValueError as problem:
        raise Refused("invalid", field="on") from problem


def told(field: str, value: Any, bodies: Mapping[str, str] | None = None) -> list[str]:
    """A field's value as people read it: one line for each part."""
    if value in (None, "", []):
        return []
    if field == "country":
        return [f"{words.country(str(value))} ({value})"]
    if field == "contacts":
        return [f"{words._(names.CONTACTS.get(each['kind'], each['kind']))}: {each['value']}" for each in value]
    if field == "identifiers":
        return [f"{words._(TYPES.get(each['type'], each['type']))}: {each['value']}" for each in value]
    if field == "activities":
        return [_activity(each, bodies or {}) for each in value]
    if field == "status":
        return [words._(names.STANDINGS[value][0])]
    if field == "recognitions":
        return [f"{words.country(each['country'])}: {', '.join(each['categories'])}" for each in value]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _activity(each: Mapping[str, Any], bodies: Mapping[str, str]) -> str:
    parts = [words._(names.ACTIVITIES.get(each["kind"], each["kind"]))]
    if body := each.get("control_body"):
        parts.append(bodies.get(body, words._("another control body")))
    if each.get("valid_from"):
        parts.append(words._("since %(day)s", day=words.day(date.fromisoformat(each["valid_from"]), "medium")))
    if each.get("valid_to"):
        parts.append(words._("until %(day)s", day=words.day(date.fromisoformat(each["valid_to"]), "medium")))
    return ", ".join(parts)


@router.get("/proposals/{proposal_id}")
async def proposal(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """One proposal: field by field how it stands and how it would."""
    return await _proposal(request, house, visitor, proposal_id)


async def _proposal(
    request: Request, house: House, visitor: Visitor, proposal_id: str, trouble: Trouble | None = None, typed: str = ""
) -> Response:
    shown_proposal = await desk_of(house, visitor).proposal(proposal_id)
    bodies = {each.id: each.name for each in await _bodies(house, visitor)}
    return house.look.page(
        request,
        "organisations/proposal.html",
        status=trouble.status if trouble else 200,
        current="requests",
        proposal=shown_proposal,
        mine=shown_proposal.person_id == visitor.person.id,
        fields=FIELDS,
        told=lambda field, value: told(field, value, bodies),
        trouble=_explained(trouble) if trouble else "",
        typed=typed,
        **shown(),
    )


@router.post("/proposals/{proposal_id}")
async def decide(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """One step about a proposal."""
    form = await request.form()
    wish, reason = _step(form)
    try:
        await desk_of(house, visitor).propose_step(proposal_id, wish, _key(form))
    except Trouble as trouble:
        if trouble.status not in (403, 409, 422):
            raise
        return await _proposal(request, house, visitor, proposal_id, trouble, reason)
    return RedirectResponse(f"/proposals/{proposal_id}", 303)


@router.get("/proposals/{proposal_id}/file")
async def file(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """The proof of certification, to be kept: never shown within the page."""
    evidence = await desk_of(house, visitor).evidence(proposal_id)
    name = "".join(sign if sign.isalnum() or sign in ".-_ " else "_" for sign in evidence.file_name) or "certificate"
    return Response(
        base64.b64decode(evidence.file),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"'},
    )


# ---- the public directory ------------------------------------------------------------------------------------------


@router.get("/directory")
async def public(
    request: Request,
    house: TheHouse,
    visitor: Anybody,
    text: Text = "",
    country: Short = "",
    kind: Short = "",
    activity: Short = "",
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Valid organisations, for everybody: nothing that leads to a person."""
    query = {"text": text.strip(), "country": country, "kind": kind, "activity": activity}
    page = await Desk(house.clients.directory, None).public(**_said(query), after=after or None, limit=25)
    return house.look.page(
        request,
        "organisations/public.html",
        current="directory",
        page=page,
        query=query,
        countries=forms.countries_for(""),
        first=f"/directory?{urlencode(_said(query))}" if after else "",
        next=f"/directory?{urlencode({**_said(query), 'after': page.next})}" if page.next else "",
        **shown(),
    )


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
