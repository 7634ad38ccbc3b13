"""Who asks: one person, acting for one organisation, in one session.

One thing to remember: services vouch for actors. Whoever holds an Actor may believe every word of it.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Actor:
    """One person acting for one organisation."""

    person_id: str
    """The person's id; the only thing of him that may stand in clear in a log."""
    name: str
    """First and last name, as they appear beside every signature."""
    organisation_id: str
    """The organisation he acts for in this request; he may belong to several."""
    role_type: str
    """The RoleType of that organisation."""
    session_id: str | None = None
    """The session he signed in with; None for a process that acts by itself."""
    proved_at: datetime | None = None
    """When he last proved to be himself, by password or better."""
    language: str = "en"
    """The language he reads: "fr" or "en"."""
