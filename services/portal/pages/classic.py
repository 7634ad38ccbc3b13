"""Classic accounts: the registration form, the letter that confirms it, and the password after a temporary one.

One thing to remember: the page after the form is the same for everybody, and opening the letter's link confirms
nothing: somebody has to say that the request is his.
"""

import re
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.look import wants_part
from services.portal.pages.registration import FORM_COOKIE, PERSONAL, by_field, keep_form, raw
from services.portal.visitor import Anybody, House, TheHouse
from shared.contracts.certificate_views import ProblemView
from shared.contracts.organisations import PublicOrganisation
from shared.contracts.users import (
    Answered,
    ClassicRegistration,
    Establishment,
    OwnPassword,
    Reach,
    TemporarySignIn,
)
from shared.kit.settings import Registering
from shared.rules.refusals import Refused
from shared.rules.secret_questions import SECRET_QUESTIONS

router = APIRouter()
Problems = dict[str, list[ProblemView]]
TEMPORARY: Final = re.compile(r"\s*TR\d{12}\s*")
"""What a temporary password looks like; nobody can have chosen such a one, for it has no special character."""
PLACE: Final = ("name", "address", "postal_code", "city", "country", "organisation_id")
PLAIN: Final = ("email", "first_name", "last_name", "phone", "fax", "information")
FOUND: Final = 8
"""So many organisations are offered for one search."""


def questions() -> list[dict[str, str]]:
    """The secret questions as a list to choose from."""
    return [{"value": each.code, "name": words.law(each.says)} for each in SECRET_QUESTIONS]


def countries() -> list[dict[str, str]]:
    """The countries as a list to choose from."""
    return [{"value": code, "name": name} for code, name in forms.countries_for("")]


def languages() -> list[dict[str, str]]:
    """The languages letters are written in."""
    return [{"value": code, "name": name} for code, name in words.LANGUAGES.items()]


def place_typed(typed: Any) -> dict[str, str]:
    """The organisation block of a form."""
    return {name: forms.text(typed, f"organisation.{name}")[:400] for name in PLACE}


# ---- the form ------------------------------------------------------------------------------------------------------


