"""The HTTP door by which accounts of another installation sign in here; the browser's half comes through the portal."""

from typing import Annotated

from fastapi import APIRouter, Header

from services.identity import home
from services.identity.api import CurrentDesk, Desk, admit
from services.identity.sources import Source
from shared.contracts.identity import SessionView
from shared.contracts.tools import HomeDoor, HomeReturn, HomeWish
from shared.kit.log import logger
from shared.rules.refusals import Refused

router = APIRouter(tags=["tools"])
log = logger("home")


def _way(desk: Desk) -> home.Way:
    settings = desk.around.settings
    if settings.accounts_of is None:
        raise Refused("not_found")
    if desk.home is None:
        desk.home = home.Way(settings.accounts_of, settings.base_url("portal") + home.BACK, desk.mint)
    return desk.home


@router.post("/sessions/elsewhere")
async def leave(wish: HomeWish, desk: CurrentDesk) -> HomeDoor:
    """Where a browser goes to sign in with its account of the other installation."""
    location, ticket = await _way(desk).leave(desk.around.now(), wish.again)
    return HomeDoor(location=location, ticket=ticket)


@router.post("/sessions/elsewhere/back", status_code=201)
async def returned(
    said: HomeReturn, source: Source, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> SessionView:
    """It is back: a session here, for the account that is the same person's."""
    person = await _way(desk).returned(said.ticket, said.said, desk.around.now())
    async with desk.around.database.transaction() as session:
        account = await home.account_of(session, person, desk.around.now())
    if account.demo and not desk.around.settings.demo:
        raise Refused("demo_only")
    await desk.proofs.ask_for_second(account, None)
    log.info("signed in with an account of the other installation")
    return await admit(desk, account, said.device, said.agent, source, authorization)
