"""Certificates: the list, the certificate as a sheet, what changed since, its journal and its letters."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, sheets, words
from services.portal.clients import Trouble
from services.portal.look import wants_part
from services.portal.names import ACTIONS, EVENTS, STATUSES
from services.portal.sheets import Sheet
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.certificate_views import CertificateView, CommodityView
from shared.contracts.organisations import OrganisationView
from shared.rules.boxes import Model
from shared.rules.forms import SIGNATURES
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

router = APIRouter()

DECISIONS: Final = (Action.VERIFY, Action.OPEN_BATCHES, Action.RELEASE_CONVENTIONAL, Action.REJECT)
"""The ways of signing box 20."""
MAIN: Final = (Action.SUBMIT, Action.SIGN, Action.VERIFY, Action.OPEN_BATCHES, Action.RECEIVE)
"""Actions a page offers first."""


def may_create(visitor: Visitor) -> bool:
    """Whether a button for a new certificate makes sense; the service has the last word."""
    return visitor.post is not None and visitor.post.role_type in ("OPERATOR", "CONTROL_BODY")


async def organisation_of(house: House, visitor: Visitor, organisation: str) -> OrganisationView | None:
    try:
        return await house.clients.directory.organisation(visitor.caller, organisation)
    except Trouble as trouble:
        if trouble.status in (404, 422):
            return None
        raise


# ---- the sheet ------------------------------------------------------------------------------------------------


@router.get("/certificates/{certificate_id}")
async def certificate(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    certificate_id: str,
    edit: Annotated[list[str] | None, Query()] = None,
    find: str = "",
    said: str = "",
    check: bool = False,
) -> Response:
    """The certificate, laid out like the printed form; boxes I may change can be opened."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    opened = edit or (["all"] if view.status is Status.DRAFT and view.may.edit else [])
    found = {}
    if find:
        found[find] = await candidates(house, visitor, find, request.query_params.get("q", ""), view)
    page = sheets.laid_out(view, await goods_of(house, visitor, view), open=opened, found=found, calm=not check)
    refused = words._("This is still missing, or not right") if check and page.errors else ""
    flashes = [*_said(said), *await _next(house, visitor, view, said)]
    return sheet_page(request, house, view, page, flashes=flashes, refused=refused)


@router.get("/certificates/{certificate_id}/boxes/{key}")
async def box(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, key: str, edit: bool = False
) -> Response:
    """One box, open or closed; without htmx the whole page, at that box."""
    if not wants_part(request):
        return RedirectResponse(f"/certificates/{certificate_id}{f'?edit={quote(key)}' if edit else ''}#box-{key}", 303)
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    goods = await goods_of(house, visitor, view)
    page = sheets.laid_out(view, goods, open=[key] if edit else [], calm=not checking(request))
    wanted = box_of(page, key)
    return house.look.page(request, "certificates/boxes.html", s=page, shown=[wanted], oob=False, view=view)


def box_of(page: Sheet, key: str) -> forms.SheetBox:
    found = next((each for each in page.boxes if each.key == key), None)
    if found is None:
        raise Refused("not_found")
    return found


def sheet_page(
    request: Request,
    house: House,
    view: CertificateView,
    page: Sheet,
    *,
    flashes: Sequence[dict[str, str]] = (),
    status: int = 200,
    refused: str = "",
) -> Response:
    actions = [Action(each) for each in view.may.do if each in Action.__members__.values()]
    return house.look.page(
        request,
        "certificates/sheet.html",
        status=status,
        current="certificates",
        tab="sheet",
        view=view,
        s=page,
        flashes=flashes,
        refused=refused,
        **head(view),
        main=[each for each in MAIN if each in actions and (each is not Action.OPEN_BATCHES or _batches(view))][:1],
        others=_others(view, actions),
        actions=actions,
    )


def _batches(view: CertificateView) -> bool:
    return bool(view.content.get("release_by_batches"))


def _others(view: CertificateView, actions: list[Action]) -> list[Action]:
    """The actions beside the main one: one way to sign box 20 leads to the other three."""
    main = [each for each in MAIN if each in actions]
    rest = [each for each in actions if each not in main and each not in DECISIONS]
    return [each for each in rest if each not in (Action.AMEND, Action.EXTRACT)]


def head(view: CertificateView) -> dict[str, Any]:
    """What stands above every page of one certificate."""
    return {
        "standing": STATUSES[view.status],
        "journey": sheets.journey(view.status),
        "waits": sheets.waiting(view),
        "then": sheets.then(view),
        "button": lambda action: sheets.button(action, Model(view.form_model)),
    }


def _said(said: str) -> list[dict[str, str]]:
    """What is said after something was done."""
    if said == "created":
        return [{"tone": "", "text": words._("The draft is kept. Fill in the boxes; each is saved when you leave it.")}]
    if said == "saved":
        return [{"tone": "", "text": words._("Saved.")}]
    if said in ACTIONS:
        return [{"tone": "", "text": words._(ACTIONS[Action(said)].said)}]
    return []


