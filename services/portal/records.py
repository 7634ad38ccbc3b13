"""Records of organisations as the pages say them and as their forms bring them."""

import base64
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from services.portal import names, words
from services.portal.clients import Trouble
from services.portal.words import N_
from shared.contracts.directory import Evidence, NewOrganisation, OrganisationView
from shared.rules.refusals import Refused

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
# fmt: on


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


def typed_of(form: FormData) -> dict[str, Any]:
    """What was typed, for the form to be shown again."""
    return {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}


async def new_of(form: FormData) -> NewOrganisation:
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
        evidence=await evidence_of(form),
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


async def evidence_of(form: FormData) -> Evidence | None:
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


def wanted_of(form: FormData, record: OrganisationView) -> dict[str, Any]:
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
