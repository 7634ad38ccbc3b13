"""Extracts: those of a certificate and what is left of it, one extract as a sheet, filling it in, signing it."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import extracts, forms, words
from services.portal.clients import Trouble
from services.portal.extracts import ExtractSheet
from services.portal.held import came_back
from services.portal.pages.certificates import head
from services.portal.pages.verify import InLanguage
from services.portal.proof import TROUBLES, proved
from services.portal.proof import asked as asked_again
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.certificate_views import Edit, ExtractView, NewExtract, ProblemView, Wish
from shared.contracts.organisations import OrganisationView
from shared.rules.boxes import Model
from shared.rules.extracts import EXTRACT_FORM, SIGNS
from shared.rules.forms import Question
from shared.rules.refusals import Refused
from shared.rules.status import Action

router = APIRouter()
PAGE = 25


@router.get("/extracts")
async def mine(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    awaits_me: Annotated[bool, Query()] = False,
    after: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """The extracts my organisation may see, newest change first."""
    wishes: dict[str, Any] = {"awaits_me": awaits_me, "limit": PAGE, **({"after": after} if after else {})}
    page = await house.clients.extracts.mine(visitor.caller, **wishes)
    query = {"awaits_me": "true"} if awaits_me else {}
    return house.look.page(
        request,
        "extracts/list.html",
        current="certificates",
        page=page,
        awaits_me=awaits_me,
        statuses=extracts.STATUSES,
        first=f"/extracts?{urlencode(query)}" if after else "",
        next=f"/extracts?{urlencode({**query, 'after': page.next})}" if page.next else "",
    )


@router.get("/certificates/{certificate_id}/extracts")
async def of_certificate(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """The extracts of a certificate, what is left of each line, and where its goods went."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    page = await house.clients.extracts.of_certificate(visitor.caller, view.id)
    trace = await house.clients.extracts.trace_forth(visitor.caller, view.id)
    return house.look.page(
        request,
        "extracts/of_certificate.html",
        current="certificates",
        tab="extracts",
        view=view,
        page=page,
        trace=trace,
        roles=extracts.ROLES,
        statuses=extracts.STATUSES,
        key=str(uuid4()),
        **head(view),
    )


