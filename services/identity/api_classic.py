"""The HTTP door of classic accounts: the form, the letter that confirms it, and temporary passwords.

One thing to remember: as with every registration, the answer is the same whoever has the address, and the same work is
done for it; what is to be found out is found out by the process, later.
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import authorities, classic, creations, links, temporary
from services.identity.api import CurrentDesk, Desk, refuse_weak
from services.identity.api_registrations import name_problems, refuse_unoffered, tidied, wearer_of
from services.identity.links import Purpose
from services.identity.models import ChoiceRow, LinkRow, RegistrationRow
from services.identity.rules import Wearer, asked_for, is_address, is_language, missing
from services.identity.sources import Source
from shared.contracts.identity import Course, Kind, Secret, Step, course_id
from shared.contracts.users import (
    Answered,
    Asked,
    AuthorityView,
    ClassicRegistration,
    ClassicTaken,
    Confirmed,
    Establishment,
    OwnPassword,
    OwnPasswordForm,
    Reach,
    TemporarySignIn,
)
from shared.kit.http import IdempotencyKey
from shared.kit.settings import Registering
from shared.reference.countries import countries
from shared.reference.departments import department_of
from shared.rules import lengths
from shared.rules.refusals import Refused
from shared.rules.roles import StandingStatus
from shared.rules.secret_questions import QUESTION_CODES

router = APIRouter(tags=["classic"])
CONFIRMATIONS = (Purpose.CONFIRMATION, Purpose.RECONFIRMATION)
Problems = list[dict[str, object]]

# fmt: off
LONGEST = {
    #  field            its longest
    "name":              200,
    "address":           200,
    "postal_code":       20,
    "city":              100,
}
# fmt: on


@router.post("/registrations/classic", status_code=202)
async def register(form: ClassicRegistration, key: IdempotencyKey, source: Source, desk: CurrentDesk) -> ClassicTaken:
    """Take a classic request; the answer is the same whoever has this address."""
    refuse_unoffered(desk, Registering.CLASSIC)
    desk.registrations.hit_or_refuse(source)
    place = await _picked(desk, form.organisation)
    tidy = form.model_copy(
        update={
            **{name: tidied(getattr(form, name)) for name in ("first_name", "last_name", "email")},
            "organisation": tidy_place(place),
            "reach": tidy_reach(form.reach),
        }
    )
    refuse_wrong(tidy)
    proof = await desk.person_check.proved(form.proof)
    password = await desk.attempts.passwords.hashed(form.password)
    answer = await desk.attempts.passwords.hashed(form.answer)
    async with desk.around.database.transaction() as session:
        taken = await classic.born(session, tidy, password, answer, key, proof, desk.around.now())
    return ClassicTaken(id=taken, days=lengths.amount_of("confirmation"))


async def _picked(desk: Desk, place: Establishment) -> Establishment:
    """An organisation of the directory keeps its own address, which the public does not see there; so does its name.

    While the directory is away, what the form brought along of it counts: the authority can look it up.
    """
    if not place.organisation_id:
        return place
    try:
        record = await desk.around.others.get("directory", f"/organisations/{UUID(place.organisation_id)}")
    except ValueError:
        record = {}
    except Refused as refusal:
        if refusal.code != "not_found":
            return place
        record = {}
    if record.get("status") != StandingStatus.VALID:
        raise Refused("incomplete", problems=asked_for(["not_in_list"], "organisation.name"))
    own = {name: str(record[name])[:longest] for name, longest in LONGEST.items()}
    return place.model_copy(update={**own, "country": record["country"]})


def tidy_place(place: Establishment) -> Establishment:
    """An establishment as it is kept: composed, each on one line."""
    return place.model_copy(update={name: tidied(getattr(place, name)) for name in (*LONGEST, "country")})


def tidy_reach(reach: Reach) -> Reach:
    """How a user is reached, as it is kept."""
    return Reach(phone=tidied(reach.phone), fax=tidied(reach.fax), information=reach.information.strip()[:2000])


def refuse_wrong(form: ClassicRegistration) -> None:
    """Everything that is not right in the form, at once."""
    problems: Problems = []
    if not is_address(form.email):
        problems += asked_for(["not_an_address" if form.email else "field_needed"], "email")
    wearer = Wearer(form.email, (form.first_name, form.last_name))
    problems += asked_for(missing(form.password, wearer), "password")
    if form.password != form.password_again:
        problems += asked_for(["passwords_differ"], "password_again")
    problems += question_problems(form.question, form.answer)
    problems += place_problems(form.organisation)
    problems += person_problems(form.first_name, form.last_name, form.language)
    if not form.privacy:
        problems += asked_for(["privacy_unread"], "privacy")
    if problems:
        raise Refused("incomplete", problems=problems)


def question_problems(question: str, answer: str) -> Problems:
    """A question of the list, and any answer at all."""
    problems: Problems = []
    if question not in QUESTION_CODES:
        problems += asked_for(["not_in_list"], "question")
    if not answer.strip():
        problems += asked_for(["field_needed"], "answer")
    return problems


def person_problems(first_name: str, last_name: str, language: str) -> Problems:
    """Two names and a language we speak."""
    problems = name_problems("first_name", first_name) + name_problems("last_name", last_name)
    if not is_language(language):
        problems += asked_for(["not_in_list"], "language")
    return problems


def place_problems(place: Establishment) -> Problems:
    """An establishment says where it is: by its postal code its authority is found."""
    problems: Problems = []
    for name, longest in LONGEST.items():
        said = getattr(place, name)
        if len(said) > longest:
            problems.append({"field": f"organisation.{name}", "code": "field_too_long", "params": {"longest": longest}})
        elif not said and not (name in ("city", "postal_code") or (name == "address" and place.organisation_id)):
            problems += asked_for(["field_needed"], f"organisation.{name}")
    if place.country not in countries():
        problems += asked_for(["not_in_list"], "organisation.country")
    elif place.country == "FR" and department_of(place.postal_code) is None:
        problems += asked_for(["postal_code_wrong"], "organisation.postal_code")
    return problems


# ── The letter ────────────────────────────────────────────────────────────────────────────────────────────────


async def _request(session: AsyncSession, row: LinkRow | None, now: datetime) -> RegistrationRow:
    if row is None or row.purpose not in CONFIRMATIONS:
        raise Refused("link_expired")
    links.good(row, now, Purpose(row.purpose))
    request = await creations.row_of(session, row.course_id)
    if request is None:
        raise Refused("link_expired")
    return request


@router.post("/registrations/classic/opened")
async def open_letter(link: Secret, desk: CurrentDesk) -> Asked:
    """The link of the letter was clicked: what is to be confirmed. Nothing happens before somebody says so."""
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        row = await links.by_secret(session, link.secret)
        request = await _request(session, row, now)
        assert row is not None
        await links.clicked(session, row, now)
        form, until = links.form(desk.mint, row, now)
        return Asked(
            form=form,
            good_until=until,
            name=f"{request.first_name} {request.last_name}",
            email=request.email,
            organisation=_public(Establishment(**request.details["organisation"])),
            authority=await authorities.view(session, request.authority_id),
        )


def _public(place: Establishment) -> Establishment:
    """As the applicant may see it: an address he has not typed himself is not shown to him."""
    return place.model_copy(update={"address": ""}) if place.organisation_id else place


@router.post("/registrations/classic/answers")
async def answer_letter(said: Answered, key: IdempotencyKey, desk: CurrentDesk) -> Confirmed:
    """Confirm the request, or say that it is none of one's own: then it is forgotten at once."""
    link_id, until = links.formed(desk.mint, said.form)
    async with desk.around.database.transaction() as session:
        row = await links.get(session, link_id)
    if row is None:
        raise Refused("link_expired")
    step = Step(Kind.VALIDATION, row.course_id, "confirm" if said.mine else "disown", until, row.id)
    course = await _ask(desk, "confirm", step, key)
    async with desk.around.database.transaction() as session:
        request = await creations.row_of(session, row.course_id)
        authority = await authorities.view(session, request.authority_id) if request else None
    return Confirmed(state=course.state, authority=await _with_contact(desk, authority))


