"""The HTTP door of [Gestion des utilisateurs]: an authority and the users of its territory (guide 003, part II)."""

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Query, Request

from services.identity import accounts, finding, users
from services.identity.api import CurrentDesk, Desk
from services.identity.api_classic import person_problems, place_problems, question_problems, tidy_place, tidy_reach
from services.identity.api_registrations import tidied
from services.identity.finding import Search
from services.identity.rules import asked_for
from shared.contracts.identity import Course, Kind, Step, course_id
from shared.contracts.users import NewQuestion, UserEdit, UserPage, UserResult, UserStep, UserSteps, UserView
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.sentences import SENTENCES
from shared.words import best_language, say

router = APIRouter(prefix="/users", tags=["users"])
Said = Annotated[str, Query(max_length=200)]


@router.get("")
async def search(
    actor: CurrentActor,
    desk: CurrentDesk,
    email: Said = "",
    name: Said = "",
    postal_code: Said = "",
    organisation: Said = "",
    state: Said = "",
    sort: Said = "name",
    after: Annotated[str, Query(max_length=2000)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
) -> UserPage:
    """The users of one's own territory."""
    wanted = Search(
        tidied(email), tidied(name), tidied(postal_code), tidied(organisation), tidied(state), sort, after, limit
    )
    async with desk.around.database.transaction() as session:
        rows, following = await finding.search(session, actor, wanted)
        return UserPage(items=rows, next=following, waiting=await finding.waiting(session, actor.organisation_id))


@router.get("/{user_id}")
async def one(user_id: UUID, actor: CurrentActor, desk: CurrentDesk) -> UserView:
    """One of them, opened."""
    return await _one(desk, actor, str(user_id))


async def _one(desk: Desk, actor: Actor, user_id: str) -> UserView:
    async with desk.around.database.transaction() as session:
        found = await finding.one(session, actor, user_id)
    return found.model_copy(update={"keeps_question": desk.around.settings.reset_keeps_question})


@router.put("/{user_id}")
async def correct(
    user_id: UUID, edit: UserEdit, key: IdempotencyKey, actor: CurrentActor, desk: CurrentDesk
) -> UserView | None:
    """Correct him; nothing is answered where his new place is in somebody else's territory."""
    named = {name: tidied(getattr(edit, name)) for name in ("first_name", "last_name")}
    place = {"organisation": tidy_place(edit.organisation), "reach": tidy_reach(edit.reach)}
    tidy = edit.model_copy(update={**named, **place})
    problems = person_problems(tidy.first_name, tidy.last_name, tidy.language) + place_problems(tidy.organisation)
    async with desk.around.database.transaction() as session:
        await finding.one(session, actor, str(user_id))
        if problems:
            raise Refused("incomplete", problems=problems)
        await users.correct(session, desk.mint, actor, str(user_id), tidy, key, desk.around.now())
    return await _still(desk, actor, str(user_id))


async def _still(desk: Desk, actor: Actor, user_id: str) -> UserView | None:
    """The user after a step, unless it made him somebody else's."""
    try:
        return await _one(desk, actor, user_id)
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        return None


@router.post("/{user_id}/actions")
async def decide(
    user_id: UUID, wish: UserStep, key: IdempotencyKey, actor: CurrentActor, desk: CurrentDesk
) -> UserView | None:
    """Activate, refuse, reset the password or delete; nothing is answered where he is no user of one's own any more."""
    await _decide(desk, actor, str(user_id), wish, key)
    return await _still(desk, actor, str(user_id))


async def _decide(desk: Desk, actor: Actor, user_id: str, wish: UserStep, key: str) -> None:
    async with desk.around.database.transaction() as session:
        if await accounts.told_before(session, key):
            return
        await finding.one(session, actor, user_id)
        if await users.is_account(session, user_id):
            now = desk.around.now()
            keeps = desk.around.settings.reset_keeps_question
            await users.act(
                session, desk.mint, actor, user_id, wish.action, wish.revision, wish.reason, key, now, keeps
            )
            return
        await users.refuse_stale(session, user_id, wish.revision)
        users.refuse_unreasoned(wish.action, wish.reason)
    step = Step(Kind.VALIDATION, user_id, wish.action, actor=actor, reason=wish.reason.strip())
    await desk.around.processes.ask(
        "decide",
        step,
        workflow=step.kind,
        workflow_id=course_id(step.kind, step.id),
        life=Course(step.kind, step.id),
        key=key,
        answer=Course,
    )


@router.post("/actions")
async def decide_several(
    request: Request, wish: UserSteps, key: IdempotencyKey, actor: CurrentActor, desk: CurrentDesk
) -> list[UserResult]:
    """The same decision about several users, one after another; what came of each."""
    async with desk.around.database.transaction() as session:
        if await finding.reader(session, actor):
            raise Refused("not_found")
    language, results = best_language(request.headers.get("accept-language")), []
    for each in {one.id: one for one in wish.chosen}.values():
        own = uuid5(NAMESPACE_URL, f"{key}/{each.id}").hex
        code = ""
        try:
            await _decide(desk, actor, str(UUID(each.id)), UserStep(
                action=wish.action, revision=each.revision, reason=wish.reason
            ), own)  # fmt: skip
        except Refused as refusal:
            code = refusal.code
        except ValueError:
            code = "not_found"
        results.append(UserResult(id=each.id, code=code, message=say(SENTENCES[code], language) if code else ""))
    return results


@router.put("/{user_id}/question")
async def set_question(
    user_id: UUID, new: NewQuestion, key: IdempotencyKey, actor: CurrentActor, desk: CurrentDesk
) -> UserView:
    """A new secret question, on request; for platform administrators."""
    async with desk.around.database.transaction() as session:
        if not await finding.reader(session, actor):
            raise Refused("not_found")
    problems = question_problems(new.question, new.answer)
    if not new.reason.strip():
        problems += asked_for(["field_needed"], "reason")
    if problems:
        raise Refused("incomplete", problems=problems)
    hashed = await desk.attempts.passwords.hashed(new.answer)
    async with desk.around.database.transaction() as session:
        await users.set_question(session, desk.mint, actor, str(user_id), new, hashed, key, desk.around.now())
    return await _one(desk, actor, str(user_id))
