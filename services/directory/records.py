"""What an organisation's record must be like, and which others it resembles. Pure: rows and today's date come in.

Numbers are checked where a standard exists: VAT numbers of the Union, SIRET and SIREN by their check digits
(python-stdnum), EORI by its form (Regulation (EU) No 952/2013, art. 9), codes of control bodies by theirs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rapidfuzz.fuzz import ratio, token_set_ratio, token_sort_ratio
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren, siret

from services.directory import rules
from shared.kit.calendar import is_known
from shared.rules.countries import COUNTRIES, UNION
from shared.rules.refusals import Refused
from shared.rules.requests import best
from shared.rules.roles import CHAPTERS, ActivityType, AuthorityRole, Competence, RoleType, StandingStatus

EORI: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}")
BODY_CODE: Final = re.compile(r"[A-Z]{2}-[A-ZÖ]{3}-\d{1,3}")
IDENTIFIERS: Final = ("EORI", "VAT", "SIRET", "SIREN", "NATIONAL", "TRACES", "APPROVAL", "CERTIFICATE")
CONTACTS: Final = ("email", "phone", "fax", "web")
CATEGORIES: Final = "abcdefg"
MATERIAL: Final = ("name", "country", "identifiers", "activities")
"""A change of these awaits a decision; of the rest, none."""
FREE: Final = ("region", "city", "postal_code", "address", "latitude", "longitude", "addresses", "contacts")
OF_GUARDIANS: Final = (
    "code", "recognitions", "authority_role", "competences", "superior", "territory", "calendar", "time_zone",
)  # fmt: skip
OF_ADDRESS: Final = ("label", "address", "postal_code", "city", "country")
LONGEST_BASIS: Final = 100
EVERYWHERE: Final = "EU"
"""The territory of the Commission."""
_ZONES: Final = {"FR": "Europe/Paris", "BE": "Europe/Brussels", "NL": "Europe/Amsterdam", "MA": "Africa/Casablanca"}


@dataclass(frozen=True)
class Trouble:
    """Something about one field: a code of the law's sentences."""

    field: str
    code: str
    title: str = ""