async def _next(house: House, visitor: Visitor, view: CertificateView, said: str) -> list[dict[str, str]]:
    """After a signature: the next certificate that awaits its reader, if there is one."""
    if said not in SIGNATURES:
        return []
    try:
        page = await house.clients.certificates.certificates(visitor.caller, awaits_me=True, sort="arrival", limit=2)
    except Trouble as trouble:
        if trouble.status < 500:
            raise
        return []  # what was signed is said, also while the list cannot be asked
    line = next((each for each in page.items if each.id != view.id), None)
    if line is None:
        return []
    what = sheets.asked(line)
    return [
        {
            "tone": "note",
            "text": words._("The next one that awaits you: %(what)s.", what=words.lower_first(what)),
            "href": f"/certificates/{line.id}",
            "onward": line.number or words._("Draft"),
        }
    ]


def checking(request: Request) -> bool:
    """Whether the page behind a part of it lists all that is missing, and does not leave empty boxes in peace."""
    return "check=true" in request.headers.get("hx-current-url", "")


async def goods_of(house: House, visitor: Visitor, view: CertificateView) -> dict[str, CommodityView]:
    """The commodities of a certificate, with their paths."""
    lines = view.content.get("product_lines") or []
    codes = tuple(dict.fromkeys(line["cn_code"] for line in lines if line.get("cn_code")))
    if not codes:
        return {}
    return {each.code: each for each in await house.clients.certificates.commodities(visitor.caller, codes=codes)}


async def candidates(
    house: House, visitor: Visitor, name: str, q: str, view: CertificateView | None = None
) -> tuple[OrganisationView, ...]:
    """Organisations that may stand in this field and fit what was typed."""
    wishes: dict[str, Any] = {"text": q.strip(), "limit": 10, **forms.eligible(field_of(name))}
    if name == "entry_authority" and view is not None and view.content.get("clearance_country"):
        wishes["country"] = view.content["clearance_country"]
    return tuple((await house.clients.directory.organisations(visitor.caller, **wishes)).items)


def field_of(name: str) -> str:
    """The law's name of a picker's field: line.2.producer is product_lines.producer, form.operator that of box 19."""
    if name.startswith("line."):
        return f"product_lines.{name.rpartition('.')[2]}"
    return "customs_procedure.operator" if name == "form.operator" else name.removesuffix(".new")


async def stale(request: Request, house: House, visitor: Visitor, view: CertificateView, seen: str) -> Response:
    """Somebody changed the certificate meanwhile: show what, before anything else is done."""
    address = f"/certificates/{view.id}/changes?since={quote(seen)}"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return await _changes_page(request, house, visitor, view, seen, status=409)


@router.get("/certificates/{certificate_id}/changes")
async def changes_since(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, since: str = ""
) -> Response:
    """What changed since a revision."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    return await _changes_page(request, house, visitor, view, since)


async def _changes_page(
    request: Request, house: House, visitor: Visitor, view: CertificateView, seen: str, status: int = 200
) -> Response:
    journal = await house.clients.certificates.journal(visitor.caller, view.id)
    since = int(seen) if seen.isdigit() and len(seen) < 9 else 0
    lines = [line for line in journal.lines if line.revision > since]
    return house.look.page(
        request,
        "certificates/changes.html",
        status=status,
        current="certificates",
        tab="",
        view=view,
        since=since,
        lines=lines,
        s=sheets.laid_out(view, await goods_of(house, visitor, view)),
        events=EVENTS,
        fresh=status == 409,
        **head(view),
    )


# ---- journal and letters --------------------------------------------------------------------------------------


@router.get("/certificates/{certificate_id}/journal")
async def journal(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Who did what, when, for whom: the journal as a timeline, newest first."""
    view, lines = await asyncio.gather(
        house.clients.certificates.certificate(visitor.caller, certificate_id),
        house.clients.certificates.journal(visitor.caller, certificate_id),
    )
    return house.look.page(
        request,
        "certificates/journal.html",
        current="certificates",
        tab="journal",
        view=view,
        journal=lines,
        lines=list(reversed(lines.lines)),
        s=sheets.laid_out(view, {}),
        events=EVENTS,
        **head(view),
    )


@router.get("/certificates/{certificate_id}/journal.json")
async def journal_file(house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """The journal with its sealed documents and public keys, to be checked offline."""
    body = await house.clients.certificates.journal_export(visitor.caller, certificate_id)
    name = "".join(letter for letter in certificate_id if letter.isalnum() or letter == "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.journal.json"'}
    return Response(body, media_type="application/json", headers=headers)


@router.get("/certificates/{certificate_id}/letters")
async def letters(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """The letters this certificate has caused to my organisation, and whether they arrived."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    page = await house.clients.notifications.letters(visitor.caller, view.id)
    return house.look.page(
        request,
        "certificates/letters.html",
        current="certificates",
        tab="letters",
        view=view,
        letters=page.items,
        s=sheets.laid_out(view, {}),
        **head(view),
    )