async def _with_contact(desk: Desk, authority: AuthorityView | None) -> AuthorityView | None:
    """How the authority is reached, as the directory says: whoever waits is to write to it himself (guide 003)."""
    if authority is None:
        return None
    try:
        record = await desk.around.others.get("directory", f"/organisations/{authority.id}")
    except Refused:
        return authority
    place = f"{record['address']}, {record['postal_code']} {record['city']}"
    return authority.model_copy(update={"address": place, "contacts": record["contacts"]})


async def _ask(desk: Desk, name: str, step: Step, key: str) -> Course:
    return await desk.around.processes.ask(
        name,
        step,
        workflow=step.kind,
        workflow_id=course_id(step.kind, step.id),
        life=Course(step.kind, step.id),
        key=key,
        answer=Course,
    )


# ── Temporary passwords ───────────────────────────────────────────────────────────────────────────────────────


@router.post("/passwords/temporary")
async def sign_in_temporarily(attempt: TemporarySignIn, source: Source, desk: CurrentDesk) -> OwnPasswordForm:
    """The password of a letter: it opens, once, the form for one's own. It is no sign-in."""
    now, email = desk.around.now(), tidied(attempt.email)
    desk.attempts.refuse_too_many(email, source)
    async with desk.around.database.transaction() as session:
        row = await temporary.right(session, desk.mint, email, attempt.password.strip(), now)
        if row is not None:
            await links.clicked(session, row, now)
            form, until = links.form(desk.mint, row, now)
    if row is None:
        desk.attempts.missed(email, source)
        raise Refused("bad_credentials")
    return await _own_form(desk, form, until)


