"""The HTTP door for programs: many drafts at once, quantities for customs."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.certificates import bulk, customs
from services.certificates.api import Around, Language
from shared.contracts.machines import NUMBER, CoiView, DraftResults, NewCertificates, NewWriteOff
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor

router = APIRouter(tags=["machines"])
Number = Annotated[str, Path(max_length=50, examples=[NUMBER])]


@router.post("/certificates/bulk")
async def create_many(
    new: NewCertificates, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> DraftResults:
    """Save several drafts; each is made or refused by itself, and the same key makes none twice."""
    return await bulk.create(around.database, actor, new, key, around.now(), language)


@router.get("/customs/coi/{number}", tags=["customs"])
async def coi(number: Number, actor: CurrentActor, around: Around) -> CoiView:
    """For authorities: what of a certificate or extract is released as organic, and what is left of it."""
    async with around.database.transaction() as session:
        return await customs.coi(session, number, actor)


@router.post("/customs/coi/{number}/write-offs", status_code=201, tags=["customs"])
async def write_off(
    number: Number, wish: NewWriteOff, actor: CurrentActor, key: IdempotencyKey, around: Around
) -> CoiView:
    """For the customs of the country of clearance: what a declaration takes of each line."""
    async with around.database.transaction() as session:
        return await customs.write_off(session, number, actor, wish, key, around.now())
