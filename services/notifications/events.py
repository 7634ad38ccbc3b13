"""The NATS door: what this service listens to, as a table. Nothing is sent from here: rows are, by the mailer."""

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import batches, questions, roles, store
from services.notifications.letters import Beside, notices, rows_for
from shared.events.base import Event
from shared.events.certificates import CertificateClockRang, CertificateEdited, CertificateMoved
from shared.events.directory import OrganisationChanged, RoleGranted, RoleRevoked
from shared.events.identity import PersonChanged
from shared.kit.bus import Handler
from shared.rules.permissions import Tie


async def tell(session: AsyncSession, event: CertificateMoved | CertificateEdited | CertificateClockRang) -> None:
    """Tell everybody LETTERS names for this event."""
    asked = any(Beside.IMPORTERS_BODY in row.to for row in rows_for(event))
    bodies = await store.bodies(session, event.parties.get(Tie.IMPORTER, [])) if asked else {}
    await store.tell(session, notices(event, lambda organisation: bodies.get(organisation, ())))


async def remember_organisation(session: AsyncSession, event: OrganisationChanged) -> None:
    """Keep the name by which letters call it, and who certifies it."""
    await store.remember_organisation(session, event.organisation, event.revision)


async def remember_post(session: AsyncSession, event: RoleGranted) -> None:
    """A person gets his organisation's letters from now on."""
    await store.grant(session, event)
    await roles.tell(session, event)


async def forget_post(session: AsyncSession, event: RoleRevoked) -> None:
    """A person gets his organisation's letters no more."""
    await store.revoke(session, event.person_id, event.organisation_id)


async def forget_person(session: AsyncSession, event: PersonChanged) -> None:
    """Ask identity again before the next letter to this person."""
    await store.forget_person(session, event.person_id)


HANDLERS: Final[dict[type[Event], Handler]] = {
    CertificateMoved: tell,
    CertificateEdited: tell,
    CertificateClockRang: tell,
    OrganisationChanged: remember_organisation,
    RoleGranted: remember_post,
    RoleRevoked: forget_post,
    PersonChanged: forget_person,
    **roles.HANDLERS,
    **batches.HANDLERS,
    **questions.HANDLERS,
}
