"""The HTTP door for those who have no account yet, or lost the way into it: registrations, links, passwords.

One thing to remember: whatever is asked here for an address is answered alike, and by the same queries, whether or not
the address is known; what is to be found out about it is found out by the process, later.
"""

import unicodedata
from uuid import UUID

from fastapi import APIRouter, Request

from services.identity import creations, finding, links, resets, store
from services.identity.api import CurrentDesk, Desk, refuse_weak
from services.identity.links import Purpose
from services.identity.models import AccountRow, ChoiceRow, LinkRow, RegistrationRow
from services.identity.rules import (
    PASSWORD_RULES,
    SHORTEST_PASSWORD,
    Wearer,
    asked_for,
    is_address,
    is_language,
    missing,
)
from services.identity.sources import Source
from shared.contracts.identity import (
    Challenge,
    Course,
    Draft,
    Kind,
    LinkView,
    Meter,
    NewPassword,
    Opened,
    Registration,
    RegistrationView,
    ResetWish,
    RuleView,
    Secret,
    Step,
    course_id,
)
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentService
from shared.kit.settings import Registering
from shared.rules import lengths
from shared.rules.refusals import Refused
from shared.rules.sentences import SENTENCES
from shared.words import best_language, say

router = APIRouter(tags=["registration"])
LONGEST_NAME = 100

# fmt: off
CONFIRMED_BY = {
    #                    process        its update
    Purpose.PASSWORD:    (Kind.CREATION, "confirm"),
    Purpose.RESET:       (Kind.RESET,    "confirm"),
}
# fmt: on


@router.get("/registrations/challenge")
async def challenge(desk: CurrentDesk) -> Challenge:
    """A proof of work for the browser, to be sent along with the form."""
    return Challenge(challenge=desk.person_check.challenge())


@router.post("/registrations", status_code=202)
async def register(form: Registration, key: IdempotencyKey, source: Source, desk: CurrentDesk) -> RegistrationView:
    """Take a registration; the answer is the same whoever has this address."""
    refuse_unoffered(desk, Registering.EU)
    desk.registrations.hit_or_refuse(source)
    tidy = form.model_copy(
        update={name: tidied(getattr(form, name)) for name in ("first_name", "last_name", "email", "email_again")}
    )
    refuse_wrong(tidy)
    proof = await desk.person_check.proved(form.proof)
    async with desk.around.database.transaction() as session:
        taken = await creations.born(session, tidy, key, proof, desk.around.now())
    return RegistrationView(id=taken, minutes=lengths.amount_of("link"))


