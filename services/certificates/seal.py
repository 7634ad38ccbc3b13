"""Seals: canonical JSON, its fingerprint, and an organisation's signature over it (Ed25519).

Called an electronic seal (advanced), never "qualified". The private keys lie in the database wrapped by a key that
does not: whoever steals the one still needs the other.
"""

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.models import SigningKeyRow
from shared.kit.keys import Keyring

ALGORITHM = "Ed25519"


def canonical(value: Any) -> str:
    """The one way to write a value as JSON: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON; of a text, of the text itself."""
    return hashlib.sha256((value if isinstance(value, str) else canonical(value)).encode()).hexdigest()


class Seals:
    """Signs for organisations with keys made at their first signature."""

    def __init__(self, wrapping: Keyring) -> None:
        self._wrapping = wrapping
        self._open: dict[str, tuple[str, Ed25519PrivateKey]] = {}

    async def sign(self, session: AsyncSession, organisation_id: str, statement: dict[str, Any]) -> dict[str, Any]:
        """A statement with the organisation's signature over its canonical JSON."""
        key_id, key = await self._key(session, organisation_id)
        signature = key.sign(canonical(statement).encode())
        return {
            "algorithm": ALGORITHM,
            "key": key_id,
            "statement": statement,
            "signature": base64.b64encode(signature).decode(),
        }

    async def _key(self, session: AsyncSession, organisation_id: str) -> tuple[str, Ed25519PrivateKey]:
        """The key is taken from memory only when it is known to be committed: a rolled-back one is forgotten."""
        if organisation_id in self._open:
            return self._open[organisation_id]
        row = await self._row(session, organisation_id)
        if row is None:
            key = Ed25519PrivateKey.generate()
            public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            made = {
                "id": hashlib.sha256(public).hexdigest()[:16],
                "organisation_id": organisation_id,
                "public_key": base64.b64encode(public).decode(),
                "wrapped": self._wrap(key.private_bytes_raw()),
            }
            await session.execute(insert(SigningKeyRow).values(made).on_conflict_do_nothing())
            row = await self._row(session, organisation_id)
            assert row is not None
            return row.id, Ed25519PrivateKey.from_private_bytes(self._unwrap(row.wrapped))
        self._open[organisation_id] = row.id, Ed25519PrivateKey.from_private_bytes(self._unwrap(row.wrapped))
        return self._open[organisation_id]

    async def _row(self, session: AsyncSession, organisation_id: str) -> SigningKeyRow | None:
        found = await session.exec(select(SigningKeyRow).where(SigningKeyRow.organisation_id == organisation_id))
        return found.one_or_none()

    def _wrap(self, private: bytes) -> str:
        nonce, key_id = secrets.token_bytes(12), self._wrapping.current
        sealed = AESGCM(self._wrapping[key_id]).encrypt(nonce, private, key_id.encode())
        return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def _unwrap(self, wrapped: str) -> bytes:
        key_id, _, text = wrapped.partition(":")
        sealed = base64.b64decode(text)
        return AESGCM(self._wrapping[key_id]).decrypt(sealed[:12], sealed[12:], key_id.encode())
