"""The questions of a certificate: asked, answered and settled here; the list brings itself up to date.

One thing to remember: a page that lies open asks again every few seconds, and after a while no more, so that nobody's
session is kept alive by a forgotten window.
"""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, making, words
from services.portal.clients import Trouble
from services.portal.pages.certificates import head
from services.portal.pages.documents import ABOUT_FILES, onward
from services.portal.sheets import laid_out
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.certificate_views import CertificateView, ProblemView
from shared.contracts.questions import NewMessage, NewQuestion, QuestionsView, QuestionView
from shared.rules.boxes import BOX, Model
from shared.rules.documents import LARGEST
from shared.rules.questions import LABELS, LONGEST, Ask, boxes_to_ask_about
from shared.rules.refusals import Refused

router = APIRouter()
WATCHED: Final = timedelta(minutes=10)
"""How long an open page goes on asking whether there is something new."""
NO_MORE: Final = 286
"""htmx: take this, and ask no more."""
KINDS: Final = {Ask.QUESTION: N_("I have a question"), Ask.CORRECTION: N_("Please correct this box")}
SAID: Final = {
    "asked": N_("Your question is sent. The answer appears here."),
    "answered": N_("Your answer is sent."),
    "settled": N_("The question is settled."),
}


@router.get("/certificates/{certificate_id}/questions")
async def questions(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    certificate_id: str,
    field: str = "",
    answer: str = "",
    said: str = "",
) -> Response:
    """The questions of a certificate; with a box the form that asks about it, with a question the form that answers."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    typed = {"kind": Ask.QUESTION, "field": field, "asked_of": "", "text": ""}
    return await _page(request, house, visitor, view, typed, answer=answer, said=said)


async def _page(
    request: Request,
    house: House,
    visitor: Visitor,
    view: CertificateView,
    typed: dict[str, Any],
    *,
    answer: str = "",
    said: str = "",
    upload: dict[str, str] | None = None,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    status: int = 200,
) -> Response:
    shown = await house.clients.making.questions(visitor.caller, view.id)
    model = Model(view.form_model)
    return house.look.page(
        request,
        "questions/page.html",
        status=status,
        current="certificates",
        tab="questions",
        view=view,
        s=laid_out(view, {}),
        shown=shown,
        **_live(house, view.id, shown),
        answered=_writable(shown, answer) if answer else None,
        kinds=[
            {"value": kind, "name": words._(KINDS[kind])}
            for kind in Ask
            if any(each.kind is kind for each in shown.may_ask)
        ],
        whom=_whom(shown),
        about=[{"value": name, "name": _title(name, model)} for name in boxes_to_ask_about(model)],
        labels=LABELS,
        typed=typed,
        upload=upload or {"id": "", "name": ""},
        wrong=making.at_their_fields(problems),
        refused=refused,
        key=str(uuid4()),
        longest=LONGEST,
        most=LARGEST // 1_048_576,
        size_of=making.size_of,
        flashes=[{"tone": "", "text": words._(SAID[said])}] if said in SAID else [],
        **head(view),
    )


def _title(name: str, model: Model) -> str:
    row = BOX[name]
    number, title = row.number(model), words.law(row.label(model))
    return f"{number} · {title}" if number else title


def _whom(shown: QuestionsView) -> list[dict[str, str]]:
    """Who may be asked, each once."""
    named = {each.organisation_id: each.organisation for each in shown.may_ask}
    return [{"value": each, "name": name} for each, name in named.items()]


def _writable(shown: QuestionsView, wanted: str) -> QuestionView:
    found = next((each for each in shown.items if each.id == wanted), None)
    if found is None:
        raise Refused("not_found")
    if not found.may_write:
        raise Refused("not_permitted")
    return found


# ---- a page that brings itself up to date ------------------------------------------------------------------------


def _mark(shown: QuestionsView) -> str:
    """What changes with every question, message and settlement."""
    settled = sum(each.settled_at is not None for each in shown.items)
    return f"{len(shown.items)}-{sum(len(each.messages) for each in shown.items)}-{settled}"


def _live(house: House, certificate_id: str, shown: QuestionsView, since: str = "") -> dict[str, Any]:
    """Where an open page asks next."""
    asking = urlencode({"since": since or int(house.clock().timestamp()), "seen": _mark(shown)})
    return {"asking": asking, "certificate_id": certificate_id}


def _too_long(house: House, since: str) -> bool:
    begun = int(since) if since.isdigit() and len(since) < 12 else 0
    return house.clock().timestamp() - begun > WATCHED.total_seconds()


@router.get("/certificates/{certificate_id}/questions/live")
async def live(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, since: str = "", seen: str = ""
) -> Response:
    """The list again, if something was asked, answered or settled since; nothing otherwise."""
    if not request.headers.get("hx-request"):
        return RedirectResponse(f"/certificates/{certificate_id}/questions", 303)
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    shown = await house.clients.making.questions(visitor.caller, view.id)
    over = _too_long(house, since)
    if _mark(shown) == seen and not over:
        return Response(status_code=204)
    return house.look.page(
        request,
        "questions/list.html",
        status=NO_MORE if over else 200,
        view=view,
        s=laid_out(view, {}),
        shown=shown,
        over=over,
        key=str(uuid4()),
        size_of=making.size_of,
        **_live(house, view.id, shown, since),
    )


@router.get("/certificates/{certificate_id}/questions/notice")
async def notice(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, since: str = "", seen: str = ""
) -> Response:
    """On the other pages of a certificate: that something was asked or answered since the page was opened."""
    if not request.headers.get("hx-request"):
        return RedirectResponse(f"/certificates/{certificate_id}/questions", 303)
    shown = await house.clients.making.questions(visitor.caller, certificate_id)
    fresh = bool(seen) and _mark(shown) != seen
    over = bool(since) and _too_long(house, since)
    if seen and not fresh and not over:
        return Response(status_code=204)
    return house.look.page(
        request,
        "questions/notice.html",
        status=NO_MORE if over or fresh else 200,
        fresh=fresh,
        over=over,
        **_live(house, certificate_id, shown, since),
    )


# ---- writing -----------------------------------------------------------------------------------------------------


@router.post("/certificates/{certificate_id}/questions")
async def ask(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Ask one of the parties; a refusal keeps what was typed and the file that was sent."""
    return await _written(request, house, visitor, certificate_id, "")


