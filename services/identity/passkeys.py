"""Passkeys: the browser's own key proves the person, on this site and no other.

One thing to remember: what is to be signed is made here, kept as a digest, and good once; the private half of the key
never leaves the person's device.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.identity import accounts, second_factor
from services.identity.models import AccountRow, CeremonyRow, PasskeyRow
from shared.kit import tokens
from shared.rules.refusals import Refused

LIFETIME: Final = timedelta(minutes=10)
ADD, USE = "add", "use"
MOST: Final = 20
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Site:
    """The web site passkeys are for: its name for browsers, and the addresses its pages come from."""

    rp_id: str
    origins: tuple[str, ...]

    @classmethod
    def at(cls, portal_url: str) -> "Site":
        """The site at this address. Browsers know no passkeys for a bare IP: on this machine it is ``localhost``."""
        address = urlsplit(portal_url)
        host, port = address.hostname or "", f":{address.port}" if address.port else ""
        if host in _LOOPBACK:
            return cls("localhost", (f"{address.scheme}://localhost{port}",))
        return cls(host, (f"{address.scheme}://{address.netloc}",))


async def to_add(session: AsyncSession, site: Site, account: AccountRow, now: datetime) -> dict[str, Any]:
    """What the browser is asked when a passkey is to be made."""
    known = await _of(session, account.id)
    if len(known) >= MOST:
        raise Refused("invalid", field="passkey")
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=second_factor.ISSUER,
        user_id=UUID(account.id).bytes,
        user_name=account.email,
        user_display_name=f"{account.first_name} {account.last_name}".strip(),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    await _ask(session, options.challenge, account.id, ADD, now)
    return dict(json.loads(webauthn.options_to_json(options)))


async def to_use(session: AsyncSession, site: Site, person_id: str, now: datetime) -> dict[str, Any]:
    """What the browser is asked when a passkey is to prove its owner."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in await _of(session, person_id)
        ],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    await _ask(session, options.challenge, person_id, USE, now)
    return dict(json.loads(webauthn.options_to_json(options)))


async def add(
    session: AsyncSession, site: Site, account: AccountRow, said: dict[str, Any], name: str, now: datetime
) -> list[str] | None:
    """A passkey was made: from now on it proves its owner. Recovery codes with the first factor; None is a no."""
    challenge = await _asked(session, said, account.id, ADD, now)
    if challenge is None:
        return None
    try:
        made = webauthn.verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    key = bytes_to_base64url(made.credential_id)
    if await session.get(PasskeyRow, key) is not None:
        raise Refused("already_exists")
    session.add(
        PasskeyRow(
            id=key,
            person_id=account.id,
            public_key=made.credential_public_key,
            counter=made.sign_count,
            name=name[:60],
            made_at=now,
        )
    )
    await accounts.journal(session, account.id, now, "add_passkey")
    return await second_factor.first_codes(session, account.id, now)


async def weigh(session: AsyncSession, site: Site, person_id: str, said: dict[str, Any], now: datetime) -> bool:
    """Whether one of the person's passkeys has signed what it was asked to."""
    challenge = await _asked(session, said, person_id, USE, now)
    row = await session.get(PasskeyRow, str(said.get("id", "")), with_for_update=True)
    if challenge is None or row is None or row.person_id != person_id:
        return False
    try:
        proved = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            credential_public_key=row.public_key,
            credential_current_sign_count=row.counter,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    row.counter, row.used_at = proved.new_sign_count, now
    session.add(row)
    return True


async def remove(session: AsyncSession, person_id: str, key: str, now: datetime) -> bool:
    """Forget a passkey of a person's own."""
    gone = await session.exec(
        delete(PasskeyRow).where(col(PasskeyRow.id) == key, col(PasskeyRow.person_id) == person_id)
    )
    if not gone.rowcount:
        return False
    await accounts.journal(session, person_id, now, "remove_passkey")
    await second_factor.forget_codes_of_nothing(session, person_id)
    return True


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Questions nobody answered are forgotten."""
    await session.exec(delete(CeremonyRow).where(col(CeremonyRow.expires_at) < now))


async def _of(session: AsyncSession, person_id: str) -> list[PasskeyRow]:
    rows = await session.exec(select(PasskeyRow).where(PasskeyRow.person_id == person_id).order_by(PasskeyRow.id))
    return list(rows.all())


async def _ask(session: AsyncSession, challenge: bytes, person_id: str, purpose: str, now: datetime) -> None:
    session.add(
        CeremonyRow(
            digest=tokens.digest(bytes_to_base64url(challenge)),
            person_id=person_id,
            purpose=purpose,
            expires_at=now + LIFETIME,
        )
    )
    await session.flush()


async def _asked(
    session: AsyncSession, said: dict[str, Any], person_id: str, purpose: str, now: datetime
) -> bytes | None:
    """What was to be signed, if we asked it of this person a moment ago; asked once, answered once."""
    try:
        client = json.loads(base64url_to_bytes(str(said["response"]["clientDataJSON"])))
        challenge = base64url_to_bytes(str(client["challenge"]))
    except (ValueError, KeyError, TypeError):
        return None
    gone = await session.exec(
        delete(CeremonyRow).where(
            col(CeremonyRow.digest) == tokens.digest(bytes_to_base64url(challenge)),
            col(CeremonyRow.person_id) == person_id,
            col(CeremonyRow.purpose) == purpose,
            col(CeremonyRow.expires_at) > now,
        )
    )
    return challenge if gone.rowcount else None
