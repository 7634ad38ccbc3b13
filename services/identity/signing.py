"""Service tokens: what the portal shows to the services on a person's behalf, signed and good for a minute or so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt

from services.identity import chest
from services.identity.models import AccountRow, PostRow, SessionRow
from shared.contracts.identity import ServiceToken
from shared.kit.db import Database
from shared.kit.keys import Keyring
from shared.kit.sessions import AUDIENCE, ISSUER


class Signer:
    """Signs service tokens."""

    def __init__(self, database: Database, wrapping: Keyring, lifetime: timedelta) -> None:
        self._keys, self._lifetime = chest.for_services(database, wrapping), lifetime

    async def token(
        self,
        account: AccountRow,
        session: SessionRow,
        posts: Sequence[PostRow],
        now: datetime,
        ways: Sequence[str] = (),
    ) -> ServiceToken:
        """A token with which the portal speaks for this person for a minute or so."""
        key = await self._keys.current(now)
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
        return await self._keys.published(now)
