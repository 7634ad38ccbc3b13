"""The HTTP door for access tokens: an administrator's desk, and the question of our other services."""

from uuid import UUID

from fastapi import APIRouter

from services.identity import access_tokens
from services.identity.api import CurrentDesk
from shared.contracts.machines import Bearer, MintedToken, NewToken, Presented, TokenView
from shared.kit.http import IdempotencyKey
from shared.kit.keys import keyring
from shared.kit.sessions import CurrentAdministrator, CurrentService

router = APIRouter(tags=["machines"])


@router.get("/access-tokens")
async def known(actor: CurrentAdministrator, desk: CurrentDesk) -> list[TokenView]:
    """The access tokens of my organisation, newest first; for its administrators."""
    async with desk.around.database.transaction() as session:
        return await access_tokens.known(session, actor.organisation_id)


@router.post("/access-tokens", status_code=201)
async def mint(new: NewToken, actor: CurrentAdministrator, key: IdempotencyKey, desk: CurrentDesk) -> MintedToken:
    """Mint an access token; the secret is in this answer and in no other."""
    ring = keyring(desk.around.settings.codec_key_file, "access-tokens")
    async with desk.around.database.transaction() as session:
        return await access_tokens.mint(session, actor, new, key, ring, desk.around.now())


@router.delete("/access-tokens/{token_id}", status_code=204)
async def revoke(token_id: UUID, actor: CurrentAdministrator, desk: CurrentDesk) -> None:
    """Revoke an access token: it is refused everywhere within half a minute, and at once where it changes something."""
    async with desk.around.database.transaction() as session:
        await access_tokens.revoke(session, actor.organisation_id, str(token_id), desk.around.now())


@router.post("/access-tokens/presented")
async def presented(shown: Presented, _: CurrentService, desk: CurrentDesk) -> Bearer:
    """For our services: whom a token speaks for, by its digest."""
    async with desk.around.database.transaction() as session:
        return await access_tokens.presented(session, shown.digest, desk.around.now())
