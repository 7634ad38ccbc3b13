"""Signing keys: made at first need, kept in the database with their private half wrapped by the installation's key.

All instances sign with the same key, and whoever only has the database can sign nothing. A chest holds the keys of one
purpose; the purpose is the beginning of their names.
"""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import KeyParameters, OKPKey, RSAKey
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import store
from services.identity.models import SigningKeyRow
from shared.kit.db import Database
from shared.kit.keys import Keyring
from shared.kit.log import logger

log = logger("signing")
Key = TypeVar("Key", bound=OKPKey | RSAKey)


class Chest(Generic[Key]):
    """The signing keys of one purpose; the newest that can be opened signs."""

    def __init__(
        self,
        database: Database,
        wrapping: Keyring,
        purpose: str,
        make: Callable[[KeyParameters], Key],
        open_: Callable[[dict[str, Any]], Key],
    ) -> None:
        self._database, self._wrapping, self._purpose = database, wrapping, purpose
        self._make = make
        self._import = open_
        self._key: Key | None = None

    async def current(self, now: datetime) -> Key:
        """The key to sign with."""
        if self._key is None:
            async with self._database.transaction() as session:
                self._key = await self._found(session) or await self._made(session, now)
        return self._key

    async def published(self, now: datetime) -> list[dict[str, Any]]:
        """The public halves of all keys in use, as everybody may read them."""
        await self.current(now)
        async with self._database.transaction() as session:
            return [dict(row.public) for row in await store.signing_keys(session, self._purpose)]

    async def _found(self, session: AsyncSession) -> Key | None:
        """The newest key that can be opened; the lock makes sure that two first starts make one key."""
        await store.lock_signing_keys(session)
        for row in await store.signing_keys(session, self._purpose):
            try:
                return self._open(row)
            except (InvalidTag, KeyError):
                log.error("a signing key cannot be opened", kid=row.kid, wrapped_by=row.wrapped_by)
        return None

    def _open(self, row: SigningKeyRow) -> Key:
        nonce, sealed = row.wrapped[:12], row.wrapped[12:]
        plain = AESGCM(self._wrapping[row.wrapped_by]).decrypt(nonce, sealed, row.kid.encode())
        return self._import(json.loads(plain))

    async def _made(self, session: AsyncSession, now: datetime) -> Key:
        kid = f"{self._purpose}-{secrets.token_hex(6)}"
        key = self._make({"kid": kid, "use": "sig"})
        nonce = secrets.token_bytes(12)
        wrapping = self._wrapping[self._wrapping.current]
        sealed = AESGCM(wrapping).encrypt(nonce, json.dumps(key.as_dict(private=True)).encode(), kid.encode())
        session.add(
            SigningKeyRow(
                kid=kid,
                public={name: str(value) for name, value in key.as_dict(private=False).items()},
                wrapped=nonce + sealed,
                wrapped_by=self._wrapping.current,
                created_at=now,
            )
        )
        return key


def for_services(database: Database, wrapping: Keyring) -> Chest[OKPKey]:
    """The keys of service tokens: Ed25519."""
    return Chest(
        database,
        wrapping,
        "tokens",
        lambda said: OKPKey.generate_key("Ed25519", parameters=said, private=True),
        OKPKey.import_key,
    )


def for_tools(database: Database, wrapping: Keyring) -> Chest[RSAKey]:
    """The keys of id tokens: RSA, the one kind every OpenID Connect client knows."""
    return Chest(
        database,
        wrapping,
        "tools",
        lambda said: RSAKey.generate_key(2048, parameters=said, private=True),
        RSAKey.import_key,
    )
