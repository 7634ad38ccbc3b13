"""What the notifications service needs to know of its surroundings: besides the common things, its mail server."""

from typing import Literal

from shared.kit.settings import ServiceSettings, prefixed


class Settings(ServiceSettings):
    """Environment variables NOTIFICATIONS_…."""

    model_config = prefixed("NOTIFICATIONS_")

    port: int = 8104
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 1025
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_username: str | None = None
    smtp_password: str | None = None
    sender: str = "Bordereau <no-reply@bordereau.example>"
    contact: str = "contact@bordereau.example"
    """Whom a reader may write to; printed at the end of every letter."""
    letters_per_second: float = 50
    """No more than this: mail servers refuse those who press."""
    give_up_after_days: int = 7
    """A letter nobody took for so long, or that tells of something so old, is not sent any more; the news remain."""
