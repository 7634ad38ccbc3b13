"""Certificates: the list, the certificate as a sheet, filling it in, signing it, its journal and its letters."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, sheets, words
from services.portal.clients import Trouble
from services.portal.look import wants_part
from services.portal.names import ACTIONS, EVENTS, STATUSES
from services.portal.sheets import Sheet
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.certificates import (
    CertificateView,
    CommodityView,
    Edit,
    NewCertificate,
    PartyView,
    ProblemView,
    Wish,
)
from shared.contracts.directory import OrganisationView
from shared.contracts.identity import Proof
from shared.rules.boxes import BOX, Model
from shared.rules.forms import SIGNATURES, box_signed_by
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

router = APIRouter()

PAGE: Final = 25
SORTS: Final = {"number": "-number", "status": "-status", "arrival": "-arrival", "oldest": "updated"}
"""Each sort upwards, and its way down."""
DECISIONS: Final = (Action.VERIFY, Action.OPEN_BATCHES, Action.RELEASE_CONVENTIONAL, Action.REJECT)
"""The ways of signing box 20."""
MAIN: Final = (Action.SUBMIT, Action.SIGN, Action.VERIFY, Action.OPEN_BATCHES, Action.RECEIVE)
"""Actions a page offers first."""


# ---- the list -------------------------------------------------------------------------------------------------


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
        return f"/certificates?{urlencode({**self.query, 'sort': other}, doseq=True)}"


@router.get("/certificates")
async def certificates(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    status: Annotated[list[str] | None, Query()] = None,
    text: Annotated[str, Query(max_length=200)] = "",
    party: Annotated[str, Query(max_length=36)] = "",
    awaits_me: Annotated[bool, Query()] = False,
    sort: Annotated[str, Query()] = "updated",
    after: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """The certificates my organisation may see: filter, sort, page."""
    known = [each for each in status or [] if each in Status.__members__]
    sort = sort if sort in {*SORTS, *SORTS.values()} else "updated"
    query: dict[str, Any] = {
        name: value
        for name, value in {
            "status": known,
            "text": text,
            "party": party,
            "awaits_me": "true" if awaits_me else "",
        }.items()
        if value
    }
    wishes = {**query, "sort": sort, "limit": PAGE, **({"after": after} if after else {})}
    page = await house.clients.certificates.certificates(visitor.caller, **wishes)
    named = await _organisation(house, visitor, party) if party else None
    looked_for = request.query_params.get("find.party", "").strip()
    candidates = (
        (await house.clients.directory.organisations(visitor.caller, text=looked_for, limit=10)).items
        if looked_for and not party
        else []
    )
    return house.look.page(
        request,
        "certificates/list.html",
        current="certificates",
        page=page,
        statuses=STATUSES,
        chosen=known,
        text=text,
        party=named,
        candidates=candidates,
        looked_for=looked_for,
        awaits_me=awaits_me,
        sorting=Sorting(sort, query),
        query=query,
        first=f"/certificates?{urlencode({**query, 'sort': sort}, doseq=True)}" if after else "",
        next=f"/certificates?{urlencode({**query, 'sort': sort, 'after': page.next}, doseq=True)}" if page.next else "",
        without=lambda name: f"/certificates?{urlencode({k: v for k, v in query.items() if k != name}, doseq=True)}",
        may_create=_may_create(visitor),
    )


def _may_create(visitor: Visitor) -> bool:
    """Whether a button for a new certificate makes sense; the service has the last word."""
    return visitor.post is not None and visitor.post.role_type in ("OPERATOR", "CONTROL_BODY")


async def _organisation(house: House, visitor: Visitor, organisation: str) -> OrganisationView | None:
    try:
        return await house.clients.directory.organisation(visitor.caller, organisation)
    except Trouble as trouble:
        if trouble.status in (404, 422):
            return None
        raise


# ---- choosing goods -------------------------------------------------------------------------------------------


@router.get("/certificates/new")
async def new_goods(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    cn: Annotated[list[str] | None, Query()] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    parent: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """A new certificate, first step: which goods."""
    return await _choose_goods(request, house, visitor, "/certificates/new", None, cn or [], q, parent)


@router.get("/certificates/{certificate_id}/goods")
async def more_goods(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    certificate_id: str,
    cn: Annotated[list[str] | None, Query()] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    parent: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """More goods for a certificate: search by name or code, or go down the tree."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    if "product_lines" not in view.may.edit:
        raise Refused("not_permitted")
    address = f"/certificates/{certificate_id}/goods"
    return await _choose_goods(request, house, visitor, address, view, cn or [], q, parent)


