"""The NATS door: what identity listens to. From the directory it learns who holds which post."""

from collections.abc import Mapping
from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import store
from services.identity.models import OrganisationRow, PostRow
from services.identity.rules import SessionEnd
from shared.events.base import Event
from shared.events.directory import OrganisationChanged, RoleGranted, RoleRevoked
from shared.kit.bus import Handler


async def remember_post(session: AsyncSession, event: RoleGranted) -> None:
    """From now on the person's tokens carry this post."""
    await store.remember_post(
        session,
        PostRow(
            person_id=event.person_id,
            organisation_id=event.organisation_id,
            role_type=event.role_type,
            administrator=event.administrator,
            since=event.at,
        ),
    )


async def forget_post(session: AsyncSession, event: RoleRevoked) -> None:
    """The post is gone at once: the sessions that still carry it end, and their tokens with them."""
    await store.forget_post(session, event.person_id, event.organisation_id)
    await store.end_sessions_of(session, event.person_id, event.at, SessionEnd.REVOKED)


async def remember_organisation(session: AsyncSession, event: OrganisationChanged) -> None:
    """The name and code under which a person chooses his post."""
    record = event.organisation
    await store.remember_organisation(
        session,
        OrganisationRow(
            id=record.id,
            name=record.name,
            code=record.code,
            status=record.status,
            revision=event.revision,
            kind=record.kind,
            country=record.country,
            authority_role=record.authority_role,
            superior=record.superior,
            time_zone=record.time_zone,
        ),
    )


HANDLERS: Final[Mapping[type[Event], Handler]] = {
    RoleGranted: remember_post,
    RoleRevoked: forget_post,
    OrganisationChanged: remember_organisation,
}
