"""Finding certificates: the list with its filters, searches kept under a name, and the list as a file.

One thing to remember: everything that narrows a list stands in its address, so it works without scripts, can be kept as
a bookmark and is exported as it is shown. Each row of FIELDS is a filter of the certificates service.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.names import STATUSES
from services.portal.pages.certificates import may_create, organisation_of
from services.portal.programs import Programs
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.machines import NewSearch, SearchView
from shared.contracts.organisations import OrganisationView
from shared.rules.status import Status

router = APIRouter()

PAGE: Final = 25
SORTS: Final = {"number": "-number", "status": "-status", "arrival": "-arrival", "oldest": "updated"}
"""Each sort upwards, and its way down."""
FLAGS: Final = {
    "overdue": N_("A deadline has passed"),
    "lab_pending": N_("Laboratory result pending"),
    "customs_procedure_open": N_("Customs procedure open"),
    "prior_notified": N_("Arrival date given"),
    "checks_in_progress": N_("Checks in progress"),
    "replacement_pending": N_("Replacement being written"),
    "amended_after_issue": N_("Amended after issue"),
    "completion_overdue": N_("Still incomplete after the time allowed"),
}
MODELS: Final = {"COI_2017": N_("Form of 2017"), "COI_2022": N_("Form of 2022")}
TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Field:
    """One filter: its name in the address, how it is asked for, what it is called."""

    name: str
    kind: str
    label: str


# fmt: off
FIELDS: Final = (
    Field("text",                 "text",         N_("Words")),
    Field("party",                "organisation", N_("Organisation")),
    Field("exporter",             "organisation", N_("Exporter")),
    Field("importer",             "organisation", N_("Importer")),
    Field("issuing_body",         "organisation", N_("Issuing body")),
    Field("first_consignee",      "organisation", N_("First consignee")),
    Field("entry_authority",      "organisation", N_("Border authority")),
    Field("responsible_for_load", "organisation", N_("Responsible for the load")),
    Field("producer",             "organisation", N_("Producer")),
    Field("goods",                "text",         N_("Goods or commodity code")),
    Field("cn_code",              "text",         N_("Commodity code begins with")),
    Field("lot",                  "text",         N_("Lot")),
    Field("container",            "text",         N_("Container or seal")),
    Field("document",             "text",         N_("Document or reference number")),
    Field("country_of_origin",    "country",      N_("Country of origin")),
    Field("country_of_export",    "country",      N_("Country of export")),
    Field("clearance_country",    "country",      N_("Country of clearance")),
    Field("authority_country",    "country",      N_("Country of the border authority")),
    Field("form_model",           "model",        N_("Form")),
    Field("created_from",         "day",          N_("Drawn up from")),
    Field("created_until",        "day",          N_("Drawn up until")),
    Field("issued_from",          "day",          N_("Issued from")),
    Field("issued_until",         "day",          N_("Issued until")),
    Field("decided_from",         "day",          N_("Decided from")),
    Field("decided_until",        "day",          N_("Decided until")),
    Field("arrival_from",         "day",          N_("Arrival from")),
    Field("arrival_until",        "day",          N_("Arrival until")),
    Field("flag",                 "flags",        N_("Only with")),
    Field("awaits_me",            "check",        N_("Awaiting me")),
    Field("ours",                 "check",        N_("Drawn up by us")),
)
# fmt: on
FIRST: Final = {"text", "awaits_me"}
"""Filters that stand in front; the others are folded away until one of them is used."""
ORGANISATIONS: Final = tuple(field for field in FIELDS if field.kind == "organisation")


@dataclass(frozen=True)
class Sorting:
    """How a list is sorted, and the links that sort it otherwise."""

    sort: str
    query: Mapping[str, Any]

    @property
    def by(self) -> str:
        """The column it is sorted by."""
        return next((up for up, down in SORTS.items() if self.sort in (up, down)), "")

    @property
    def down(self) -> bool:
        """Whether the largest stands first."""
        return self.sort in SORTS.values()

    def link(self, key: str) -> str:
        """The same list sorted by a column; the other way round when it is already sorted by it."""
        other = SORTS[key] if self.sort == key else key
        return address({**self.query, "sort": other})


@dataclass(frozen=True)
class Chip:
    """An active filter, in words, and the list without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class StatusLink:
    """A status with its count, and the list with it chosen or no longer chosen."""

    code: str
    count: int
    chosen: bool
    link: str


