"""Records of organisations as the pages say them and as their forms bring them."""

import base64
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from services.portal import names, words
from services.portal.clients import Trouble
from services.portal.requests import SECTIONS
from services.portal.words import N_
from shared.contracts.organisations import Evidence, NewOrganisation, OrganisationView
from shared.rules.refusals import Refused

LARGEST_FILE: Final = 500_000
IDENTIFIERS: Final = ("EORI", "VAT", "SIRET", "SIREN", "NATIONAL", "TRACES", "APPROVAL")
ROWS: Final = {
    "contact": ("kind", "value"),
    "address": ("label", "address", "postal_code", "city", "country"),
    "recognition": ("country", "categories", "legal_basis", "valid_from", "valid_to"),
}
"""What a form repeats: ``recognition-2-country`` is the country of the third one."""
MOST_ROWS: Final = 200
OF_OTHERS: Final = {
    "OPERATOR":     (),
    "CONTROL_BODY": ("code", "calendar", "time_zone"),
    "AUTHORITY":    ("code", "authority_role", "superior", "territory", "calendar", "time_zone"),
}  # fmt: skip
"""What is typed of each kind beyond what all have."""
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
    "addresses":   N_("Further addresses"),
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
    "calendar":    N_("Calendar of public holidays"),
    "time_zone":   N_("Time zone"),
}
TYPES: Final = {
    "EORI": N_("EORI number"), "VAT": N_("VAT number"), "SIRET": N_("SIRET number"), "SIREN": N_("SIREN number"),
    "NATIONAL": N_("National register"), "TRACES": N_("TRACES number"), "APPROVAL": N_("Approval number"),
    "CERTIFICATE": N_("Certificate number"),
}
BASES: Final = {**names.PROCEDURES, "UNION": N_("Control in the Union")}
"""The legal bases on which a control body is recognised."""
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
        return [_recognition(each) for each in value]
    if field == "addresses":
        return [_address(each) for each in value]
    if field == "superior":
        return [(bodies or {}).get(str(value), words._("another authority"))]
    if field == "authority_role":
        return [words._(names.AUTHORITY_ROLES.get(value, value))]
    if field == "competences":
        return [words._(SECTIONS.get(each, each)) for each in value]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _recognition(each: Mapping[str, Any]) -> str:
    basis = words._(BASES.get(each["legal_basis"], each["legal_basis"]))
    return ", ".join([f"{words.country(each['country'])}: {' '.join(each['categories'])}", basis, *_dates(each)])


def _address(each: Mapping[str, Any]) -> str:
    place = f"{each.get('postal_code', '')} {each.get('city', '')}".strip()
    parts = (each.get("label"), each.get("address"), place, words.country(each.get("country", "")))
    return ", ".join(part for part in parts if part)


def _dates(each: Mapping[str, Any]) -> list[str]:
    said = []
    if each.get("valid_from"):
        said.append(words._("since %(day)s", day=words.day(date.fromisoformat(str(each["valid_from"])), "medium")))
    if each.get("valid_to"):
        said.append(words._("until %(day)s", day=words.day(date.fromisoformat(str(each["valid_to"])), "medium")))
    return said


def _activity(each: Mapping[str, Any], bodies: Mapping[str, str]) -> str:
    parts = [words._(names.ACTIVITIES.get(each["kind"], each["kind"]))]
    if body := each.get("control_body"):
        parts.append(bodies.get(body, words._("another control body")))
    return ", ".join([*parts, *_dates(each)])


def typed_of(form: FormData) -> dict[str, Any]:
    """What was typed, for the form to be shown again."""
    typed: dict[str, Any] = {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}
    typed["addresses"], typed["recognitions"] = rows_of(form, "address"), rows_of(form, "recognition")
    typed["more_contacts"] = rows_of(form, "contact")
    typed["competences"] = [str(each) for each in form.getlist("competences")]
    typed["activities"] = {each["kind"]: each for each in _activities(form)}
    return typed