@router.get("/registration/classic")
async def registration(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """The form [Enregistrer un nouveau compte d'utilisateur]; where only the other way is offered, its form."""
    if visitor is not None:
        return RedirectResponse("/profile", 303)
    if not house.settings.registration.offers(Registering.CLASSIC):
        return RedirectResponse("/registration", 303)
    said: dict[str, Any] = dict.fromkeys((*PLAIN, "question"), "") | {"html": "true", "privacy": False}
    said |= {"language": words.reader().language}
    return await _form(request, house, said, dict.fromkeys(PLACE, ""), {}, 200)


async def _form(
    request: Request,
    house: House,
    said: dict[str, Any],
    place: dict[str, str],
    problems: Problems,
    status: int,
    found: list[PublicOrganisation] | None = None,
    wanted: str = "",
    part: bool = False,
) -> Response:
    made = None if part else await house.clients.accounts.challenge()
    return house.look.page(
        request,
        "classic/form.html",
        status=status,
        block="establishment" if part else None,
        current="registration",
        said=said,
        place=place,
        problems=problems,
        found=found,
        wanted=wanted,
        challenge=made.challenge if made else {},
        personal=PERSONAL,
        questions=questions(),
        country_list=countries(),
        language_list=languages(),
        key=said.get("key") or uuid4().hex,
    )


def _said(typed: Any) -> dict[str, Any]:
    said: dict[str, Any] = {name: forms.text(typed, name)[:4000] for name in (*PLAIN, "question", "html")}
    return said | {
        "language": forms.text(typed, "language")[:8],
        "privacy": bool(forms.text(typed, "privacy")),
        "key": forms.text(typed, "key") or uuid4().hex,
    }


@router.post("/registration/classic/organisation")
async def pick(request: Request, house: TheHouse) -> Response:
    """[Sélectionner] and [Effacer]: the organisation block from the public directory; what else was typed stays."""
    if not house.settings.registration.offers(Registering.CLASSIC):
        raise Refused("not_found")
    typed = await request.form()
    place, do, wanted = place_typed(typed), forms.text(typed, "do"), forms.text(typed, "search")[:200]
    found: list[PublicOrganisation] | None = None
    if do == "clear":
        place = dict.fromkeys(PLACE, "")
    elif do.startswith("pick:"):
        chosen = await _public(house, wanted, do.removeprefix("pick:"))
        if chosen:
            place = {name: getattr(chosen[0], name, "") for name in PLACE} | {"organisation_id": chosen[0].id}
    elif wanted:
        found = (await _public(house, wanted))[:FOUND]
    return await _form(request, house, _said(typed), place, {}, 200, found, wanted, wants_part(request))


async def _public(house: House, text: str, only: str = "") -> list[PublicOrganisation]:
    page = await Desk(house.clients.directory, None).public(text=text, limit=25)
    return [each for each in page.items if only in ("", each.id)]


@router.post("/registration/classic")
async def register(request: Request, house: TheHouse) -> Response:
    """Take the form to identity; the answer is the same for everybody."""
    typed = await request.form()
    said, place = _said(typed), place_typed(typed)
    filled = ClassicRegistration(
        **{name: said[name][:400] for name in ("email", "first_name", "last_name")},
        password=raw(typed, "password"),
        password_again=raw(typed, "password_again"),
        question=said["question"][:30],
        answer=raw(typed, "answer")[:400],
        organisation=place_of(place, place["organisation_id"][:36] or None),
        language=said["language"],
        html=said["html"] != "false",
        reach=_reach(said),
        privacy=said["privacy"],
        proof=forms.text(typed, "altcha")[:8000],
    )
    try:
        taken = await house.clients.classic.register(filled, said["key"])
    except Trouble as trouble:
        if trouble.code != "incomplete":
            raise
        return await _form(request, house, said, place, by_field(trouble), 422)
    return RedirectResponse(f"/registration/classic/sent/{taken.id}", 303)


def place_of(place: dict[str, str], organisation_id: str | None) -> Establishment:
    """The organisation block as identity takes it."""
    return Establishment(
        **{
            name: place[name][:most]
            for name, most in (("name", 400), ("address", 400), ("postal_code", 40), ("city", 200), ("country", 8))
        },
        organisation_id=organisation_id,
    )


def _reach(said: dict[str, Any]) -> Reach:
    return Reach(phone=said["phone"][:100], fax=said["fax"][:100], information=said["information"])


@router.get("/registration/classic/sent/{registration_id}")
async def sent(request: Request, house: TheHouse, registration_id: UUID) -> Response:
    """A letter is on its way."""
    return house.look.page(request, "classic/sent.html", current="registration")


# ---- the letter ----------------------------------------------------------------------------------------------------


@router.get("/registration/confirmation/{secret}")
async def open_letter(request: Request, house: TheHouse, secret: str) -> Response:
    """The link of the letter: what is to be confirmed, and whether it is the reader's."""
    try:
        asked = await house.clients.classic.open(secret[:200])
    except Trouble as trouble:
        if trouble.code != "link_expired":
            raise
        return house.look.page(request, "classic/expired.html", status=410, current="registration")
    answer = house.look.page(request, "classic/confirm.html", current="registration", asked=asked, key=uuid4().hex)
    return keep_form(answer, asked.form, house)


@router.post("/registration/confirmation")
async def answer_letter(request: Request, house: TheHouse) -> Response:
    """The request is confirmed (the page names the authority), or it was none of the reader's."""
    typed = await request.form()
    mine = forms.text(typed, "answer") != "disown"
    said = Answered(form=request.cookies.get(FORM_COOKIE, "")[:400], mine=mine)
    confirmed = await house.clients.classic.answer(said, forms.text(typed, "key") or uuid4().hex)
    answer = house.look.page(
        request,
        "classic/confirmed.html" if mine else "classic/disowned.html",
        current="registration",
        authority=confirmed.authority,
    )
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer


# ---- the password after a temporary one ----------------------------------------------------------------------------


async def sign_in_temporarily(house: House, request: Request, email: str, password: str) -> Response:
    """The temporary password of a letter opens the form for one's own; raises ``Trouble`` when it is wrong."""
    attempt = TemporarySignIn(email=email.strip()[:400], password=password.strip()[:40])
    opened = await house.clients.classic.temporary(attempt)
    return keep_form(_own(request, house, opened.model_dump(), {}, 200), opened.form, house)


def _own(request: Request, house: House, opened: dict[str, Any], problems: Problems, status: int) -> Response:
    return house.look.page(
        request,
        "classic/own.html",
        status=status,
        current="password",
        opened=opened,
        problems=problems,
        questions=questions(),
        key=uuid4().hex,
    )


@router.post("/password/own")
async def choose(request: Request, house: TheHouse) -> Response:
    """One's own password was chosen, and the secret question answered or chosen anew."""
    typed = await request.form()
    chosen = OwnPassword(
        form=request.cookies.get(FORM_COOKIE, "")[:400],
        password=raw(typed, "password"),
        password_again=raw(typed, "password_again"),
        question=forms.text(typed, "question")[:30],
        answer=raw(typed, "answer")[:400],
    )
    opened = {name: forms.text(typed, name) for name in ("name", "email", "asks")}
    try:
        await house.clients.classic.choose(chosen, forms.text(typed, "key") or uuid4().hex)
    except Trouble as trouble:
        if trouble.code == "link_expired":
            return house.look.page(request, "registration/reset_expired.html", status=410, current="password")
        if trouble.code != "incomplete":
            raise
        return _own(request, house, opened | {"question": chosen.question}, by_field(trouble), 422)
    answer = house.look.page(request, "registration/reset_done.html", current="password", email=opened["email"])
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer
