"""The second factor: codes of an authenticator app, and recovery codes for somebody who has lost it.

One thing to remember: a code is good once. The app's secret is wrapped by the installation's key; of recovery codes
there are digests only.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyotp
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts
from services.identity.models import AccountRow, AuthenticatorRow, PasskeyRow, RecoveryCodeRow
from shared.contracts.identity import FactorsView, PasskeyView
from shared.kit import tokens
from shared.kit.keys import Keyring
from shared.rules.refusals import Refused

ISSUER: Final = "Bordereau"
RECOVERY_CODES: Final = 10
STEP: Final = 30
"""Seconds a code of the app stands on its screen; one before and one after are taken too."""
TO_CONFIRM: Final = timedelta(minutes=15)
CODE, PASSKEY = "code", "passkey"


@dataclass(frozen=True)
class Wrapping:
    """Wraps and opens the secrets of authenticator apps."""

    ring: Keyring

    def wrapped(self, person_id: str, secret: str) -> tuple[bytes, str]:
        """The secret as it is kept, and the id of the key that wraps it."""
        nonce, key = secrets.token_bytes(12), self.ring.current
        return nonce + AESGCM(self.ring[key]).encrypt(nonce, secret.encode(), person_id.encode()), key

    def opened(self, row: AuthenticatorRow) -> str:
        """The secret itself."""
        nonce, sealed = row.wrapped[:12], row.wrapped[12:]
        return AESGCM(self.ring[row.wrapped_by]).decrypt(nonce, sealed, row.person_id.encode()).decode()


async def ways(session: AsyncSession, person_id: str) -> tuple[str, ...]:
    """What a person is asked for besides his password; nothing when he has no second factor."""
    found = await session.execute(
        select(
            select(func.count()).where(
                AuthenticatorRow.person_id == person_id, col(AuthenticatorRow.confirmed_at).is_not(None)
            ).scalar_subquery(),
            select(func.count()).where(PasskeyRow.person_id == person_id).scalar_subquery(),
        )
    )  # fmt: skip
    app, keys = found.one()
    return ((CODE,) if app or keys else ()) + ((PASSKEY,) if keys else ())


async def view(session: AsyncSession, person_id: str) -> FactorsView:
    """The second factors of a person, as he sees them."""
    app = await session.get(AuthenticatorRow, person_id)
    keys = await session.exec(
        select(PasskeyRow).where(PasskeyRow.person_id == person_id).order_by(col(PasskeyRow.made_at), PasskeyRow.id)
    )
    left = await session.exec(
        select(func.count())
        .select_from(RecoveryCodeRow)
        .where(RecoveryCodeRow.person_id == person_id, col(RecoveryCodeRow.used_at).is_(None))
    )
    return FactorsView(
        app=app.confirmed_at if app else None,
        passkeys=[PasskeyView(id=k.id, name=k.name, made_at=k.made_at, used_at=k.used_at) for k in keys.all()],
        recovery_codes=left.one(),
    )


async def begin(session: AsyncSession, wrapping: Wrapping, account: AccountRow, now: datetime) -> tuple[str, str]:
    """A new secret for an app, and its address for the square code; it counts once its first code was typed."""
    row = await session.get(AuthenticatorRow, account.id, with_for_update=True)
    if row is not None and row.confirmed_at is not None:
        raise Refused("already_exists")
    secret = pyotp.random_base32()
    wrapped, by = wrapping.wrapped(account.id, secret)
    row = row or AuthenticatorRow(person_id=account.id, wrapped=wrapped, wrapped_by=by, begun_at=now)
    row.wrapped, row.wrapped_by, row.begun_at, row.last_step = wrapped, by, now, 0
    session.add(row)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=ISSUER)


async def confirm(
    session: AsyncSession, wrapping: Wrapping, account: AccountRow, code: str, now: datetime
) -> list[str] | None:
    """The app's first code: from now on it is asked for. Recovery codes, where there are none yet; None is a no."""
    row = await session.get(AuthenticatorRow, account.id, with_for_update=True)
    if row is None or row.confirmed_at is not None or now > row.begun_at + TO_CONFIRM:
        raise Refused("link_expired")
    step = _step(wrapping, row, code, now)
    if step is None:
        return None
    row.confirmed_at, row.last_step = now, step
    session.add(row)
    await accounts.journal(session, account.id, now, "add_authenticator")
    return await first_codes(session, account.id, now)


async def remove(session: AsyncSession, person_id: str, now: datetime) -> bool:
    """Forget the app; without any factor left, the recovery codes go too."""
    gone = await session.exec(delete(AuthenticatorRow).where(col(AuthenticatorRow.person_id) == person_id))
    if not gone.rowcount:
        return False
    await accounts.journal(session, person_id, now, "remove_authenticator")
    await forget_codes_of_nothing(session, person_id)
    return True


async def forget_codes_of_nothing(session: AsyncSession, person_id: str) -> None:
    """Recovery codes without a factor to recover are no way in."""
    if not await ways(session, person_id):
        await session.exec(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.person_id) == person_id))


async def first_codes(session: AsyncSession, person_id: str, now: datetime) -> list[str]:
    """Recovery codes with the first factor; a second one keeps those there are."""
    there = await session.exec(select(RecoveryCodeRow.digest).where(RecoveryCodeRow.person_id == person_id).limit(1))
    return [] if there.first() else await new_codes(session, person_id, now)


async def new_codes(session: AsyncSession, person_id: str, now: datetime) -> list[str]:
    """New recovery codes in the place of the old ones; shown once."""
    await session.exec(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.person_id) == person_id))
    made = [_made() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCodeRow(digest=_digest(person_id, each), person_id=person_id, made_at=now) for each in made)
    await accounts.journal(session, person_id, now, "recovery_codes")
    return made


async def weigh(
    session: AsyncSession, wrapping: Wrapping, person_id: str, code: str, now: datetime
) -> tuple[bool, bool]:
    """Whether this is a code of the app that was not used before, or a recovery code; and whether it was the latter."""
    row = await session.get(AuthenticatorRow, person_id, with_for_update=True)
    if row is not None and row.confirmed_at is not None:
        step = _step(wrapping, row, code, now)
        if step is not None:
            row.last_step = step
            session.add(row)
            return True, False
    used = await session.exec(
        update(RecoveryCodeRow)
        .where(col(RecoveryCodeRow.digest) == _digest(person_id, code), col(RecoveryCodeRow.used_at).is_(None))
        .values(used_at=now)
    )
    if used.rowcount:
        await accounts.journal(session, person_id, now, "use_recovery_code")
    return bool(used.rowcount), bool(used.rowcount)


def _step(wrapping: Wrapping, row: AuthenticatorRow, code: str, now: datetime) -> int | None:
    """The half minute this code belongs to, if it is one of the app's and later than the last one taken."""
    app, plain = pyotp.TOTP(wrapping.opened(row)), "".join(code.split())
    here = int(now.timestamp()) // STEP
    fits = [step for step in (here - 1, here, here + 1) if pyotp.utils.strings_equal(app.at(step * STEP), plain)]
    return next((step for step in fits if step > row.last_step), None)


def _made() -> str:
    """A recovery code: eighty bits, in groups one can copy by hand."""
    plain = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(plain[place : place + 4] for place in range(0, 16, 4))


def _digest(person_id: str, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return tokens.digest(f"recovery/{person_id}/{plain}")