def as_typed(record: OrganisationView) -> dict[str, Any]:
    """A record as its form shows it."""
    told = record.model_dump(mode="json")
    first = {each["kind"]: each["value"] for each in reversed(record.contacts)}
    shown = {name: told[name] if told[name] is not None else "" for name in (*TYPED, *OF_OTHERS.get(record.kind, ()))}
    rest = list(record.contacts)
    for kind, value in first.items():
        rest.remove({"kind": kind, "value": value})
    return {
        **shown,
        **dict.fromkeys(names.CONTACTS, ""),
        **first,
        **{each["type"]: each["value"] for each in reversed(record.identifiers)},
        "more_contacts": rest,
        "addresses": told["addresses"],
        "recognitions": told["recognitions"],
        "competences": told["competences"],
        "activities": {each["kind"]: each for each in told["activities"]},
    }


def rows_of(form: FormData, row: str) -> list[dict[str, Any]]:
    """The repeated fields of a form, without the rows that were left empty."""
    found = []
    for number in range(MOST_ROWS):
        if f"{row}-{number}-{ROWS[row][-1]}" not in form:
            break
        each: dict[str, Any] = {name: str(form.get(f"{row}-{number}-{name}") or "").strip() for name in ROWS[row]}
        if "categories" in each:
            each["categories"] = [str(one) for one in form.getlist(f"{row}-{number}-categories")]
        if any(value for name, value in each.items() if name not in ("kind", "legal_basis")):
            found.append(each)
    return found


def _contacts(form: FormData) -> list[dict[str, str]]:
    first = [{"kind": kind, "value": str(form.get(kind) or "").strip()} for kind in names.CONTACTS]
    return [each for each in (*first, *rows_of(form, "contact")) if each["value"]]


def _identifiers(form: FormData) -> list[dict[str, str]]:
    found = [{"type": kind, "value": str(form.get(kind) or "").strip()} for kind in IDENTIFIERS]
    return [each for each in found if each["value"]]


def _activities(form: FormData) -> list[dict[str, Any]]:
    return [
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


def _of_others(form: FormData, kind: str) -> dict[str, Any]:
    """What control bodies and authorities have beyond an operator's fields."""
    said: dict[str, Any] = {name: str(form.get(name) or "").strip() or None for name in OF_OTHERS.get(kind, ())}
    if kind == "CONTROL_BODY":
        empty = {"valid_from": None, "valid_to": None}
        rows = rows_of(form, "recognition")
        said["recognitions"] = [{**each, **{name: each[name] or None for name in empty}} for each in rows]
    if kind == "AUTHORITY":
        said["competences"] = sorted(str(each) for each in form.getlist("competences"))
    return said


async def new_of(form: FormData) -> NewOrganisation:
    """The organisation a form describes."""
    fields = {name: str(form.get(name) or "").strip() for name in TYPED}
    return NewOrganisation(
        kind=str(form.get("kind") or "OPERATOR")[:20],
        name=fields["name"][:200],
        country=fields["country"][:2],
        region=fields["region"][:100] or None,
        city=fields["city"][:100],
        postal_code=fields["postal_code"][:20],
        address=fields["address"][:300],
        latitude=_degrees(fields["latitude"], "latitude"),
        longitude=_degrees(fields["longitude"], "longitude"),
        addresses=rows_of(form, "address"),
        contacts=_contacts(form)[:20],
        identifiers=_identifiers(form),
        **_of_others(form, str(form.get("kind") or "OPERATOR")),
        activities=[
            {
                "kind": str(form["activity"]),
                "chapter": str(form.get("chapter") or "ORGANIC"),
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
    wanted["contacts"], wanted["addresses"] = _contacts(form), rows_of(form, "address")
    types = [each["type"] for each in record.identifiers]
    others = [
        each
        for place, each in enumerate(record.identifiers)
        if each["type"] not in IDENTIFIERS or types.index(each["type"]) < place  # the form shows one of each
    ]
    wanted["identifiers"] = others + _identifiers(form)
    wanted |= _of_others(form, record.kind)
    if record.kind == "OPERATOR":
        wanted["activities"] = _activities(form)
    return {name: value for name, value in wanted.items() if not _same(name, value, record)}


def _same(name: str, value: Any, record: OrganisationView) -> bool:
    there = record.model_dump(mode="json")[name]
    if name == "activities":
        kept = ("kind", "section", "control_body", "valid_from", "valid_to")
        there = [{field: each[field] for field in kept} for each in there]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sorted(value, key=str) == sorted(({field: each[field] for field in value[0]} for each in there), key=str)
    return bool(value == there)
