"""Signing keys: made at first need, kept in the database with their private half wrapped by the installation's key.

All instances sign with the same key, and whoever only has the database can sign nothing. A chest holds the keys of one
purpose; the purpose is the beginning of their names.

One thing to remember: a new key is published a while before it signs, and the one before it stays published until
nothing it has signed is good any more. Which of them signs is told by the time alone, so all instances change together.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

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
AHEAD: Final = timedelta(hours=1)
"""So long a new key is published before it signs: whoever keeps public keys has read it by then."""
REREAD: Final = timedelta(minutes=1)
"""So often an instance looks whether there is a new key."""


@dataclass(frozen=True)
class Rotation:
    """A new key: from when on it signs, and until when those before it are published."""

    kid: str
    signs_at: datetime
    retires_at: datetime


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
        self._kept: list[tuple[datetime, Key]] = []
        self._read_at: datetime | None = None

    async def current(self, now: datetime) -> Key:
        """The key to sign with: the newest that everybody has had the time to read, else the oldest there is."""
        if self._read_at is None or not timedelta() <= now - self._read_at < REREAD:
            async with self._database.transaction() as session:
                self._kept = self._opened(await store.signing_keys(session, self._purpose, now))
                if not self._kept:
                    self._kept = await self._first(session, now)
            self._read_at = now
        ready = [key for made, key in self._kept if made + AHEAD <= now]
        return ready[0] if ready else self._kept[-1][1]

    async def published(self, now: datetime) -> list[dict[str, Any]]:
        """The public halves of all keys in use, as everybody may read them."""
        await self.current(now)
        async with self._database.transaction() as session:
            return [dict(row.public) for row in await store.signing_keys(session, self._purpose, now)]

    async def rotate(self, now: datetime, lifetime: timedelta, at_once: bool = False) -> Rotation:
        """A new key; those before it go when all they have signed is over, or at once where one got into wrong hands.

        An instance that has not looked again yet signs with the old key for a moment longer: that is counted in.
        """
        retires_at = now if at_once else now + AHEAD + REREAD + lifetime
        async with self._database.transaction() as session:
            await store.lock_signing_keys(session)
            await store.retire_signing_keys(session, self._purpose, retires_at)
            kid = str((await self._made(session, now)).kid)
        self._read_at = None
        return Rotation(kid, now if at_once else now + AHEAD, retires_at)

    async def _first(self, session: AsyncSession, now: datetime) -> list[tuple[datetime, Key]]:
        """The first key; the lock makes sure that two first starts make one."""
        await store.lock_signing_keys(session)
        found = self._opened(await store.signing_keys(session, self._purpose, now))
        return found or [(now, await self._made(session, now))]

    def _opened(self, rows: Sequence[SigningKeyRow]) -> list[tuple[datetime, Key]]:
        """Those of them that the installation's secret opens, with the moment each was made."""
        opened = []
        for row in rows:
            try:
                opened.append((row.created_at, self._open(row)))
            except (InvalidTag, KeyError):
                log.error("a signing key cannot be opened", kid=row.kid, wrapped_by=row.wrapped_by)
        return opened

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
