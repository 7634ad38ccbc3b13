"""Settings of the certificates service, from the environment (``CERTIFICATES_…``)."""

from pathlib import Path

from shared.kit.settings import ServiceSettings, prefixed


class Settings(ServiceSettings):
    """What this service needs to know of its surroundings."""

    model_config = prefixed("CERTIFICATES_")

    port: int = 8103
    edits_gather_seconds: float = 0.5
    """How long edits of one certificate may share one wake-up call of its process."""
    objects_url: str = ""
    """Where files are kept: ``file:///a/folder``, ``s3+https://host/bucket?region=…``, or nothing for VAR/documents."""
    objects_key_file: Path | None = None
    """A file with ``access:secret`` of the bucket on one line, where files are kept in one."""
    webhooks_allow_loopback: bool = False
    """Whether webhooks may be on this very machine, and without TLS: for trials, never on a server."""
    seal_provider: str = ""
    """Who seals printed copies: ``module:function`` of a provider of seals; nothing for keys of our own."""
    time_stamp_url: str = ""
    """A time-stamp authority (RFC 3161); nothing for the one within."""
    time_stamp_authorities: Path | None = None
    """The certificates (PEM) that its certificate leads to."""
    time_stamp_revocations: str = ""
    """Where its lists of revoked certificates are, commas between them."""
