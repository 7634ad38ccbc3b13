"""The key that signs service tokens, and the tokens themselves.

The key is made at the first start and lives in the database, its private half wrapped by the installation's key: all
instances sign with the same one, and whoever only has the database can sign nothing.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import store
from services.identity.models import AccountRow, PostRow, SessionRow, SigningKeyRow
from shared.contracts.identity import ServiceToken
from shared.kit.db import Database
from shared.kit.keys import Keyring
from shared.kit.log import logger
from shared.kit.sessions import AUDIENCE, ISSUER

log = logger("signing")


class Signer:
    """Signs service tokens with the newest key it can open."""

    def __init__(self, database: Database, wrapping: Keyring, lifetime: timedelta) -> None:
        self._database, self._wrapping, self._lifetime = database, wrapping, lifetime
        self._key: OKPKey | None = None

    async def token(
        self,
        account: AccountRow,
        session: SessionRow,
        posts: Sequence[PostRow],
        now: datetime,
        ways: Sequence[str] = (),
    ) -> ServiceToken:
        """A token with which the portal speaks for this person for a minute or so."""
        key = await self._current(now)
        expires_at = (now + self._lifetime).replace(microsecond=0)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "sub": account.id,
            "sid": session.id,
            "name": f"{account.first_name} {account.last_name}".strip(),
            "language": account.language,
            "time_zone": account.time_zone,
            "proved_at": int(session.proved_at.timestamp()) if session.proved_at else None,
            "posts": [
                {"organisation": each.organisation_id, "role_type": each.role_type, "administrator": each.administrator}
                for each in posts
            ],
        }
        token = jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
        return ServiceToken(token=token, expires_at=expires_at, proved_at=session.proved_at, ways=list(ways))

    async def published(self, now: datetime) -> list[dict[str, Any]]:
        """The public halves of all keys in use, as everybody may read them."""
        await self._current(now)
        async with self._database.transaction() as session:
            return [dict(row.public) for row in await store.signing_keys(session)]

    async def _current(self, now: datetime) -> OKPKey:
        if self._key is None:
            async with self._database.transaction() as session:
                self._key = await self._found(session) or await self._made(session, now)
        return self._key

    async def _found(self, session: AsyncSession) -> OKPKey | None:
        """The newest key that can be opened; the lock makes sure that two first starts make one key."""
        await store.lock_signing_keys(session)
        for row in await store.signing_keys(session):
            try:
                return self._open(row)
            except (InvalidTag, KeyError):
                log.error("a signing key cannot be opened", kid=row.kid, wrapped_by=row.wrapped_by)
        return None

    def _open(self, row: SigningKeyRow) -> OKPKey:
        nonce, sealed = row.wrapped[:12], row.wrapped[12:]
        plain = AESGCM(self._wrapping[row.wrapped_by]).decrypt(nonce, sealed, row.kid.encode())
        return OKPKey.import_key(json.loads(plain))

    async def _made(self, session: AsyncSession, now: datetime) -> OKPKey:
        kid = f"tokens-{secrets.token_hex(6)}"
        key = OKPKey.generate_key("Ed25519", parameters={"kid": kid, "use": "sig"}, private=True)
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