def address(query: Mapping[str, Any], page: str = "/certificates") -> str:
    """A list's address."""
    return f"{page}?{urlencode(query, doseq=True)}" if query else page


def asked(params: QueryParams) -> dict[str, Any]:
    """What the address asks for, as far as it is sound: a wrong day or country narrows nothing."""
    query: dict[str, Any] = {}
    if statuses := [each for each in params.getlist("status") if each in Status.__members__]:
        query["status"] = list(dict.fromkeys(statuses))
    for field in FIELDS:
        value = params.get(field.name, "").strip()[:200]
        sound = {
            "text": bool(value),
            "organisation": bool(re.fullmatch(r"[0-9a-f-]{36}", value)),
            "country": bool(re.fullmatch(r"[A-Z]{2}", value)),
            "model": value in MODELS,
            "day": _day(value) is not None,
            "check": value == "true",
        }
        if field.kind == "flags":
            flags = [each for each in params.getlist(field.name) if each in FLAGS]
            if flags:
                query[field.name] = list(dict.fromkeys(flags))
        elif sound[field.kind]:
            query[field.name] = value if field.name == "text" else value[:60]
    if (sort := params.get("sort", "")) in {*SORTS, *SORTS.values()} and sort != "updated":
        query["sort"] = sort
    return query


def _day(text: str) -> date | None:
    """A day of our times, if that is what somebody chose."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None


@router.get("/certificates")
async def certificates(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    after: Annotated[str, Query(max_length=400)] = "",
    saved: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The certificates my organisation may see: filter, sort, page, keep, export."""
    query = asked(request.query_params)
    narrowed = {name: value for name, value in query.items() if name != "sort"}
    wishes = {**query, "limit": PAGE, **({"after": after} if after else {})}
    refused = ""
    try:
        page = await house.clients.certificates.certificates(visitor.caller, **wishes)
    except Trouble as trouble:
        if trouble.status != 422:
            raise
        refused = trouble.text
        page = await house.clients.certificates.certificates(visitor.caller, limit=PAGE)
        query, narrowed = {}, {}
    looked_for = request.query_params.get("find.party", "").strip()[:200]
    role = request.query_params.get("as", "party")
    role = role if role in {field.name for field in ORGANISATIONS} else "party"
    return house.look.page(
        request,
        "certificates/list.html",
        status=422 if refused else 200,
        current="certificates",
        page=page,
        statuses=STATUSES,
        status_links=_status_links(query, page.counts),
        fields={field.name: field for field in FIELDS},
        folded=[field for field in FIELDS if field.name not in FIRST and field.kind != "organisation"],
        organisations=ORGANISATIONS,
        flags=FLAGS,
        models=MODELS,
        countries=forms.countries_for(""),
        open=any(name not in FIRST | {"status"} for name in narrowed),
        chips=await _chips(house, visitor, query),
        candidates=await _candidates(house, visitor, looked_for, {**query}, role) if looked_for else None,
        looked_for=looked_for,
        role=role,
        sorting=Sorting(query.get("sort", "updated"), narrowed),
        query=query,
        narrowed=narrowed,
        refused=refused,
        searches=await _searches(house, visitor),
        key=str(uuid4()),
        kept=urlencode(query, doseq=True),
        first=address(query) if after else "",
        next=address({**query, "after": page.next}) if page.next else "",
        export=lambda kind: address(query, f"/lists/certificates.{kind}"),
        link=address,
        flashes=[{"tone": "", "text": words._("The search is kept.")}] if saved == "yes" else [],
        may_create=may_create(visitor),
    )


