"""Registering, the link in the letter, choosing a password; the way in for those who have none yet.

One thing to remember: the page after the form is the same for everybody. Whether an address is known stands in a letter
to its owner, and nowhere else.
"""

from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.visitor import Anybody, House, TheHouse, keep
from services.portal.words import N_
from shared.contracts.certificate_views import ProblemView
from shared.contracts.identity import Draft, NewPassword, Registration
from shared.kit.settings import Registering
from shared.rules import lengths
from shared.rules.refusals import Refused

router = APIRouter()
FORM_COOKIE: Final = "choosing"
"""Holds what opens the form behind a link: that browser's alone, and no longer than the form is good."""
EMPTY: Final = {"first_name": "", "last_name": "", "email": "", "email_again": "", "privacy": False}
PERSONAL: Final = N_(
    "Your account is personal. Your first and last name will stand beside every signature you make on a certificate, "
    "which has legal value: register a real person, not a border post, an organisation or a control body."
)


def by_field(trouble: Trouble) -> dict[str, list[ProblemView]]:
    """What is not right, beneath the field where it can be put right."""
    found: dict[str, list[ProblemView]] = {}
    for problem in trouble.problems:
        found.setdefault(problem.field, []).append(problem)
    return found


def raw(typed: Any, name: str) -> str:
    """A password or an answer, exactly as it was typed."""
    value = typed.get(name)
    return value[:1024] if isinstance(value, str) else ""


def keep_form(answer: Response, form: str, house: House) -> Response:
    """What opens the form behind a link or a password: in this browser, no longer than it is good."""
    keep(answer, FORM_COOKIE, form, house, round(lengths.time_of("link_form").total_seconds()))
    return answer


