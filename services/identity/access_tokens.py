"""Access tokens: with them an organisation's programs come to our doors. Its administrator mints and revokes them.

One thing to remember: the secret is made from the installation's key and the order's own, so the same order told twice
gets the same answer, and the database keeps nothing but a digest.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import AccessTokenRow, OrganisationRow
from shared.contracts.machines import Bearer, MintedToken, NewToken, Scope, TokenView
from shared.kit import tokens
from shared.kit.keys import Keyring
from shared.kit.sessions import MACHINE
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

MOST = 50
"""Tokens of one organisation that are good at the same time."""
USED_EVERY = timedelta(minutes=1)
"""How exactly we remember when a token was last used."""


async def known(session: AsyncSession, organisation_id: str) -> list[TokenView]:
    """The tokens of an organisation, newest first."""
    rows = await session.exec(
        select(AccessTokenRow)
        .where(AccessTokenRow.organisation_id == organisation_id)
        .order_by(col(AccessTokenRow.created_at).desc(), col(AccessTokenRow.id))
        .limit(200)
    )
    return [_view(row) for row in rows]


async def mint(
    session: AsyncSession, actor: Actor, new: NewToken, key: str, ring: Keyring, now: datetime
) -> MintedToken:
    """A fresh token with its secret; the same order gets the same."""
    told = hashlib.sha256(f"{actor.person_id} {actor.organisation_id} {key}".encode()).hexdigest()
    made = hmac.new(ring[ring.current], told.encode(), hashlib.sha256).digest()
    secret = MACHINE + base64.urlsafe_b64encode(made).decode().rstrip("=")
    row = (await session.exec(select(AccessTokenRow).where(AccessTokenRow.key == told))).one_or_none()
    scopes = [scope.value for scope in Scope if scope in new.scopes]
    if row is None:
        live = select(func.count()).where(
            AccessTokenRow.organisation_id == actor.organisation_id,
            col(AccessTokenRow.revoked_at).is_(None),
            col(AccessTokenRow.expires_at) > now,
        )
        if (await session.exec(live)).one() >= MOST:
            raise Refused("too_large", field="name", limit=MOST)
        row = AccessTokenRow(
            id=str(uuid5(NAMESPACE_OID, told)),
            key=told,
            digest=tokens.digest(secret),
            beginning=secret[: len(MACHINE) + 6],
            organisation_id=actor.organisation_id,
            role_type=actor.role_type,
            name=new.name.strip(),
            scopes=scopes,
            created_at=now,
            created_by=actor.person_id,
            creator=actor.name,
            expires_at=now + timedelta(days=new.days),
        )
        session.add(row)
        await session.flush()
    elif (row.name, row.scopes, row.digest) != (new.name.strip(), scopes, tokens.digest(secret)):
        raise Refused("key_reused", field="Idempotency-Key")
    return MintedToken(token=_view(row), secret=secret)


async def revoke(session: AsyncSession, organisation_id: str, token_id: str, now: datetime) -> None:
    """A token is no longer good; harmless when it was not."""
    await session.execute(
        update(AccessTokenRow)
        .where(
            col(AccessTokenRow.id) == token_id,
            col(AccessTokenRow.organisation_id) == organisation_id,
            col(AccessTokenRow.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


async def presented(session: AsyncSession, digest: str, now: datetime) -> Bearer:
    """Whom the token with this digest speaks for, if it is good now; it counts as used."""
    found = await session.exec(
        select(AccessTokenRow, OrganisationRow)
        .join(OrganisationRow, col(OrganisationRow.id) == col(AccessTokenRow.organisation_id))
        .where(
            AccessTokenRow.digest == digest,
            col(AccessTokenRow.revoked_at).is_(None),
            col(AccessTokenRow.expires_at) > now,
            OrganisationRow.status == "VALID",
        )
    )
    pair = found.one_or_none()
    if pair is None:
        raise Refused("not_found")
    row = pair[0]
    await session.execute(
        update(AccessTokenRow)
        .where(
            col(AccessTokenRow.id) == row.id,
            or_(col(AccessTokenRow.last_used_at).is_(None), col(AccessTokenRow.last_used_at) <= now - USED_EVERY),
        )
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    return Bearer(
        id=row.id,
        name=f"{row.name} ({row.beginning}…)",
        organisation_id=row.organisation_id,
        role_type=row.role_type,
        scopes=[Scope(each) for each in row.scopes],
        expires_at=row.expires_at,
    )


def _view(row: AccessTokenRow) -> TokenView:
    return TokenView(
        id=row.id,
        name=row.name,
        beginning=row.beginning,
        scopes=[Scope(each) for each in row.scopes],
        created_at=row.created_at,
        created_by=row.creator,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
