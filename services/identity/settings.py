"""Settings of the identity service, from the environment (``IDENTITY_…``)."""

from services.identity.home import Home
from services.identity.tools import Tool
from shared.kit.settings import ServiceSettings, prefixed


class Settings(ServiceSettings):
    """What this service needs to know of its surroundings, and how strict it is."""

    model_config = prefixed("IDENTITY_")

    port: int = 8101
    session_idle_minutes: int = 30
    session_hours: int = 12
    token_seconds: int = 90
    """How long a service token is good for; a session that ends before takes it along."""

    argon2_memory_kib: int = 19_456
    argon2_passes: int = 2
    argon2_lanes: int = 1
    hashes_at_once: int = 2
    """How many passwords are hashed at the same time; the others wait."""

    attempts_per_account: str = "10/5minutes"
    """Wrong passwords for one address from one source."""
    attempts_per_source: str = "100/5minutes"
    """Wrong passwords from one source, whatever the address."""

    registrations_per_source: str = "60/hour"
    """Registrations, new links and new passwords asked for from one source."""
    proof_cost: int = 40
    """How hard a browser has to work before a registration is taken."""

    reset_keeps_question: bool = False
    """Whether the secret question stays when an authority has reset a password (guide 003); else one chooses anew."""

    tools: tuple[Tool, ...] | None = None
    """Other tools whose users may sign in with their account here (OpenID Connect)."""
    accounts_of: Home | None = None
    """Another installation whose accounts sign in here as well; roles are asked for here all the same."""