@router.get("/welcome")
async def welcome(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """What this is, and the two ways in: register, sign in."""
    if visitor is not None:
        return RedirectResponse("/", 303)
    return house.look.page(request, "registration/welcome.html", current="welcome")


@router.get("/privacy")
async def privacy(request: Request, house: TheHouse) -> Response:
    """The privacy statement."""
    return house.look.page(request, f"registration/privacy_{words.reader().language}.html", current="privacy")


@router.get("/registration")
async def registration(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """The form [Créer un compte]; where only the other way is offered, its form."""
    if visitor is not None:
        return RedirectResponse("/profile", 303)
    if not house.settings.registration.offers(Registering.EU):
        return RedirectResponse("/registration/classic", 303)
    return await _form(request, house, {**EMPTY, "language": words.reader().language}, {}, 200)


async def _form(
    request: Request, house: House, said: dict[str, Any], problems: dict[str, list[ProblemView]], status: int
) -> Response:
    made = await house.clients.accounts.challenge()
    return house.look.page(
        request,
        "registration/form.html",
        status=status,
        current="registration",
        said=said,
        problems=problems,
        challenge=made.challenge,
        personal=PERSONAL,
        key=said.get("key") or uuid4().hex,
    )


@router.post("/registration")
async def register(request: Request, house: TheHouse) -> Response:
    """Take the form to identity; the answer is the same for everybody."""
    typed = await request.form()
    said = {name: forms.text(typed, name)[:400] for name in ("first_name", "last_name", "email", "email_again")}
    said |= {"language": forms.text(typed, "language")[:8], "key": forms.text(typed, "key") or uuid4().hex}
    filled = Registration(
        **{name: said[name] for name in ("first_name", "last_name", "email", "email_again", "language")},
        privacy=bool(forms.text(typed, "privacy")),
        proof=forms.text(typed, "altcha")[:8000],
    )
    try:
        taken = await house.clients.accounts.register(filled, said["key"])
    except Trouble as trouble:
        if trouble.code != "incomplete":
            raise
        return await _form(request, house, said | {"privacy": filled.privacy}, by_field(trouble), 422)
    return RedirectResponse(f"/registration/sent/{taken.id}", 303)


@router.get("/registration/sent/{registration_id}")
async def sent(request: Request, house: TheHouse, registration_id: UUID, again: str = "") -> Response:
    """A letter is on its way; after two minutes the page says what to do when none came."""
    return house.look.page(
        request,
        "registration/sent.html",
        current="registration",
        registration_id=str(registration_id),
        again=bool(again),
        key=uuid4().hex,
    )


@router.post("/registration/sent/{registration_id}")
async def send_again(
    request: Request, house: TheHouse, registration_id: UUID, key: Annotated[str, Form()] = ""
) -> Response:
    """Another letter; the link of the one before is dead from then on."""
    await house.clients.accounts.renew(str(registration_id), key or uuid4().hex)
    return RedirectResponse(f"/registration/sent/{registration_id}?again=1", 303)


@router.get("/registration/password/{secret}")
async def open_link(request: Request, house: TheHouse, secret: str) -> Response:
    """The link in the letter: in time it opens the form for a password, too late it offers a new link."""
    try:
        opened = await house.clients.accounts.open(secret[:200])
    except Trouble as trouble:
        if trouble.code != "link_expired":
            raise
        return _expired(request, house, secret)
    answer = _password_form(request, house, {}, 200, opened.name, opened.email, secret)
    return keep_form(answer, opened.form, house)


@router.post("/registration/password/{secret}")
async def renew_link(request: Request, house: TheHouse, secret: str, key: Annotated[str, Form()] = "") -> Response:
    """The link has expired: a new one in one click."""
    taken = await house.clients.accounts.renew_expired(secret[:200], key or uuid4().hex)
    return RedirectResponse(f"/registration/sent/{taken.id}?again=1", 303)


def _expired(request: Request, house: House, secret: str) -> Response:
    """Too late: a new link is one click away."""
    return house.look.page(
        request, "registration/expired.html", status=410, current="registration", secret=secret, key=uuid4().hex
    )


def _password_form(
    request: Request,
    house: House,
    problems: dict[str, list[ProblemView]],
    status: int,
    name: str = "",
    email: str = "",
    secret: str = "",
) -> Response:
    return house.look.page(
        request,
        "registration/password.html",
        status=status,
        current="registration",
        problems=problems,
        name=name,
        email=email,
        key=uuid4().hex,
        secret=secret,
        goal="/registration/password",
    )


@router.post("/registration/password")
async def choose(request: Request, house: TheHouse) -> Response:
    """The password was chosen: the account is active."""
    typed = await request.form()
    form = request.cookies.get(FORM_COOKIE, "")
    key, name, email, secret = (forms.text(typed, each) for each in ("key", "name", "email", "secret"))
    chosen = NewPassword(form=form[:400], password=raw(typed, "password"), password_again=raw(typed, "password_again"))
    try:
        await house.clients.accounts.choose(chosen, key or uuid4().hex)
    except Trouble as trouble:
        if trouble.code == "incomplete":
            return _password_form(request, house, by_field(trouble), 422, name, email, secret[:200])
        if trouble.code == "link_expired" and secret:
            return _expired(request, house, secret[:200])
        raise
    answer = house.look.page(request, "registration/done.html", current="registration", email=email)
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer


@router.post("/registration/meter")
async def meter(request: Request, house: TheHouse) -> Response:
    """What the password still lacks, while it is typed."""
    typed = await request.form()
    draft = Draft(
        password=raw(typed, "password"),
        form=request.cookies.get(FORM_COOKIE) or None,
        email=forms.text(typed, "email")[:400],
        names=[each for each in (forms.text(typed, "first_name"), forms.text(typed, "last_name")) if each],
    )
    try:
        said = await house.clients.accounts.meter(draft)
    except Trouble as trouble:
        raise Refused("link_expired") if trouble.code == "link_expired" else trouble from trouble
    return house.look.page(request, "registration/meter.html", block="rules", meter=said)