@router.post("/certificates/{certificate_id}/questions/{question_id}")
async def answer(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, question_id: str
) -> Response:
    """Answer a question, or add a word to one's own."""
    return await _written(request, house, visitor, certificate_id, question_id)


async def _written(request: Request, house: House, visitor: Visitor, certificate_id: str, question_id: str) -> Response:
    form = await request.form()
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    typed = {name: forms.text(form, name) for name in ("kind", "field", "asked_of", "text")}
    upload = making.sent_before(form)
    kind = Ask(typed["kind"]) if typed["kind"] in set(Ask) else Ask.QUESTION
    key = forms.text(form, "key") or str(uuid4())
    client = house.clients.making
    try:
        upload = await making.sent_with(client, visitor.caller, view.id, form)
        text, file = typed["text"][:LONGEST], upload["id"] or None
        if question_id:
            await client.answer(visitor.caller, view.id, question_id, NewMessage(text=text, upload=file), key)
        else:
            field = typed["field"][:60] or None
            new = NewQuestion(kind=kind, field=field, asked_of=typed["asked_of"], text=text, upload=file)
            await client.ask(visitor.caller, view.id, new, key)
    except Trouble as trouble:
        about = trouble.problems
        if trouble.field == "asked_of":
            text = words._("Please choose somebody who may be asked this, at this stage of the certificate.")
            about = (ProblemView(field="asked_of", box=None, title="", code=trouble.code, message=text),)
        elif trouble.code in ABOUT_FILES or trouble.field == "upload":
            about = (ProblemView(field="file", box=None, title="", code=trouble.code, message=trouble.text),)
        elif trouble.status != 422 or not about:
            raise
        return await _page(
            request,
            house,
            visitor,
            view,
            {**typed, "kind": kind},
            answer=question_id,
            upload=upload if upload["id"] and trouble.field != "upload" else None,
            problems=about,
            refused=trouble.text if trouble.field != "asked_of" else about[0].message,
            status=422,
        )
    return onward(request, f"/certificates/{view.id}/questions?said={'answered' if question_id else 'asked'}")


@router.post("/certificates/{certificate_id}/questions/{question_id}/settlement")
async def settle(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, question_id: str
) -> Response:
    """Say that one's own question is settled."""
    form = await request.form()
    key = forms.text(form, "key") or str(uuid4())
    await house.clients.making.settle(visitor.caller, certificate_id, question_id, key)
    return onward(request, f"/certificates/{certificate_id}/questions?said=settled")