def tidied(text: str) -> str:
    """What somebody typed, composed and on one line."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def refuse_unoffered(desk: Desk, way: Registering) -> None:
    """A way of registering that this installation does not offer is not there."""
    if not desk.around.settings.registration.offers(way):
        raise Refused("not_found")


def refuse_wrong(form: Registration) -> None:
    """Everything that is not right in the form, at once."""
    problems: list[dict[str, object]] = []
    for name in ("first_name", "last_name"):
        problems += name_problems(name, getattr(form, name))
    if not is_address(form.email):
        problems += asked_for(["not_an_address" if form.email else "field_needed"], "email")
    elif form.email != form.email_again:
        problems += asked_for(["addresses_differ"], "email_again")
    if not is_language(form.language):
        problems += asked_for(["not_in_list"], "language")
    if not form.privacy:
        problems += asked_for(["privacy_unread"], "privacy")
    if problems:
        raise Refused("incomplete", problems=problems)


def name_problems(field: str, name: str) -> list[dict[str, object]]:
    """A name has a letter in it and fits beside a signature."""
    if not any(sign.isalpha() for sign in name) or any(unicodedata.category(sign) in ("Cc", "Cf") for sign in name):
        return asked_for(["field_needed"], field)
    if len(name) > LONGEST_NAME:
        return [{"field": field, "code": "field_too_long", "params": {"longest": LONGEST_NAME}}]
    return []


@router.post("/registrations/{registration_id}/links", status_code=202)
async def renew(registration_id: UUID, source: Source, desk: CurrentDesk, _: IdempotencyKey) -> RegistrationView:
    """A new letter, please; the link of the one before is dead from then on."""
    desk.registrations.hit_or_refuse(source)
    async with desk.around.database.transaction() as session:
        await creations.want_link(session, str(registration_id))
    return RegistrationView(id=str(registration_id), minutes=lengths.amount_of("link"))


@router.post("/links/renewals", status_code=202)
async def renew_expired(link: Secret, source: Source, desk: CurrentDesk, _: IdempotencyKey) -> RegistrationView:
    """The link has expired: a new one in one click, for whoever holds the old one."""
    desk.registrations.hit_or_refuse(source)
    async with desk.around.database.transaction() as session:
        row = await links.by_secret(session, link.secret)
        if row is None or row.purpose != Purpose.PASSWORD:
            raise Refused("link_expired")
        await creations.want_link(session, row.course_id)
    return RegistrationView(id=row.course_id, minutes=lengths.amount_of("link"))


@router.post("/password-resets", status_code=202)
async def ask_password(wish: ResetWish, key: IdempotencyKey, source: Source, desk: CurrentDesk) -> dict[str, int]:
    """A new password, please; the answer is the same whoever has this address."""
    desk.registrations.hit_or_refuse(source)
    email = tidied(wish.email)
    if not is_address(email):
        raise Refused("incomplete", problems=asked_for(["not_an_address" if email else "field_needed"], "email"))
    async with desk.around.database.transaction() as session:
        await resets.born(session, email, key, desk.around.now())
    return {"minutes": lengths.amount_of("link")}


@router.post("/links/opened")
async def open_link(link: Secret, desk: CurrentDesk) -> Opened:
    """A link was clicked: in time it opens a form that is good for a quarter of an hour, in that browser alone."""
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        row = await links.by_secret(session, link.secret)
        if row is None or row.purpose not in CONFIRMED_BY:
            raise Refused("link_expired")
        links.good(row, now, Purpose(row.purpose))
        await links.clicked(session, row, now)
        person = await _bearer(desk, row)
        form, until = links.form(desk.mint, row, now)
    return Opened(form=form, good_until=until, name=f"{person.first_name} {person.last_name}", email=person.email)


async def _bearer(desk: Desk, row: LinkRow) -> RegistrationRow | AccountRow:
    async with desk.around.database.transaction() as session:
        person = await store.account(session, row.person_id) or await creations.row_of(session, row.person_id)
    if person is None:
        raise Refused("link_expired")
    return person


async def _behind(desk: Desk, form: str) -> tuple[LinkRow, RegistrationRow | AccountRow, Step]:
    """The link behind a form, whose it is, and the step it asks for."""
    link_id, until = links.formed(desk.mint, form)
    async with desk.around.database.transaction() as session:
        row = await links.get(session, link_id)
    if row is None or row.ended_at or desk.around.now() >= until:
        raise Refused("link_expired")
    kind, name = CONFIRMED_BY[Purpose(row.purpose)]
    return row, await _bearer(desk, row), Step(kind, row.course_id, name, until, row.id)


@router.post("/passwords")
async def choose(chosen: NewPassword, key: IdempotencyKey, desk: CurrentDesk) -> dict[str, str]:
    """Choose a password in the form behind a link: the person can sign in from then on."""
    async with desk.around.database.transaction() as session:
        done = await links.done_under(session, key)
    if done is None:
        row, person, step = await _behind(desk, chosen.form)
        refuse_weak(chosen.password, chosen.password_again, wearer_of(person))
        hashed = await desk.attempts.passwords.hashed(chosen.password)
        async with desk.around.database.transaction() as session:
            await links.choose(
                session, ChoiceRow(key=key, course_id=row.course_id, password_hash=hashed, at=desk.around.now())
            )
        await desk.around.processes.ask(
            step.name,
            step,
            workflow=step.kind,
            workflow_id=course_id(step.kind, step.id),
            life=Course(step.kind, step.id),
            key=key,
            answer=Course,
        )
    return {"state": "done"}


def wearer_of(person: RegistrationRow | AccountRow) -> Wearer:
    """What must not be in this person's password."""
    return Wearer(person.email, (person.first_name, person.last_name))


@router.post("/passwords/meter")
async def meter(draft: Draft, request: Request, desk: CurrentDesk) -> Meter:
    """What a password still lacks, while it is typed; nothing is kept."""
    wearer = Wearer(draft.email, tuple(draft.names))
    if draft.form:
        wearer = wearer_of((await _behind(desk, draft.form))[1])
    language = best_language(request.headers.get("accept-language"))
    lacks = missing(draft.password, wearer)
    return Meter(
        rules=[
            RuleView(
                code=rule.code,
                says=say(SENTENCES[rule.code], language, least=SHORTEST_PASSWORD),
                holds=rule.code not in lacks,
            )
            for rule in PASSWORD_RULES
        ],
        fits=not lacks,
    )


@router.get("/links/{link_id}")
async def link(link_id: UUID, service: CurrentService, desk: CurrentDesk) -> LinkView:
    """What a letter carries, for whoever writes it; nobody else may ask."""
    if service != "notifications":
        raise Refused("not_found")
    async with desk.around.database.transaction() as session:
        row = await links.get(session, str(link_id))
        if row is None:
            raise Refused("not_found")
        portal = desk.around.settings.base_url("portal")
        said = links.shown(desk.mint, row, portal, desk.around.now())
        if row.purpose in (Purpose.REQUESTS, Purpose.LATE_REQUESTS):
            said = said.model_copy(update={"facts": said.facts | await finding.digest(session, row, portal)})
    return said