async def _choose_goods(
    request: Request,
    house: House,
    visitor: Visitor,
    address: str,
    view: CertificateView | None,
    cn: list[str],
    q: str,
    parent: str,
) -> Response:
    codes = tuple(dict.fromkeys(code for code in cn if code.isdigit() and len(code) == 8))
    parent = parent if parent.isdigit() else ""
    ask = house.clients.certificates.commodities
    chosen = await ask(visitor.caller, codes=codes) if codes else []
    shown = await ask(visitor.caller, q=q) if q.strip() else await ask(visitor.caller, parent=parent)
    trail = await ask(visitor.caller, codes=_trail(parent)) if parent and not q.strip() else []
    return house.look.page(
        request,
        "certificates/goods.html",
        block="picker" if wants_part(request) else None,
        current="certificates",
        address=address,
        view=view,
        chosen=chosen,
        shown=[each for each in shown if each.code not in codes],
        trail=sorted(trail, key=lambda each: len(each.code)),
        q=q,
        parent=parent,
    )


def _trail(parent: str) -> tuple[str, ...]:
    """The codes on the way down to this node of the tree."""
    return tuple(parent[:size] for size in (2, 4, 6, 8) if size <= len(parent))


@router.post("/certificates/{certificate_id}/goods")
async def add_goods(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Add a line for each commodity chosen."""
    typed = await request.form()
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    rows: list[dict[str, Any]] = [dict(line) for line in view.content.get("product_lines") or []]
    for code in dict.fromkeys(forms.texts(typed, "cn")):
        rows.append(forms.new_line(code, rows))
    if len(rows) > len(view.content.get("product_lines") or []):
        await house.clients.certificates.edit(
            visitor.caller, view.id, Edit(revision=view.revision, changes={"product_lines": rows}), str(uuid4())
        )
    return RedirectResponse(f"/certificates/{view.id}?edit=all#box-13", 303)


@router.get("/certificates/new/parties")
async def new_parties(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """A new certificate, second step: who issues it, who exports."""
    typed = FormData(list[tuple[str, str | UploadFile]](request.query_params.multi_items()))
    return await _parties_page(request, house, visitor, typed, ())


async def _parties_page(
    request: Request,
    house: House,
    visitor: Visitor,
    typed: FormData,
    problems: Iterable[ProblemView],
    status: int = 200,
) -> Response:
    codes = tuple(dict.fromkeys(forms.texts(typed, "cn")))
    if not codes:
        return RedirectResponse("/certificates/new", 303)
    goods = await house.clients.certificates.commodities(visitor.caller, codes=codes)
    model = Model(forms.text(typed, "form_model")) if forms.text(typed, "form_model") in set(Model) else Model.COI_2017
    chosen: dict[str, str] = {
        name: forms.text(typed, name) for name in ("issuing_body", "exporter") if forms.text(typed, name)
    }
    if not forms.text(typed, "seen"):
        chosen = {**await _own_parties(house, visitor), **chosen}
    parties = {}
    for organisation in chosen.values():
        record = await _organisation(house, visitor, organisation)
        if record:
            parties[organisation] = _as_party(record)
    found: dict[str, tuple[OrganisationView, ...]] = {}
    for name in ("issuing_body", "exporter"):
        wanted = forms.text(typed, f"find.{name}")
        if wanted:
            answer = await house.clients.directory.organisations(
                visitor.caller, text=wanted, limit=10, **forms.eligible(name)
            )
            found[name] = tuple(answer.items)
    blank = Sheet(
        id="",
        number=None,
        model=model,
        status=Status.DRAFT,
        revision=1,
        content=chosen,
        parties=parties,
        edit=frozenset({"issuing_body", "exporter"}),
        problems=tuple(forms.placed(problems, model)),
        found=found,
    )
    return house.look.page(
        request,
        "certificates/parties.html",
        status=status,
        current="certificates",
        s=blank,
        goods=goods,
        codes=codes,
        codes_query=urlencode({"cn": codes}, doseq=True),
        key=forms.text(typed, "key") or str(uuid4()),
        models=tuple(Model),
    )


async def _own_parties(house: House, visitor: Visitor) -> dict[str, str]:
    """What the creator's own organisation fills in: itself as exporter, with the body that certifies it; or as body."""
    if visitor.post is None:
        return {}
    own = await _organisation(house, visitor, visitor.post.organisation_id)
    if own is None:
        return {}
    if own.kind == "CONTROL_BODY":
        return {"issuing_body": own.id}
    activity = next((each for each in own.activities if each.kind == "ORG_EXPORTER"), None)
    if activity is None:
        return {}
    return {"exporter": own.id, **({"issuing_body": activity.control_body} if activity.control_body else {})}


def _as_party(record: OrganisationView) -> PartyView:
    place = " ".join(part for part in (record.postal_code, record.city) if part)
    return PartyView(
        id=record.id,
        name=record.name,
        kind=record.kind,
        country=record.country,
        code=record.code,
        address=", ".join(part for part in (record.address, place) if part),
        status=record.status,
    )


@router.post("/certificates")
async def create(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """A draft is born: products, box 1 and box 4."""
    typed = await request.form()
    if forms.text(typed, "find"):
        return await _parties_page(request, house, visitor, typed, ())
    rows: list[dict[str, Any]] = []
    for code in dict.fromkeys(forms.texts(typed, "cn")):
        rows.append(forms.new_line(code, rows))
    named = {name: forms.text(typed, name) or None for name in ("issuing_body", "exporter")}
    model = forms.text(typed, "form_model") or Model.COI_2017
    content = {"product_lines": rows, **{name: value for name, value in named.items() if value}}
    try:
        view = await house.clients.certificates.draft(
            visitor.caller, NewCertificate(form_model=model, content=content), forms.text(typed, "key") or str(uuid4())
        )
    except Trouble as trouble:
        if trouble.status != 422 or not trouble.problems:
            raise
        return await _parties_page(request, house, visitor, typed, trouble.problems, 422)
    return RedirectResponse(f"/certificates/{view.id}?said=created", 303)


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
) -> Response:
    """The certificate, laid out like the printed form; boxes I may change can be opened."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    opened = edit or (["all"] if view.status is Status.DRAFT and view.may.edit else [])
    found = {}
    if find:
        found[find] = await _candidates(house, visitor, find, request.query_params.get("q", ""), view)
    page = sheets.laid_out(view, await _goods(house, visitor, view), open=opened, found=found)
    return _sheet_page(request, house, view, page, said=said)


@router.get("/certificates/{certificate_id}/boxes/{key}")
async def box(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, key: str, edit: bool = False
) -> Response:
    """One box, open or closed; without htmx the whole page, at that box."""
    if not wants_part(request):
        return RedirectResponse(f"/certificates/{certificate_id}{f'?edit={quote(key)}' if edit else ''}#box-{key}", 303)
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    page = sheets.laid_out(view, await _goods(house, visitor, view), open=[key] if edit else [])
    wanted = _box(page, key)
    return house.look.page(request, "certificates/boxes.html", s=page, shown=[wanted], oob=False, view=view)


def _box(page: Sheet, key: str) -> forms.SheetBox:
    found = next((each for each in page.boxes if each.key == key), None)
    if found is None:
        raise Refused("not_found")
    return found


def _sheet_page(
    request: Request,
    house: House,
    view: CertificateView,
    page: Sheet,
    *,
    said: str = "",
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
        flashes=_said(said),
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


async def _goods(house: House, visitor: Visitor, view: CertificateView) -> dict[str, CommodityView]:
    """The commodities of a certificate, with their paths."""
    lines = view.content.get("product_lines") or []
    codes = tuple(dict.fromkeys(line["cn_code"] for line in lines if line.get("cn_code")))
    if not codes:
        return {}
    return {each.code: each for each in await house.clients.certificates.commodities(visitor.caller, codes=codes)}


async def _candidates(
    house: House, visitor: Visitor, name: str, q: str, view: CertificateView | None = None
) -> tuple[OrganisationView, ...]:
    """Organisations that may stand in this field and fit what was typed."""
    wishes: dict[str, Any] = {"text": q.strip(), "limit": 10, **forms.eligible(_field_of(name))}
    if name == "entry_authority" and view is not None and view.content.get("clearance_country"):
        wishes["country"] = view.content["clearance_country"]
    return tuple((await house.clients.directory.organisations(visitor.caller, **wishes)).items)


def _field_of(name: str) -> str:
    """The law's name of a picker's field: line.2.producer is product_lines.producer, a new entry is its list's."""
    if name.startswith("line."):
        return f"product_lines.{name.rpartition('.')[2]}"
    return name.removesuffix(".new")


@router.get("/pick")
async def pick(request: Request, house: TheHouse, visitor: Somebody, country: str = "") -> Response:
    """Organisations for a picker: by name, or by code."""
    asked = next(((key, value) for key, value in request.query_params.items() if key.startswith("find.")), ("", ""))
    name, typed = asked[0].removeprefix("find."), asked[1].strip()
    found: list[OrganisationView] = []
    if len(typed) >= 2:
        wishes: dict[str, Any] = {"text": typed, "limit": 8, **forms.eligible(_field_of(name))}
        clearance = request.query_params.get("clearance_country", "")
        if name == "entry_authority" and clearance:
            wishes["country"] = clearance
        found = (await house.clients.directory.organisations(visitor.caller, **wishes)).items
    return house.look.page(request, "certificates/options.html", found=found, name=name, typed=typed)


# ---- filling in -----------------------------------------------------------------------------------------------


@router.post("/certificates/{certificate_id}")
async def save(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Save all boxes that were open, then do what the button says."""
    typed = await request.form()
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    opened = forms.texts(typed, "opened") or ["all"]
    here = f"/certificates/{view.id}"
    if forms.text(typed, "revision") != str(view.revision):
        return await _stale(request, house, visitor, view, forms.text(typed, "revision"))
    changes = forms.changes_in(typed, view.content, view.may.edit)
    if changes:
        try:
            edit = Edit(revision=view.revision, changes=changes)
            view = await house.clients.certificates.edit(visitor.caller, view.id, edit, str(uuid4()))
        except Trouble as trouble:
            if trouble.code == "stale_revision":
                return await _stale(request, house, visitor, view, forms.text(typed, "revision"))
            if trouble.status != 422:
                raise
            page = sheets.laid_out(
                view,
                await _goods(house, visitor, view),
                open=opened,
                content=changes,
                problems=trouble.problems or _whole(trouble),
            )
            return _sheet_page(request, house, view, page, status=422, refused=trouble.text)
    find = forms.text(typed, "find")
    after = forms.text(typed, "do")
    if find:
        q = forms.text(typed, f"find.{find}")
        box = forms.box_of(Model(view.form_model), _field_of(find))
        wanted = urlencode({"edit": opened, "find": find, "q": q}, doseq=True)
        return RedirectResponse(f"{here}?{wanted}#box-{box.key if box else ''}", 303)
    if after == "goods":
        return RedirectResponse(f"{here}/goods", 303)
    if after in Action.__members__.values():
        return RedirectResponse(f"{here}/do/{after}", 303)
    return RedirectResponse(f"{here}{_back_to(typed, view, changes)}", 303)


def _back_to(typed: FormData, view: CertificateView, changes: Mapping[str, Any]) -> str:
    """Where the reader goes on after saving: the same boxes open, unless he saved a single one."""
    structural = any(forms.texts(typed, name) for name in ("add_line", "remove_line", "remove_goods"))
    saved = forms.text(typed, "save")
    if structural:
        return f"?{urlencode({'edit': forms.texts(typed, 'opened') or ['all']}, doseq=True)}#box-13"
    if saved and saved != "all":
        return f"?said=saved#box-{quote(saved)}"
    return "?said=saved"


def _whole(trouble: Trouble) -> tuple[ProblemView, ...]:
    """A refusal that names one field at most, as a problem."""
    return (ProblemView(field=trouble.field or "", box=None, title="", code=trouble.code, message=trouble.text),)


@router.post("/certificates/{certificate_id}/boxes/{key}")
async def save_box(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, key: str) -> Response:
    """Save one box when it is left; the answer is what else changed on the page."""
    typed = await request.form()
    before = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    wanted = _box(sheets.laid_out(before, {}), key)
    opened = forms.texts(typed, "opened") or ["all"]
    if forms.text(typed, "revision") != str(before.revision):
        return await _stale(request, house, visitor, before, forms.text(typed, "revision"))
    changes = forms.changes_in(typed, before.content, before.may.edit, only=wanted.roots)
    view, problems, status = before, tuple(before.problems), 200
    if changes:
        try:
            edit = Edit(revision=before.revision, changes=changes)
            view = await house.clients.certificates.edit(visitor.caller, before.id, edit, str(uuid4()))
            problems = tuple(view.problems)
        except Trouble as trouble:
            if trouble.code == "stale_revision":
                return await _stale(request, house, visitor, before, forms.text(typed, "revision"))
            if trouble.status != 422:
                raise
            others = [each for each in before.problems if forms.bare_root(each.field) not in wanted.roots]
            problems, status = (*(trouble.problems or _whole(trouble)), *others), 422
    page = sheets.laid_out(view, await _goods(house, visitor, view), open=opened, problems=problems)
    again = [] if status == 422 else [each for each in page.boxes if _differs(each, wanted, before, view, changes)]
    return house.look.page(
        request,
        "certificates/boxes.html",
        status=status,
        s=page,
        view=view,
        shown=again,
        oob=True,
        saved=bool(changes) and status == 200,
    )


def _differs(
    box: forms.SheetBox,
    posted: forms.SheetBox,
    before: CertificateView,
    after: CertificateView,
    changes: Mapping[str, Any],
) -> bool:
    """Whether a box must be drawn again: it changed by more than what stands in its fields on the page."""
    changed = [name for name in box.roots if not forms.alike(before.content.get(name), after.content.get(name))]
    if box.key != posted.key:
        return bool(changed)
    drawn = {name: forms.alike(changes.get(name), after.content.get(name)) for name in changed}
    return any(not same or forms.is_redrawn(BOX[name].kind) for name, same in drawn.items())


async def _stale(request: Request, house: House, visitor: Visitor, view: CertificateView, seen: str) -> Response:
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
        s=sheets.laid_out(view, await _goods(house, visitor, view)),
        events=EVENTS,
        fresh=status == 409,
        **head(view),
    )


# ---- signing and other moves ----------------------------------------------------------------------------------


@router.get("/certificates/{certificate_id}/do/{action}")
async def before_doing(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, action: str
) -> Response:
    """Before a move: the whole content of this revision, its fingerprint, what is declared and what is asked."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    return await _confirm_page(request, house, visitor, view, _action(view, action), str(uuid4()))


def _action(view: CertificateView, wanted: str) -> Action:
    if wanted not in Action.__members__.values():
        raise Refused("unknown_action", action=wanted)
    if wanted not in view.may.do or wanted in (Action.AMEND, Action.EXTRACT):
        raise Refused("not_permitted" if view.status is not Status.DELETED else "wrong_status")
    return Action(wanted)


async def _confirm_page(
    request: Request,
    house: House,
    visitor: Visitor,
    view: CertificateView,
    action: Action,
    key: str,
    *,
    typed: FormData | None = None,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    proof: str = "",
    status: int = 200,
) -> Response:
    goods = await _goods(house, visitor, view)
    model = Model(view.form_model)
    shown = None
    signed = box_signed_by(action)
    if action in SIGNATURES:
        shown = await house.clients.certificates.confirmation(visitor.caller, view.id, action)
        page = sheets.shown_before_signing(view, shown, goods)
    else:
        page = sheets.laid_out(view, goods)
        if action is not Action.SUBMIT:
            page = sheets.laid_out(view, goods, problems=())
    asked = forms.questions(action, view.status, model)
    form_problems = forms.placed(problems, model)
    wrong = {each.place.rpartition(".")[2]: each for each in form_problems}
    beyond = [each for each in form_problems if each.place.rpartition(".")[2] not in {one.name for one in asked}]
    in_form = {(f"{signed}." if signed else "") + each.name for each in asked}
    blocking = [each for each in page.errors if each.place not in in_form]
    return house.look.page(
        request,
        "certificates/confirm.html",
        status=status,
        current="certificates",
        tab="",
        view=view,
        s=page,
        action=action,
        shown=shown,
        asked=asked,
        said={each.name: forms.text(typed, f"form.{each.name}") for each in asked}
        if typed
        else {**dict.fromkeys((each.name for each in asked), ""), **forms.suggested(action, view)},
        operators=[{"value": one.id, "name": one.name} for one in view.parties.values() if one.kind == "OPERATOR"],
        wrong=wrong,
        blocking=blocking + beyond,
        warnings=[each for each in page.problems if each.severity != "error"],
        refused=refused,
        proof=proof,
        key=key,
        box=_number(action, model),
        signer=visitor,
        decisions=[each for each in DECISIONS if each in view.may.do] if action in DECISIONS else [],
        choices=forms.choices,
        **head(view),
    )


def _number(action: Action, model: Model) -> int | None:
    """The number of the box an action signs."""
    signed = box_signed_by(action)
    return forms.number_of(model, signed) if signed else None


@router.post("/certificates/{certificate_id}/do/{action}")
async def do(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, action: str) -> Response:
    """Give the order for exactly the revision that was shown; the same form sent twice is one order."""
    typed = await request.form()
    key = forms.text(typed, "key") or str(uuid4())
    clients = house.clients.certificates
    if action == Action.COPY:
        copied = await clients.copy(visitor.caller, certificate_id, key)
        return RedirectResponse(f"/certificates/{copied.id}?said=copy", 303)
    seen = forms.text(typed, "revision")
    try:
        view = await clients.certificate(visitor.caller, certificate_id)
        asked = forms.questions(Action(action), view.status, Model(view.form_model)) if action in set(Action) else ()
        if forms.text(typed, "password"):
            await house.clients.identity.prove(visitor.session, Proof(password=forms.text(typed, "password")[:1024]))
            house.doorkeeper.forget(visitor.session)
            again = await house.doorkeeper.visitor(visitor.session, visitor.caller.organisation_id or "")
            visitor = again or visitor
        wish = Wish(
            action=action,
            revision=int(seen) if seen.isdigit() and 0 < len(seen) < 9 and int(seen) > 0 else 1,
            form=forms.answers(typed, asked),
            fingerprint=forms.text(typed, "fingerprint") or None,
        )
        done = await clients.order(visitor.caller, certificate_id, wish, key)
    except Trouble as trouble:
        if trouble.code == "stale_revision":
            return await _stale(request, house, visitor, view, seen)
        if trouble.code in ("proof_needed", "bad_credentials"):
            return await _confirm_page(
                request, house, visitor, view, _action(view, action), key, typed=typed, proof=trouble.text, status=401
            )
        if trouble.status == 422 and trouble.code != "key_reused":
            return await _confirm_page(
                request,
                house,
                visitor,
                view,
                _action(view, action),
                str(uuid4()),
                typed=typed,
                problems=trouble.problems,
                refused=trouble.text,
                status=422,
            )
        if trouble.status == 504:
            return await _look_again(request, house, visitor, view, action, key)
        raise
    return RedirectResponse(f"/certificates/{done.id}?said={quote(action)}", 303)


async def _look_again(
    request: Request, house: House, visitor: Visitor, view: CertificateView, action: str, key: str
) -> Response:
    """The answer did not come in time: ask what became of the order, and say so."""
    for _ in range(3):
        state = await house.clients.certificates.order_state(visitor.caller, key)
        if state.state == "done":
            return RedirectResponse(f"/certificates/{view.id}?said={quote(action)}", 303)
        await asyncio.sleep(1)
    return house.look.page(
        request,
        "certificates/unknown.html",
        status=504,
        current="certificates",
        tab="",
        view=view,
        key=key,
        action=action,
        name=ACTIONS[Action(action)],
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
