"""The HTTP door: sessions, tokens, the person himself, and what other services may read of him.

A session's secret comes as ``Authorization: Session <secret>``; the portal keeps it in a cookie, nobody else sees it.
"""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import chest, creations, lockout, resets, second_factor, store
from services.identity.attempts import Attempts
from services.identity.home import Way
from services.identity.links import Mint
from services.identity.models import AccountRow, SessionRow
from services.identity.person_check import PersonCheck
from services.identity.proof import Proofs
from services.identity.rules import SessionEnd, Wearer, asked_for, is_language, is_time_zone, is_wish, missing
from services.identity.signing import Signer
from services.identity.sources import Rate, Source
from shared.contracts.identity import (
    OpenSession,
    PasswordChange,
    PersonView,
    PostView,
    Preferences,
    Recipient,
    ServiceToken,
    SessionView,
    SignIn,
)
from shared.kit import tokens
from shared.kit.http import IdempotencyKey
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentService, current_person
from shared.rules.refusals import Refused

router = APIRouter()
JUST_ENDED = timedelta(minutes=10)
"""Longer than any service token lives: whoever asks which sessions ended lately misses none that matters."""


class Desk:
    """What the door needs: the surroundings, the scales for attempts, the pen for tokens."""

    def __init__(self, around: Surroundings, attempts: Attempts, signer: Signer) -> None:
        self.around, self.attempts, self.signer = around, attempts, signer
        settings = around.settings
        self.mint = Mint(keyring(settings.codec_key_file, "identity-links"))
        self.tool_keys = chest.for_tools(around.database, keyring(settings.codec_key_file, "identity-tokens"))
        self.proofs = Proofs(around, attempts, self.mint)
        self.person_check = PersonCheck(keyring(settings.codec_key_file, "person-check"), settings.proof_cost)
        self.home: Way | None = None
        self.registrations = Rate(settings.registrations_per_source)
        self.limits = store.Limits(
            timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
        )

    async def session(self, secret: str) -> tuple[SessionRow, AccountRow]:
        """The session with this secret and whose it is; refused ``session_ended`` when there is none any more."""
        async with self.around.database.transaction() as session:
            found = await store.live_session(session, tokens.digest(secret), self.around.now(), self.limits)
        if found is None or (found[1].demo and not self.around.settings.demo):
            raise Refused("session_ended")
        return found


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


CurrentDesk = Annotated[Desk, Depends(_desk)]


def secret_of(authorization: str | None) -> str | None:
    """The session's secret in an Authorization header, if there is one."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret if scheme.lower() == "session" and secret else None


async def _session(
    desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> tuple[SessionRow, AccountRow]:
    secret = secret_of(authorization)
    if secret is None:
        raise Refused("unauthenticated")
    return await desk.session(secret)


async def _oneself(
    request: Request, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> AccountRow:
    """The person asking, by his session or by a service token made from it."""
    secret = secret_of(authorization)
    if secret is not None:
        return (await desk.session(secret))[1]
    person = await current_person(request, authorization)
    async with desk.around.database.transaction() as session:
        row = await store.account(session, person.person_id)
    if row is None:
        raise Refused("unauthenticated")
    return row


CurrentSession = Annotated[tuple[SessionRow, AccountRow], Depends(_session)]
Oneself = Annotated[AccountRow, Depends(_oneself)]


@router.post("/sessions", status_code=201)
async def sign_in(
    attempt: SignIn, source: Source, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> SessionView:
    """Open a session; one the browser already had is ended, so that a secret never outlives a sign-in."""
    async with desk.around.database.transaction() as session:
        account = await store.account_by_email(session, attempt.email)
    renewed = await desk.attempts.weigh(account, attempt.email, attempt.password, source, attempt.device)
    assert account is not None
    await desk.proofs.ask_for_second(account, renewed)
    return await admit(desk, account, attempt.device, attempt.agent, source, authorization, renewed)


async def admit(
    desk: Desk,
    account: AccountRow,
    known: str | None,
    agent: str,
    source: str,
    authorization: str | None,
    renewed: str | None = None,
) -> SessionView:
    """A session for somebody who has proved to be himself in full."""
    now = desk.around.now()
    secret, digest = tokens.mint("session")
    async with desk.around.database.transaction() as session:
        if former := secret_of(authorization):
            await store.end_session(session, tokens.digest(former), now, SessionEnd.ROTATED)
        opened = await store.open_session(session, account, digest, now, renewed, agent, source)
        device = await lockout.right(session, account, known, agent, now)
        person = await _person(desk, session, account)
    expires_at = min(opened.seen_at + desk.limits.idle, opened.opened_at + desk.limits.longest)
    return SessionView(session=secret, expires_at=expires_at, person=person, device=device)


@router.delete("/sessions/current", status_code=204)
async def sign_out(desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None) -> Response:
    """End this session and every service token made from it; harmless when it has ended already."""
    if secret := secret_of(authorization):
        async with desk.around.database.transaction() as session:
            await store.end_session(session, tokens.digest(secret), desk.around.now(), SessionEnd.SIGNED_OUT)
        return Response(status_code=204)
    raise Refused("unauthenticated")


@router.post("/tokens", status_code=201)
async def token(current: CurrentSession, desk: CurrentDesk) -> ServiceToken:
    """A short-lived token with which the portal speaks to the services on this person's behalf."""
    return await token_for(desk, *current)


@router.get("/me")
async def me(oneself: Oneself, desk: CurrentDesk) -> PersonView:
    """The person himself, with his posts."""
    async with desk.around.database.transaction() as session:
        return await _person(desk, session, oneself)