async def _own_form(desk: Desk, form: str, until: datetime) -> OwnPasswordForm:
    async with desk.around.database.transaction() as session:
        row, account, _ = await temporary.behind(session, desk.mint, form, desk.around.now())
    return OwnPasswordForm(
        form=form,
        good_until=until,
        name=f"{account.first_name} {account.last_name}",
        email=account.email,
        asks=row.facts.get("asks", temporary.ANSWER),
    )


@router.post("/passwords/own")
async def choose_own(chosen: OwnPassword, key: IdempotencyKey, desk: CurrentDesk) -> dict[str, str]:
    """One's own password in the place of the temporary one, and the secret question where it is asked."""
    async with desk.around.database.transaction() as session:
        done = await links.done_under(session, key)
    if done is not None:
        return {"state": "done"}
    async with desk.around.database.transaction() as session:
        row, account, until = await temporary.behind(session, desk.mint, chosen.form, desk.around.now())
    asks = row.facts.get("asks", temporary.ANSWER)
    refuse_weak(chosen.password, chosen.password_again, wearer_of(account))
    passwords = desk.attempts.passwords
    if asks == temporary.ANSWER:
        same, _ = await passwords.matches(chosen.answer, account.answer_hash)
        if not same or chosen.question != account.question:
            async with desk.around.database.transaction() as session:
                await temporary.guessed(session, row.id, desk.around.now())
            raise Refused("incomplete", problems=asked_for(["answer_wrong"], "answer"))
    elif asks == temporary.NEW and (problems := question_problems(chosen.question, chosen.answer)):
        raise Refused("incomplete", problems=problems)
    new = asks == temporary.NEW
    choice = ChoiceRow(
        key=key,
        course_id=row.course_id,
        password_hash=await passwords.hashed(chosen.password),
        question=chosen.question if new else None,
        answer_hash=await passwords.hashed(chosen.answer) if new else None,
        at=desk.around.now(),
    )
    async with desk.around.database.transaction() as session:
        await links.choose(session, choice)
    await _ask(desk, "confirm", Step(Kind.RESET, row.course_id, "confirm", until, row.id), key)
    return {"state": "done"}
