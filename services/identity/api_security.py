"""The HTTP door for a person's proofs and second factors: showing them, adding them, taking them away.

One thing to remember: whatever changes how a person proves himself asks for a fresh proof, and a letter tells him.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from services.identity import passkeys, profile, second_factor, store
from services.identity.api import CurrentDesk, CurrentSession, admit, token_for
from services.identity.sources import Source
from shared.contracts.identity import (
    AuthenticatorView,
    FactorCode,
    FactorsView,
    NewPasskey,
    Proof,
    RecoveryCodes,
    SecondProof,
    ServiceToken,
    SessionView,
    Ticket,
)
from shared.kit.http import IdempotencyKey
from shared.rules.refusals import Refused

router = APIRouter(tags=["security"])


@router.post("/sessions/second", status_code=201)
async def second_half(
    said: SecondProof, source: Source, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> SessionView:
    """The second factor after the password: only now a session is opened."""
    account = await desk.proofs.holder(said.ticket)
    proof = Proof(code=said.code or " ", passkey=said.passkey)
    recovered = await desk.proofs.weigh(account, proof, source, said.device)
    view = await admit(desk, account, said.device, said.agent, source, authorization)
    if recovered:
        await profile.tell_of(desk.around, desk.mint, account.id, "recovery_code_used")
    return view


@router.post("/sessions/second/question")
async def second_question(held: Ticket, desk: CurrentDesk) -> dict[str, Any]:
    """What the passkey of somebody who is signing in is to sign."""
    return await desk.proofs.question(await desk.proofs.holder(held.ticket))


@router.post("/sessions/current/proof")
async def prove(proof: Proof, current: CurrentSession, source: Source, desk: CurrentDesk) -> ServiceToken:
    """Prove once more to be oneself, before a signature; the answer is a token that says so."""
    opened, account = current
    recovered = await desk.proofs.weigh(account, proof, source)
    async with desk.around.database.transaction() as session:
        await store.prove(session, opened, desk.around.now())
    if recovered:
        await profile.tell_of(desk.around, desk.mint, account.id, "recovery_code_used")
    return await token_for(desk, opened, account)


@router.post("/sessions/current/question")
async def question(current: CurrentSession, desk: CurrentDesk) -> dict[str, Any]:
    """What my passkey is to sign when I prove once more to be myself."""
    return await desk.proofs.question(current[1])


@router.get("/me/factors")
async def factors(current: CurrentSession, desk: CurrentDesk) -> FactorsView:
    """My second factors."""
    async with desk.around.database.transaction() as session:
        return await second_factor.view(session, current[1].id)


@router.post("/me/authenticator")
async def begin_authenticator(current: CurrentSession, desk: CurrentDesk) -> AuthenticatorView:
    """A secret for my authenticator app; it counts once its first code was typed."""
    desk.proofs.refuse_unless_fresh(current[0])
    async with desk.around.database.transaction() as session:
        secret, uri = await second_factor.begin(session, desk.proofs.wrapping, current[1], desk.around.now())
    return AuthenticatorView(secret=secret, uri=uri)


@router.put("/me/authenticator")
async def confirm_authenticator(
    said: FactorCode, current: CurrentSession, source: Source, key: IdempotencyKey, desk: CurrentDesk
) -> RecoveryCodes:
    """The first code of my app; recovery codes come back with the first factor."""
    desk.proofs.refuse_unless_fresh(current[0])
    desk.attempts.refuse_too_many(current[1].email, source)
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        codes = await second_factor.confirm(session, desk.proofs.wrapping, current[1], said.code, now)
        if codes is not None:
            await profile.tell(session, desk.mint, current[1].id, "authenticator_added", now, key)
    if codes is None:
        desk.attempts.missed(current[1].email, source)
        raise Refused("wrong_code", field="code")
    return RecoveryCodes(codes=codes)


@router.delete("/me/authenticator", status_code=204)
async def remove_authenticator(current: CurrentSession, key: IdempotencyKey, desk: CurrentDesk) -> Response:
    """Go without the app."""
    desk.proofs.refuse_unless_fresh(current[0])
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        if await second_factor.remove(session, current[1].id, now):
            await profile.tell(session, desk.mint, current[1].id, "authenticator_removed", now, key)
    return Response(status_code=204)


@router.post("/me/recovery-codes")
async def new_recovery_codes(current: CurrentSession, key: IdempotencyKey, desk: CurrentDesk) -> RecoveryCodes:
    """New recovery codes; the old ones are worthless from then on."""
    desk.proofs.refuse_unless_fresh(current[0])
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        if not await second_factor.ways(session, current[1].id):
            raise Refused("not_found")
        codes = await second_factor.new_codes(session, current[1].id, now)
        await profile.tell(session, desk.mint, current[1].id, "recovery_codes_made", now, key)
    return RecoveryCodes(codes=codes)


@router.post("/me/passkeys/question")
async def begin_passkey(current: CurrentSession, desk: CurrentDesk) -> dict[str, Any]:
    """What my browser is asked when it is to make a passkey."""
    desk.proofs.refuse_unless_fresh(current[0])
    async with desk.around.database.transaction() as session:
        return await passkeys.to_add(session, desk.proofs.site, current[1], desk.around.now())


@router.post("/me/passkeys", status_code=201)
async def add_passkey(
    made: NewPasskey, current: CurrentSession, key: IdempotencyKey, desk: CurrentDesk
) -> RecoveryCodes:
    """My browser has made a passkey; recovery codes come back with the first factor."""
    desk.proofs.refuse_unless_fresh(current[0])
    now, name = desk.around.now(), made.name.strip() or current[0].device
    async with desk.around.database.transaction() as session:
        codes = await passkeys.add(session, desk.proofs.site, current[1], made.passkey, name, now)
        if codes is not None:
            await profile.tell(session, desk.mint, current[1].id, "passkey_added", now, key)
    if codes is None:
        raise Refused("wrong_code", field="passkey")
    return RecoveryCodes(codes=codes)


@router.delete("/me/passkeys/{passkey_id}", status_code=204)
async def remove_passkey(passkey_id: str, current: CurrentSession, key: IdempotencyKey, desk: CurrentDesk) -> Response:
    """Forget one of my passkeys; one that is not mine is as one that is not there."""
    desk.proofs.refuse_unless_fresh(current[0])
    now = desk.around.now()
    async with desk.around.database.transaction() as session:
        if await passkeys.remove(session, current[1].id, passkey_id, now):
            await profile.tell(session, desk.mint, current[1].id, "passkey_removed", now, key)
    return Response(status_code=204)