@router.patch("/me")
async def prefer(preferences: Preferences, oneself: Oneself, desk: CurrentDesk) -> PersonView:
    """Change the language and the time zone; what is not given stays as it is."""
    if preferences.language is not None and not is_language(preferences.language):
        raise Refused("invalid", field="language")
    if preferences.time_zone is not None and not is_time_zone(preferences.time_zone):
        raise Refused("invalid", field="time_zone")
    if preferences.notify is not None and not is_wish(preferences.notify):
        raise Refused("invalid", field="notify")
    async with desk.around.database.transaction() as session:
        await store.prefer(
            session,
            oneself,
            desk.around.now(),
            language=preferences.language,
            time_zone=preferences.time_zone,
            notify=preferences.notify,
        )
        return await _person(desk, session, oneself)


@router.get("/me/sessions")
async def my_sessions(current: CurrentSession, desk: CurrentDesk) -> list[OpenSession]:
    """Where I am signed in."""
    mine, account = current
    async with desk.around.database.transaction() as session:
        rows = await store.sessions_of(session, account.id, desk.around.now(), desk.limits)
    return [
        OpenSession(
            id=row.id,
            opened_at=row.opened_at,
            seen_at=row.seen_at,
            device=row.device,
            source=row.source,
            current=row.id == mine.id,
        )
        for row in rows
    ]


@router.delete("/me/sessions", status_code=204)
async def sign_out_everywhere(current: CurrentSession, desk: CurrentDesk) -> Response:
    """Sign out everywhere, here as well."""
    async with desk.around.database.transaction() as session:
        await store.end_sessions_of(session, current[1].id, desk.around.now(), SessionEnd.ELSEWHERE)
    return Response(status_code=204)


@router.delete("/me/sessions/{session_id}", status_code=204)
async def sign_out_there(session_id: UUID, current: CurrentSession, desk: CurrentDesk) -> Response:
    """End one of my sessions; one that is not mine is as one that is not there."""
    async with desk.around.database.transaction() as session:
        await store.end_one(session, current[1].id, str(session_id), desk.around.now())
    return Response(status_code=204)


@router.put("/me/password", status_code=204)
async def change_password(
    wish: PasswordChange, current: CurrentSession, key: IdempotencyKey, source: Source, desk: CurrentDesk
) -> Response:
    """Change my password, knowing the present one; every session ends, and a letter says so."""
    account = current[1]
    refuse_weak(wish.password, wish.password_again, Wearer(account.email, (account.first_name, account.last_name)))
    if wish.password == wish.present:
        raise Refused("incomplete", problems=asked_for(["password_used"], "password"))
    await desk.attempts.weigh(account, account.email, wish.present, source)
    hashed = await desk.attempts.passwords.hashed(wish.password)
    async with desk.around.database.transaction() as session:
        await resets.changed_by_himself(session, desk.mint, account.id, hashed, desk.around.now(), key)
    return Response(status_code=204)


def refuse_weak(password: str, again: str, wearer: Wearer) -> None:
    """Refuse a password that does not fit the rule, saying all that is missing."""
    problems = asked_for(missing(password, wearer), "password")
    if password != again:
        problems += asked_for(["passwords_differ"], "password_again")
    if problems:
        raise Refused("incomplete", problems=problems)


@router.get("/people/{person_id}")
async def recipient(person_id: UUID, _: CurrentService, desk: CurrentDesk) -> Recipient:
    """A person as the letter-writer needs him, also one who has only registered; for services only."""
    async with desk.around.database.transaction() as session:
        row = await store.account(session, str(person_id)) or await creations.row_of(session, str(person_id))
    if row is None:
        raise Refused("not_found")
    return Recipient(
        id=row.id,
        name=f"{row.first_name} {row.last_name}".strip(),
        email=row.email,
        language=row.language,
        time_zone=row.time_zone if isinstance(row, AccountRow) else "Europe/Paris",
        html=row.html,
        demo=isinstance(row, AccountRow) and row.demo,
        notify=row.notify if isinstance(row, AccountRow) else {},
    )


@router.get("/people/{person_id}/posts")
async def posts_of(person_id: UUID, _: CurrentService, desk: CurrentDesk) -> list[str]:
    """The organisations a person's next token would name: whoever ended a role sees here that it was heard."""
    async with desk.around.database.transaction() as session:
        return [post.organisation_id for post, _ in await store.posts(session, str(person_id))]


@router.get("/sessions/ended")
async def ended(_: CurrentService, desk: CurrentDesk) -> list[str]:
    """The sessions that ended in the last minutes: their tokens are refused; for services only."""
    async with desk.around.database.transaction() as session:
        return list(await store.ended_since(session, desk.around.now() - JUST_ENDED))


@router.get("/.well-known/jwks.json")
async def keys(desk: CurrentDesk) -> Any:
    """The public keys with which anybody can check a service token."""
    return JSONResponse({"keys": await desk.signer.published(desk.around.now())})


async def _person(desk: Desk, session: AsyncSession, row: AccountRow) -> PersonView:
    return PersonView(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        language=row.language,
        time_zone=row.time_zone,
        username=row.username,
        notify=row.notify,
        posts=[
            PostView(
                organisation_id=post.organisation_id,
                organisation=where.name if where else "",
                code=where.code if where else None,
                role_type=post.role_type,
                administrator=post.administrator,
            )
            for post, where in await store.posts(session, row.id)
        ],
    )


async def token_for(desk: Desk, opened: SessionRow, account: AccountRow) -> ServiceToken:
    """A token for this session, with the posts the person holds and the second factors he could prove himself by."""
    async with desk.around.database.transaction() as session:
        posts = [post for post, _ in await store.posts(session, account.id)]
        ways = await second_factor.ways(session, account.id)
    return await desk.signer.token(account, opened, posts, desk.around.now(), ways)
