"""Secrets that travel by mail or cookie: the caller gets the token, the database keeps only its digest."""

import hashlib
import secrets


def mint(prefix: str) -> tuple[str, str]:
    """A fresh secret with a recognisable prefix, and its digest (SHA-256, hex)."""
    token = f"{prefix}_{secrets.token_urlsafe(32)}"
    return token, digest(token)


def digest(token: str) -> str:
    """The digest under which a token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