def tidy(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: trimmed, numbers without blanks, nothing half filled."""
    kept: dict[str, Any] = {name: _text(value) if isinstance(value, str) else value for name, value in fields.items()}
    if "country" in kept:
        kept["country"] = str(kept["country"] or "").upper()
    if "contacts" in kept:
        kept["contacts"] = [
            {"kind": each["kind"], "value": _text(each["value"])}
            for each in kept["contacts"] or []
            if each.get("kind") in CONTACTS and _text(each.get("value"))
        ]
    if "identifiers" in kept:
        kept["identifiers"] = [
            {"type": each["type"], "value": _number(each["type"], _text(each["value"]))}
            for each in kept["identifiers"] or []
            if each.get("type") in IDENTIFIERS and _text(each.get("value"))
        ]
    if "activities" in kept:
        kept["activities"] = [_activity(each) for each in kept["activities"] or []]
    if "addresses" in kept:
        told = ({name: _text(each.get(name)) for name in OF_ADDRESS} for each in kept["addresses"] or [])
        kept["addresses"] = [{**each, "country": each["country"].upper()} for each in told if any(each.values())]
    if "recognitions" in kept:
        kept["recognitions"] = [_recognition(each) for each in kept["recognitions"] or []]
    if "competences" in kept:
        kept["competences"] = sorted({str(each) for each in kept["competences"] or []})
    for name in ("code", "territory", "calendar"):
        if name in kept:
            kept[name] = str(kept[name] or "").upper() or None
    if "superior" in kept:
        kept["superior"] = kept["superior"] or None
    return kept


def _text(value: Any) -> str:
    return " ".join(str(value or "").replace("\0", "").split())


def _number(kind: str, value: str) -> str:
    return re.sub(r"[\s.]", "", value).upper() if kind in ("EORI", "VAT", "SIRET", "SIREN") else value


def _activity(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "chapter": str(told.get("chapter") or "ORGANIC"),
        "section": str(told.get("section") or "ORGANIC"),
        "kind": str(told.get("kind") or ""),
        "status": str(told.get("status") or StandingStatus.NEW),
        "valid_from": _date(told.get("valid_from")),
        "valid_to": _date(told.get("valid_to")),
        "control_body": str(told["control_body"]) if told.get("control_body") else None,
    }


def _recognition(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "country": _text(told.get("country")).upper(),
        "categories": sorted({str(each) for each in told.get("categories") or ()}),
        "legal_basis": _text(told.get("legal_basis")),
        "valid_from": _date(told.get("valid_from"), "recognitions"),
        "valid_to": _date(told.get("valid_to"), "recognitions"),
    }


def _date(value: Any, field: str = "activities") -> str | None:
    if not value:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as problem:
        raise Refused("invalid", field=field) from problem


def troubles(kind: str, fields: Mapping[str, Any], bodies: Iterable[str], one_activity: bool) -> list[Trouble]:
    """All that is wrong with a record at once; ``bodies`` are the control bodies there are."""
    found = [Trouble(each, "field_needed") for each in ("name", "country", "city", "address") if not fields.get(each)]
    if fields.get("country") and fields["country"] not in COUNTRIES:
        found.append(Trouble("country", "not_a_country"))
    if not fields.get("postal_code") and fields.get("country") in UNION:
        found.append(Trouble("postal_code", "field_needed"))
    if not fields.get("contacts"):
        found.append(Trouble("contacts", "contact_needed"))
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        if fields.get(name) is not None and not -most <= float(fields[name]) <= most:
            found.append(Trouble(name, "not_coordinates"))
    for each in fields.get("addresses") or ():
        if not each["address"] or not each["city"] or each["country"] not in COUNTRIES:
            found.append(Trouble("addresses", "field_needed"))
    if fields.get("calendar") and not is_known(str(fields["calendar"])):
        found.append(Trouble("calendar", "not_calendar"))
    found += _wrong_numbers(fields.get("identifiers") or (), str(fields.get("country") or ""))
    if kind == RoleType.OPERATOR:
        found += _wrong_activities(fields, set(bodies), one_activity)
    elif kind == RoleType.CONTROL_BODY:
        if not BODY_CODE.fullmatch(str(fields.get("code") or "")):
            found.append(Trouble("code", "not_body_code"))
        found += _wrong_recognitions(fields.get("recognitions") or ())
    elif kind == RoleType.AUTHORITY:
        found += _wrong_authority(fields)
    return found


def _wrong_recognitions(recognitions: Iterable[Mapping[str, Any]]) -> list[Trouble]:
    found = []
    for each in recognitions:
        categories = set(each["categories"])
        said = each["country"] in COUNTRIES and categories and 0 < len(each["legal_basis"]) <= LONGEST_BASIS
        if not said or not categories <= set(CATEGORIES):
            found.append(Trouble("recognitions", "not_basis"))
        if each.get("valid_from") and each.get("valid_to") and each["valid_from"] > each["valid_to"]:
            found.append(Trouble("recognitions", "dates_crossed"))
    return found


def _wrong_authority(fields: Mapping[str, Any]) -> list[Trouble]:
    found = []
    if fields.get("authority_role") not in AuthorityRole.__members__:
        found.append(Trouble("authority_role", "field_needed"))
    if not fields.get("code"):
        found.append(Trouble("code", "field_needed"))
    if not set(fields.get("competences") or ()) <= set(Competence.__members__):
        found.append(Trouble("competences", "field_needed"))
    territory = str(fields.get("territory") or "")
    country, _, part = territory.partition("-")
    if territory not in ("", EVERYWHERE) and (country != fields.get("country") or not (part.isalnum() or not part)):
        found.append(Trouble("territory", "not_territory"))
    return found


def _wrong_numbers(identifiers: Iterable[Mapping[str, str]], country: str) -> list[Trouble]:
    found = []
    for each in identifiers:
        kind, value = each["type"], each["value"]
        if kind == "EORI" and not EORI.fullmatch(value):
            found.append(Trouble("identifiers", "not_eori", "EORI"))
        if kind == "VAT" and country in UNION - {"XI"} and not _checks(vat, value):
            found.append(Trouble("identifiers", "not_vat", "VAT"))
        if kind == "SIRET" and not _checks(siret, value):
            found.append(Trouble("identifiers", "not_siret", "SIRET"))
        if kind == "SIREN" and not _checks(siren, value):
            found.append(Trouble("identifiers", "not_siret", "SIREN"))
        if len(value) > 60:
            found.append(Trouble("identifiers", "field_needed", kind))
    return found


def _checks(standard: Any, value: str) -> bool:
    try:
        standard.validate(value)
    except ValidationError:
        return False
    return True


def _wrong_activities(fields: Mapping[str, Any], bodies: set[str], one: bool) -> list[Trouble]:
    activities = fields.get("activities") or []
    kinds = [each["kind"] for each in activities]
    if not activities or (one and len(activities) != 1):
        return [Trouble("activities", "one_activity")]
    found = []
    if set(kinds) - set(ActivityType.__members__) or len(set(kinds)) != len(kinds):
        found.append(Trouble("activities", "not_activity"))
    if any(each["chapter"] not in CHAPTERS or each["section"] not in Competence.__members__ for each in activities):
        found.append(Trouble("activities", "not_activity"))
    for each in activities:
        if each["control_body"] is None and each["kind"] != ActivityType.RFL:
            found.append(Trouble("control_body", "body_needed"))
        if each["control_body"] is not None and each["control_body"] not in bodies:
            found.append(Trouble("control_body", "body_needed"))
        if each["valid_from"] and each["valid_to"] and each["valid_from"] > each["valid_to"]:
            found.append(Trouble("valid_to", "dates_crossed"))
    types = {each["type"] for each in fields.get("identifiers") or ()}
    if ActivityType.ORG_IMPORTER in kinds and "EORI" not in types:
        found.append(Trouble("identifiers", "eori_needed", "EORI"))
    return found


def is_about(trouble: Trouble, changes: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether a trouble comes with these changes; what was wrong before may be mended another day."""
    if trouble.code == "eori_needed" and "identifiers" not in changes:
        kinds = {each["kind"] for each in current["activities"]}
        return ActivityType.ORG_IMPORTER not in kinds
    return {"control_body": "activities", "valid_to": "activities"}.get(trouble.field, trouble.field) in changes


def refuse_if_wrong(found: Sequence[Trouble]) -> None:
    """Refuse with all that is wrong at once."""
    if found:
        raise Refused("incomplete", problems=list(found))


def zone_of(country: str, told: str | None) -> str:
    """The time zone of an organisation: as told, else that of its country."""
    if told:
        try:
            return ZoneInfo(told).key
        except (ZoneInfoNotFoundError, ValueError) as problem:
            raise Refused("invalid", field="time_zone") from problem
    return _ZONES.get(country, "Europe/Paris")


# ── Activities and what an operator is worth ──────────────────────────────────────────────────────────────────


def with_statuses(
    proposed: Sequence[Mapping[str, Any]], in_force: Sequence[Mapping[str, Any]], fresh: str
) -> list[dict[str, Any]]:
    """Proposed activities with the status each has already, and a fresh one for those that are new or were over."""
    there = {each["kind"]: each["status"] for each in in_force}
    kept = (StandingStatus.VALID, StandingStatus.SUSPENDED)
    return [{**each, "status": there[each["kind"]] if there.get(each["kind"]) in kept else fresh} for each in proposed]


def standing_of(activities: Sequence[Mapping[str, Any]], otherwise: str) -> str:
    """The status of an operator with these activities."""
    return best([each["status"] for each in activities]) if activities else otherwise


# ── Look-alikes ───────────────────────────────────────────────────────────────────────────────────────────────

_FORMS: Final = frozenset(
    rules.words(
        "sa sas sasu sarl eurl sprl bvba bv nv srl gmbh ag ltd limited plc llc inc co spa sl scop snc ei scea gaec"
        " earl societe company cie et and the de du des la le les l d"
    )
)
"""Legal forms and small words: they tell no company from another."""
TELLING: Final = ("EORI", "VAT", "SIRET", "SIREN")
ENOUGH: Final = 84
SLIPS: Final = 62
"""So alike are words at least that differ by a slip or two."""
OTHER_WORDS: Final = 0.8
"""So much a resemblance is worth where the words that differ have nothing in common."""


@dataclass(frozen=True)
class Alike:
    """How alike two records are, from 0 to 100, and why."""

    score: int
    reason: str
    value: str = ""


def core(name: str) -> str:
    """What is left of a name without its legal form and small words, folded; all of it where nothing is left."""
    words = rules.words(name)
    return " ".join(word for word in words if len(word) > 1 and word not in _FORMS) or " ".join(words)


def alike(mine: Mapping[str, Any], other: Mapping[str, Any]) -> Alike | None:
    """Whether two records may be the same organisation."""
    numbers = {(each["type"], rules.number(each["value"])): each["value"] for each in mine["identifiers"]}
    theirs = {(each["type"], rules.number(each["value"])) for each in other["identifiers"]}
    for (kind, value), shown in numbers.items():
        if (kind, value) in theirs:
            return Alike(100 if kind in TELLING else 95, kind if kind in ("EORI", "VAT") else "NUMBER", shown)
    if mine["country"] != other["country"]:
        return None
    towns = {*rules.words(mine["city"]), *rules.words(other["city"])}
    here, there = (_elsewhere(core(each["name"]), towns) for each in (mine, other))
    same_place = bool(rules.number(mine["postal_code"])) and rules.number(mine["postal_code"]) == rules.number(
        other["postal_code"]
    )
    same_town = rules.folded(mine["city"]) == rules.folded(other["city"])
    if here == there and same_place:
        return Alike(98, "NAME_AND_POSTAL_CODE", str(other["name"]))
    score = _resemblance(here, there)
    if same_place:
        score += 6
    elif same_town:
        score += 4
    else:
        score -= 4
    return Alike(min(97, round(score)), "SIMILAR_NAME", str(other["name"])) if score >= ENOUGH else None


def _elsewhere(name: str, towns: set[str]) -> str:
    """A name without the town it may name; all of it where nothing else is left."""
    return " ".join(word for word in name.split() if word not in towns) or name


def _resemblance(here: str, there: str) -> float:
    """How alike two names are, whatever the order of their words; one inside the other counts less than all of it.

    Where both have words the other lacks, these must be slips or abbreviations of each other: a vineyard and a
    haulier of one family, or two trades of one town, are two.
    """
    ordered = max(
        ratio(here, there), token_sort_ratio(here, there), ratio(here.replace(" ", ""), there.replace(" ", ""))
    )
    inside = token_set_ratio(here, there) if min(len(here), len(there)) >= 6 else 0.0
    mine = [word for word in here.split() if word not in there.split()]
    theirs = [word for word in there.split() if word not in here.split()]
    alike = max(ordered, 0.88 * inside)
    return alike if _may_be_one(mine, theirs) else OTHER_WORDS * alike


def _may_be_one(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether words that only one name has, and words that only the other has, may stand for each other."""
    if not mine or not theirs:
        return True
    short = len(mine) == len(theirs) and all(
        one.startswith(other) or other.startswith(one) for one, other in zip(mine, theirs, strict=True)
    )
    return short or ratio("".join(mine), "".join(theirs)) >= SLIPS
