"""Who has taken on what waits: his colleagues see it, and it goes back to all of them when he leaves. Never commits.

One thing to remember: a claim only tells; whoever may decide may still decide, or take it over. So nothing waits for
somebody who is away.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import history
from services.directory.models import ProposalRow, RoleRow
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Step

HANDED_BACK: Final = "handed_back"
CLAIMABLE: Final[tuple[Any, ...]] = (RoleRow, ProposalRow)


def step(row: RoleRow | ProposalRow, wanted: Step, actor: Actor, now: datetime) -> None:
    """Take a request on, or hand it back; nobody hands back what another has taken on."""
    if wanted is Step.CLAIM:
        row.claimed_by, row.claimed_for = actor.person_id, actor.organisation_id
        row.claimed_at, row.claimer = now, actor.name
    elif row.claimed_by != actor.person_id:
        raise Refused("not_permitted")
    else:
        end(row)


def end(row: RoleRow | ProposalRow) -> None:
    """Nobody has taken it on any more."""
    row.claimed_by = row.claimed_for = row.claimed_at = None
    row.claimer = ""


def settle(row: RoleRow | ProposalRow, deciders: Collection[str | None]) -> None:
    """A claim ends with the request, and where the organisation it was made for is to decide no more."""
    if row.status != RoleStatus.REQUESTED or row.claimed_for not in deciders:
        end(row)


async def hand_back(
    session: AsyncSession, person_id: str, organisation_id: str, now: datetime, about: str | None = None
) -> None:
    """Everything somebody has taken on for an organisation is everybody's again; or only what is about one."""
    for table in CLAIMABLE:
        taken = select(table).where(table.claimed_by == person_id, table.claimed_for == organisation_id)
        if about is not None:
            taken = taken.where(table.organisation_id == about)
        for row in (await session.exec(taken.order_by(col(table.id)).with_for_update())).all():
            row.revision += 1
            await history.write(session, row.id, HANDED_BACK, row.status, now, said=row.claimer)
            end(row)