def _status_links(query: Mapping[str, Any], counts: Mapping[str, int]) -> list[StatusLink]:
    chosen = list(query.get("status", ()))
    links = []
    for status in STATUSES:
        here = status in chosen
        if not here and not counts.get(status):
            continue
        others = [each for each in chosen if each != status] if here else [*chosen, str(status)]
        rest = {name: value for name, value in query.items() if name != "status"}
        link = address({**rest, **({"status": others} if others else {})})
        links.append(StatusLink(str(status), counts.get(status, 0), here, link))
    return links


async def _chips(house: House, visitor: Visitor, query: Mapping[str, Any]) -> list[Chip]:
    chips = []
    for field in FIELDS:
        if field.name not in query:
            continue
        value = query[field.name]
        for each in value if isinstance(value, list) else [value]:
            rest = {name: kept for name, kept in query.items() if name != field.name}
            if isinstance(value, list) and len(value) > 1:
                rest[field.name] = [other for other in value if other != each]
            chips.append(Chip(words._(field.label), await _said(house, visitor, field, each), address(rest)))
    return chips


async def _said(house: House, visitor: Visitor, field: Field, value: str) -> str:
    """A filter's value as a person reads it."""
    if field.kind == "organisation":
        named = await organisation_of(house, visitor, value)
        return named.name if named else words._("unknown")
    if field.kind == "country":
        return words.country(value)
    if field.kind == "day":
        return words.day(_day(value), "medium")
    if field.kind == "check":
        return ""
    return words._({**FLAGS, **MODELS}[value]) if field.kind in ("flags", "model") else value


async def _candidates(
    house: House, visitor: Visitor, looked_for: str, query: dict[str, Any], role: str
) -> list[tuple[OrganisationView, str]]:
    found = await house.clients.directory.organisations(visitor.caller, text=looked_for, limit=10)
    return [(each, address({**query, role: each.id})) for each in found.items]


async def _searches(house: House, visitor: Visitor) -> list[tuple[SearchView, str]]:
    """The searches somebody may choose from; none while they cannot be asked: the list does not wait for them."""
    try:
        known = await Programs(house.clients, visitor.caller).searches()
    except Trouble as trouble:
        if trouble.status < 500:
            raise
        return []
    return [(each, address({name: _plain(value) for name, value in each.query.items()})) for each in known]


def _plain(value: Any) -> Any:
    return "true" if value is True else value


@router.get("/lists/certificates.{kind}")
async def export(request: Request, house: TheHouse, visitor: Somebody, kind: str) -> Response:
    """The list as it is shown, every page of it, as CSV or XLSX."""
    kind = kind if kind in TYPES else "csv"
    body = await Programs(house.clients, visitor.caller).file(kind, asked(request.query_params))
    name = words._("certificates")
    headers = {"Content-Disposition": f'attachment; filename="{name}-{house.clock():%Y-%m-%d}.{kind}"'}
    return Response(body, media_type=TYPES[kind], headers=headers)


@router.post("/searches")
async def keep(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Keep a search under a name."""
    form = await request.form()
    query = asked(QueryParams([(name, each) for name, some in parse_qs(_text(form, "query")).items() for each in some]))
    name = _text(form, "name").strip()[:80] or words._("My search")
    said = {each: True if value == "true" else value for each, value in query.items()}
    new = NewSearch(name=name, query=said, shared=_text(form, "shared") == "true")
    await Programs(house.clients, visitor.caller).keep(new, _text(form, "key") or str(uuid4()))
    return RedirectResponse(address({**query, "saved": "yes"}), 303)


@router.post("/searches/{search_id}")
async def change(request: Request, house: TheHouse, visitor: Somebody, search_id: str) -> Response:
    """Share a search, keep it to oneself again, or give it up."""
    form = await request.form()
    programs, do = Programs(house.clients, visitor.caller), _text(form, "do")
    if do == "drop":
        await programs.forget(search_id)
    else:
        await programs.share(search_id, do == "share")
    return RedirectResponse("/certificates", 303)


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
