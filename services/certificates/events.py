"""What this service listens to, as a table: what the directory says of organisations is what the law is asked about."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.merging import repoint
from services.certificates.models import PartyRow
from services.certificates.webhooks import tell_of_certificate, tell_of_extract
from shared.events.base import Event
from shared.events.certificates import CertificateMoved, ExtractMoved
from shared.events.directory import OrganisationChanged, OrganisationMerged
from shared.kit.bus import Handler


async def remember_organisation(session: AsyncSession, event: OrganisationChanged) -> None:
    """Keep the newest record of an organisation, and the event it came with: signatures rely on it by name."""
    values = {
        "id": event.organisation.id,
        "event_id": str(event.id),
        "revision": event.revision,
        "record": event.organisation.model_dump(mode="json"),
    }
    await session.execute(
        insert(PartyRow)
        .values(values)
        .on_conflict_do_update(
            index_elements=["id"],
            set_={key: value for key, value in values.items() if key != "id"},
            where=col(PartyRow.revision) < event.revision,
        )
    )


HANDLERS: Final[Mapping[type[Event], Handler]] = {
    OrganisationChanged: remember_organisation,
    OrganisationMerged: repoint,
    CertificateMoved: tell_of_certificate,  # our own news, from our own letter box: webhooks are told of them
    ExtractMoved: tell_of_extract,
}
