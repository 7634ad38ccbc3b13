"""The HTTP door for a person's own details: a new name or address, confirmed by mail to every address it concerns.

One thing to remember: asking is answered alike whoever has the new address; who has it already is simply not asked.
"""

from fastapi import APIRouter

from services.identity import profile, store
from services.identity.api import CurrentDesk, CurrentSession, Desk
from services.identity.api_registrations import name_problems, tidied
from services.identity.models import ChangeRow
from services.identity.rules import asked_for, is_address
from services.identity.sources import Source
from shared.contracts.identity import ChangeView, DetailsWish, Secret
from shared.kit.http import IdempotencyKey
from shared.rules.refusals import Refused

router = APIRouter(tags=["profile"])


@router.post("/me/details", status_code=202)
async def change_details(
    wish: DetailsWish, current: CurrentSession, key: IdempotencyKey, source: Source, desk: CurrentDesk
) -> ChangeView:
    """Ask for another name or address; nothing changes before the links in the letters were followed."""
    opened, account = current
    desk.proofs.refuse_unless_fresh(opened)
    desk.registrations.hit_or_refuse(source)
    tidy = wish.model_copy(
        update={name: tidied(getattr(wish, name) or "") for name in ("first_name", "last_name", "email", "username")}
    )
    problems = [each for name in ("first_name", "last_name") for each in name_problems(name, getattr(tidy, name))]
    if not is_address(tidy.email):
        problems += asked_for(["not_an_address" if tidy.email else "field_needed"], "email")
    if problems:
        raise Refused("incomplete", problems=problems)
    async with desk.around.database.transaction() as session:
        row = await profile.asked(session, desk.mint, account, tidy, desk.around.now(), key)
        if row is None:
            raise Refused("incomplete", problems=asked_for(["nothing_changed"], "email"))
        return profile.seen(row, account)


@router.post("/details/opened")
async def open_change(link: Secret, desk: CurrentDesk) -> ChangeView:
    """A link in one of the letters was clicked: what the change is."""
    async with desk.around.database.transaction() as session:
        _, row = await profile.opened(session, link.secret, desk.around.now())
        return await _seen(desk, row)


@router.post("/details/confirmations")
async def confirm_change(link: Secret, desk: CurrentDesk) -> ChangeView:
    """Yes, change it; it is made once every letter was answered so."""
    async with desk.around.database.transaction() as session:
        _, row = await profile.opened(session, link.secret, desk.around.now())
        before = await _seen(desk, row)
        made = await profile.confirmed(session, desk.mint, link.secret, desk.around.now())
    return before.model_copy(update={"made": made})


async def _seen(desk: Desk, row: ChangeRow) -> ChangeView:
    async with desk.around.database.transaction() as session:
        account = await store.account(session, row.person_id)
    if account is None:
        raise Refused("link_expired")
    return profile.seen(row, account)
