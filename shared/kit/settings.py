"""Settings: one class per process, read from the environment when it starts and handed down."""

from enum import StrEnum
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Registering(StrEnum):
    """Which forms of registering are offered; both may be."""

    EU = "eu"
    """EU Login: the person alone, by the link in a letter (guides 000-002)."""
    CLASSIC = "classic"
    """TRACES classic: validated by the authority of the establishment (guides 003, 004)."""
    BOTH = "both"

    def offers(self, way: "Registering") -> bool:
        """Whether this way is open."""
        return self in (way, Registering.BOTH)


class ServiceSettings(BaseSettings):
    """What every process needs to know of its surroundings; a service gives it a prefix and adds its own."""

    model_config = SettingsConfigDict(extra="ignore")

    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    nats_url: str = "nats://127.0.0.1:4222"
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_ui_url: str = "http://127.0.0.1:8233"
    codec_key_file: Path = Path("var/codec.key")
    var: Path = Path("var")
    identity_url: str = "http://127.0.0.1:8101"
    directory_url: str = "http://127.0.0.1:8102"
    certificates_url: str = "http://127.0.0.1:8103"
    notifications_url: str = "http://127.0.0.1:8104"
    portal_url: str = "http://127.0.0.1:8080"
    mailbox_url: str = ""
    registration: Registering = Registering.EU
    clocks: str = ""
    """Clocks that run otherwise here than the law foresees: ``reply_overdue=45 announce_arrival=3``."""
    demo: bool = False
    demo_file: Path | None = None
    migrate_at_start: bool = False
    log_level: str = "INFO"

    def base_url(self, service: str) -> str:
        """Where a service of ours answers, by its name."""
        return str(getattr(self, f"{service}_url")).rstrip("/")


def prefixed(prefix: str) -> SettingsConfigDict:
    """The configuration of a service's settings class: its prefix, and nothing unknown refused."""
    return SettingsConfigDict(env_prefix=prefix, extra="ignore")
