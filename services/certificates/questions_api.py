"""The HTTP door of questions: ask, answer, settle. A file is sent first, like that of a document."""

from fastapi import APIRouter

from services.certificates import questions, views
from services.certificates.api import Around
from shared.contracts.questions import NewMessage, NewQuestion, QuestionsView
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor

router = APIRouter()


@router.get("/certificates/{certificate_id}/questions")
async def of_certificate(certificate_id: str, actor: CurrentActor, around: Around) -> QuestionsView:
    """The questions of a certificate with their answers, and what may be asked of whom."""
    async with around.database.reading() as session:
        row = await views.seen(session, certificate_id, actor)
        return await questions.shown(session, row, actor, around.now())


@router.post("/certificates/{certificate_id}/questions", status_code=201)
async def ask(
    certificate_id: str, new: NewQuestion, actor: CurrentActor, key: IdempotencyKey, around: Around
) -> QuestionsView:
    """Ask one of the parties, about a named box or the whole; or ask it to correct a box."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await questions.ask(session, row.id, actor, new, key, around.now())
        return await questions.shown(session, row, actor, around.now())


@router.post("/certificates/{certificate_id}/questions/{question_id}/messages", status_code=201)
async def answer(
    certificate_id: str,
    question_id: str,
    new: NewMessage,
    actor: CurrentActor,
    key: IdempotencyKey,
    around: Around,
) -> QuestionsView:
    """Answer a question, or add a word to one's own."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await questions.answer(session, row.id, question_id, actor, new, key, around.now())
        return await questions.shown(session, row, actor, around.now())


@router.post("/certificates/{certificate_id}/questions/{question_id}/settlement")
async def settle(
    certificate_id: str, question_id: str, actor: CurrentActor, key: IdempotencyKey, around: Around
) -> QuestionsView:
    """Say that one's own question is settled."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await questions.settle(session, row.id, question_id, actor, key, around.now())
        return await questions.shown(session, row, actor, around.now())