@router.post("/certificates/{certificate_id}/extracts")
async def begin(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Begin an extract; it is filled in on its own page."""
    typed = await request.form()
    key = forms.text(typed, "key") or str(uuid4())
    begun = await house.clients.extracts.begin(visitor.caller, certificate_id, NewExtract(), key)
    return RedirectResponse(f"/extracts/{begun.id}", 303)


@router.get("/extracts/{extract_id}")
async def extract(
    request: Request, house: TheHouse, visitor: Somebody, extract_id: str, find: str = "", q: str = "", said: str = ""
) -> Response:
    """One extract, laid out like the printed form; the boxes I may fill in are open."""
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    found: dict[str, tuple[OrganisationView, ...]] = {}
    if find in view.may.edit:
        wishes: dict[str, Any] = {"text": q.strip(), "limit": 10, **forms.eligible(find)}
        found[find] = tuple((await house.clients.directory.organisations(visitor.caller, **wishes)).items)
    sheet = ExtractSheet(view, view.content, tuple(view.problems), found)
    return await _page(request, house, visitor, sheet, said=said)


async def _page(
    request: Request,
    house: House,
    visitor: Visitor,
    sheet: ExtractSheet,
    *,
    said: str = "",
    refused: str = "",
    status: int = 200,
) -> Response:
    view = sheet.view
    actions = [Action(each) for each in view.may.do]
    trace = await house.clients.extracts.trace(visitor.caller, view.id)
    done = extracts.ACTIONS[Action(said)].said if said in set(Action) and Action(said) in extracts.ACTIONS else ""
    done = words._("Saved.") if said == "saved" else words._(done) if done else ""
    return house.look.page(
        request,
        "extracts/sheet.html",
        status=status,
        current="certificates",
        s=sheet,
        refused=refused,
        flashes=[{"tone": "", "text": done}] if done else [],
        trace=trace,
        roles=extracts.ROLES,
        main=[each for each in extracts.MAIN if each in actions],
        others=[each for each in actions if each not in extracts.MAIN and each not in extracts.DECISIONS],
        **_head(view),
    )


def _head(view: ExtractView) -> dict[str, Any]:
    """What stands above every page of one extract."""
    return {
        "view": view,
        "standing": extracts.STATUSES[view.status],
        "journey": extracts.journey(view.status),
        "waits": extracts.waiting(view),
        "then": extracts.then(view),
        "own": extracts,
        "tab": "sheet",
    }


@router.post("/extracts/{extract_id}")
async def save(request: Request, house: TheHouse, visitor: Somebody, extract_id: str) -> Response:
    """Save what was filled in, then do what the button says."""
    typed = await request.form()
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    here = f"/extracts/{view.id}"
    if forms.text(typed, "revision") != str(view.revision):
        raise Refused("stale_revision")
    changes = extracts.changes_in(typed, view)
    if changes:
        edit = Edit(revision=view.revision, changes=changes)
        try:
            view = await house.clients.extracts.edit(visitor.caller, view.id, edit, str(uuid4()))
        except Trouble as trouble:
            if trouble.status != 422:
                raise
            sheet = ExtractSheet(view, {**view.content, **changes}, trouble.problems)
            return await _page(request, house, visitor, sheet, refused=trouble.text, status=422)
    find = forms.text(typed, "find")
    if find:
        wanted = urlencode({"find": find, "q": forms.text(typed, f"find.{find}")})
        return RedirectResponse(f"{here}?{wanted}", 303)
    after = forms.text(typed, "do")
    if after in view.may.do:
        return RedirectResponse(f"{here}/do/{quote(after)}", 303)
    return RedirectResponse(f"{here}?said=saved", 303)


# ---- journal and print ----------------------------------------------------------------------------------------


@router.get("/extracts/{extract_id}/journal")
async def journal(request: Request, house: TheHouse, visitor: Somebody, extract_id: str) -> Response:
    """Who did what, when, for whom: the journal of an extract as a timeline, newest first."""
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    told = await house.clients.extracts.journal(visitor.caller, view.id)
    return house.look.page(
        request,
        "extracts/journal.html",
        current="certificates",
        journal=told,
        lines=list(reversed(told.lines)),
        s=ExtractSheet(view, view.content),
        **{**_head(view), "tab": "journal"},
    )


@router.get("/extracts/{extract_id}/journal.json")
async def journal_file(house: TheHouse, visitor: Somebody, extract_id: str) -> Response:
    """The journal with its sealed documents and public keys, to be checked offline."""
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    body = await house.clients.extracts.journal_export(visitor.caller, view.id)
    headers = {"Content-Disposition": f'attachment; filename="{view.number}.journal.json"'}
    return Response(body, media_type="application/json", headers=headers)


@router.get("/extracts/{extract_id}/print.pdf")
async def print_extract(house: TheHouse, visitor: Somebody, extract_id: str, language: InLanguage = "") -> Response:
    """The extract as a PDF, in a language of the pages."""
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    body = await house.clients.extracts.pdf(visitor.caller, view.id, language or words.reader().language)
    headers = {"Content-Disposition": f'inline; filename="{view.number}-r{view.revision}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


# ---- signing and other moves ----------------------------------------------------------------------------------


@router.get("/extracts/{extract_id}/do/{action}")
async def before_doing(request: Request, house: TheHouse, visitor: Somebody, extract_id: str, action: str) -> Response:
    """Before a move: the whole extract, its fingerprint where it is signed, what is declared and what is asked."""
    view = await house.clients.extracts.extract(visitor.caller, extract_id)
    return await _confirm(request, house, visitor, view, _action(view, action), str(uuid4()))


def _action(view: ExtractView, wanted: str) -> Action:
    if wanted not in set(Action):
        raise Refused("unknown_action", action=wanted)
    if wanted not in view.may.do:
        raise Refused("not_permitted")
    return Action(wanted)


def _asked(action: Action, model: Model) -> tuple[Question, ...]:
    """What the form of an action asks; what only the 2022 form knows is left out on the other."""
    return tuple(each for each in EXTRACT_FORM[action].questions if each.is_on(model))


async def _confirm(
    request: Request,
    house: House,
    visitor: Visitor,
    view: ExtractView,
    action: Action,
    key: str,
    *,
    typed: FormData | None = None,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    proof: str = "",
    status: int = 200,
) -> Response:
    shown = await house.clients.extracts.confirmation(visitor.caller, view.id, action) if action in SIGNS else None
    asked = _asked(action, Model(view.form_model))
    standing = shown.problems if shown else view.problems if action is Action.SUBMIT else []
    names = {each.name for each in asked}
    told = [*problems, *standing]
    return house.look.page(
        request,
        "extracts/confirm.html",
        status=status,
        current="certificates",
        s=ExtractSheet(view, view.content),
        action=action,
        name=extracts.ACTIONS[action],
        shown=shown,
        asked=asked,
        said={each.name: forms.text(typed, f"form.{each.name}") if typed else "" for each in asked},
        wrong={each.field.rpartition(".")[2]: each for each in problems},
        blocking=[each for each in told if each.field.rpartition(".")[2] not in names and each.severity == "error"],
        refused=refused,
        **await asked_again(house, visitor, action, proof),
        key=key,
        signer=visitor,
        decisions=[each for each in extracts.DECISIONS if each in view.may.do] if action in extracts.DECISIONS else [],
        choices=lambda codes: [
            {"value": code, "name": words.law(extracts.OWN_CHOICES.get(code, code))} for code in codes
        ],
        **_head(view),
    )


@router.post("/extracts/{extract_id}/do/{action}")
async def do(request: Request, house: TheHouse, visitor: Somebody, extract_id: str, action: str) -> Response:
    """Give the order for exactly the revision that was shown; the same form sent twice is one order."""
    typed = await request.form()
    key = forms.text(typed, "key") or str(uuid4())
    clients = house.clients.extracts
    view = await clients.extract(visitor.caller, extract_id)
    wanted = Action(action) if action in set(Action) else None
    if wanted is None or wanted not in EXTRACT_FORM:
        raise Refused("unknown_action", action=action)
    if came_back(typed):
        return await _confirm(request, house, visitor, view, _action(view, action), key, typed=typed)
    seen = forms.text(typed, "revision")
    try:
        visitor = await proved(house, visitor, typed)
        wish = Wish(
            action=wanted,
            revision=int(seen) if seen.isdigit() and 0 < len(seen) < 9 and int(seen) > 0 else 1,
            form=forms.answers(typed, _asked(wanted, Model(view.form_model))),
            fingerprint=forms.text(typed, "fingerprint") or None,
        )
        done = await clients.order(visitor.caller, view.id, wish, key)
    except Trouble as trouble:
        if trouble.code in TROUBLES:
            return await _confirm(
                request, house, visitor, view, wanted, key, typed=typed, proof=trouble.text, status=401
            )
        if trouble.status == 422 and trouble.code != "key_reused":
            return await _confirm(
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
        raise
    return RedirectResponse(f"/extracts/{done.id}?said={quote(wanted)}", 303)
