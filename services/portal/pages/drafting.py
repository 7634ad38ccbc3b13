"""Making a certificate: choosing its goods and parties, and filling in its boxes."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, sheets
from services.portal.clients import Trouble
from services.portal.look import wants_part
from services.portal.pages.certificates import (
    box_of,
    checking,
    field_of,
    goods_of,
    organisation_of,
    sheet_page,
    stale,
)
from services.portal.sheets import Sheet
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.certificate_views import CertificateView, Edit, NewCertificate, PartyView, ProblemView
from shared.contracts.organisations import OrganisationView
from shared.rules.boxes import BOX, Model
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

router = APIRouter()


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
        record = await organisation_of(house, visitor, organisation)
        if record:
            parties[organisation] = as_party(record)
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
    own = await organisation_of(house, visitor, visitor.post.organisation_id)
    if own is None:
        return {}
    if own.kind == "CONTROL_BODY":
        return {"issuing_body": own.id}
    activity = next((each for each in own.activities if each.kind == "ORG_EXPORTER"), None)
    if activity is None:
        return {}
    return {"exporter": own.id, **({"issuing_body": activity.control_body} if activity.control_body else {})}


def as_party(record: OrganisationView) -> PartyView:
    """A record of the directory as a certificate shows it."""
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


@router.get("/pick")
async def pick(request: Request, house: TheHouse, visitor: Somebody, country: str = "") -> Response:
    """Organisations for a picker: by name, or by code."""
    asked = next(((key, value) for key, value in request.query_params.items() if key.startswith("find.")), ("", ""))
    name, typed = asked[0].removeprefix("find."), asked[1].strip()
    found: list[OrganisationView] = []
    if len(typed) >= 2:
        wishes: dict[str, Any] = {"text": typed, "limit": 8, **forms.eligible(field_of(name))}
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
        return await stale(request, house, visitor, view, forms.text(typed, "revision"))
    changes = forms.changes_in(typed, view.content, view.may.edit)
    if changes:
        try:
            edit = Edit(revision=view.revision, changes=changes)
            view = await house.clients.certificates.edit(visitor.caller, view.id, edit, str(uuid4()))
        except Trouble as trouble:
            if trouble.code == "stale_revision":
                return await stale(request, house, visitor, view, forms.text(typed, "revision"))
            if trouble.status != 422:
                raise
            page = sheets.laid_out(
                view,
                await goods_of(house, visitor, view),
                open=opened,
                content=changes,
                problems=trouble.problems or _whole(trouble),
            )
            return sheet_page(request, house, view, page, status=422, refused=trouble.text)
    find = forms.text(typed, "find")
    after = forms.text(typed, "do")
    if find:
        q = forms.text(typed, f"find.{find}")
        box = forms.box_of(Model(view.form_model), field_of(find))
        wanted = urlencode({"edit": opened, "find": find, "q": q}, doseq=True)
        return RedirectResponse(f"{here}?{wanted}#box-{box.key if box else ''}", 303)
    if after in ("goods", "lines"):
        return RedirectResponse(f"{here}/{after}", 303)
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
    wanted = box_of(sheets.laid_out(before, {}), key)
    opened = forms.texts(typed, "opened") or ["all"]
    if forms.text(typed, "revision") != str(before.revision):
        return await stale(request, house, visitor, before, forms.text(typed, "revision"))
    changes = forms.changes_in(typed, before.content, before.may.edit, only=wanted.named)
    view, problems, status = before, tuple(before.problems), 200
    if changes:
        try:
            edit = Edit(revision=before.revision, changes=changes)
            view = await house.clients.certificates.edit(visitor.caller, before.id, edit, str(uuid4()))
            problems = tuple(view.problems)
        except Trouble as trouble:
            if trouble.code == "stale_revision":
                return await stale(request, house, visitor, before, forms.text(typed, "revision"))
            if trouble.status != 422:
                raise
            others = [each for each in before.problems if forms.bare_root(each.field) not in wanted.roots]
            problems, status = (*(trouble.problems or _whole(trouble)), *others), 422
    goods = await goods_of(house, visitor, view)
    page = sheets.laid_out(view, goods, open=opened, problems=problems, calm=not checking(request))
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
