"""Accounts of another installation that sign in here too: training with the accounts of production, for example.

We are a tool of that installation (OpenID Connect: authorization code, PKCE). One thing to remember: what comes from
there is who somebody is, never what he may do: roles are asked for here and validated here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, store
from services.identity.links import Mint
from services.identity.models import AccountRow
from services.identity.rules import AccountStatus, email_key, is_language, is_time_zone
from shared.kit import tokens
from shared.kit.http import trusted
from shared.rules.refusals import Refused

BACK: Final = "/sign-in/elsewhere/back"
"""The page here to which the browser comes back; it stands letter by letter in the other installation's settings."""
PATIENCE: Final = timedelta(minutes=10)
SLACK: Final = timedelta(minutes=1)
"""By so much the clocks of two installations may differ."""
ALGORITHMS: Final = ["RS256"]


class Home(BaseModel):
    """The setting: whose accounts sign in here, and what we are called there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    client_id: str = Field(min_length=1, max_length=100)
    secret: SecretStr

    @field_validator("issuer")
    @classmethod
    def _reached_safely(cls, told: str) -> str:
        parts = urlsplit(told)
        near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and near):
            raise ValueError(f"{told} is not reached over TLS")
        return told.rstrip("/")


@dataclass
class Way:
    """There and back."""

    home: Home
    back: str
    mint: Mint
    web: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=10, verify=trusted()))

    async def leave(self, now: datetime, again: bool = False) -> tuple[str, str]:
        """Where the browser goes, and the ticket it shows when it is back; ``again`` has it prove itself there."""
        state, _ = tokens.mint("home")
        known = await self._known()
        said = {
            "response_type": "code", "client_id": self.home.client_id, "redirect_uri": self.back, "state": state,
            "scope": "openid profile email", "nonce": self._made("nonce", state), "code_challenge_method": "S256",
            "code_challenge": create_s256_code_challenge(self._made("verifier", state)),
            **({"prompt": "login"} if again else {}),
        }  # fmt: skip
        ticket = self.mint.seal(f"home|{state}|{(now + PATIENCE).isoformat()}")
        return f"{known['authorization_endpoint']}?{urlencode(said)}", ticket

    async def returned(self, ticket: str, said: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """Who it is that came back; refused ``session_ended`` where we did not send him, or he said no there."""
        try:
            word, state, until = self.mint.unseal(ticket).split("|")
        except (Refused, ValueError):
            raise Refused("session_ended") from None
        ours = (word, said.get("state"), said.get("iss")) == ("home", state, self.home.issuer)
        if not ours or now >= datetime.fromisoformat(until) or not said.get("code"):
            raise Refused("session_ended")
        known = await self._known()
        form = {
            "grant_type": "authorization_code", "code": said["code"], "redirect_uri": self.back,
            "code_verifier": self._made("verifier", state),
        }  # fmt: skip
        as_ourselves = (self.home.client_id, self.home.secret.get_secret_value())
        answer = await self._asked("POST", known["token_endpoint"], data=form, auth=as_ourselves)
        claims = await self._read(str(answer.get("id_token")), known["jwks_uri"])
        audience = claims.get("aud")
        meant = (
            claims.get("iss") == self.home.issuer
            and self.home.client_id in (audience if isinstance(audience, list) else [audience])
            and claims.get("nonce") == self._made("nonce", state)
            and float(claims.get("exp") or 0) > (now - SLACK).timestamp()
        )
        if not meant:
            raise Refused("session_ended")
        bearer = {"Authorization": f"Bearer {answer.get('access_token')}"}
        person = await self._asked("GET", known["userinfo_endpoint"], headers=bearer)
        if person.get("sub") != claims.get("sub") or person.get("email_verified") is not True:
            raise Refused("session_ended")
        return person

    async def _read(self, id_token: str, address: str) -> dict[str, Any]:
        """What an id token says, once its signature is known to be theirs."""
        try:
            keys = KeySet.import_key_set(await self._asked("GET", address))  # type: ignore[arg-type]
            return dict(jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            raise Refused("session_ended") from None

    async def _known(self) -> dict[str, Any]:
        """Where they answer what (OpenID Connect Discovery); believed only where they call themselves as we do."""
        known = await self._asked("GET", f"{self.home.issuer}/.well-known/openid-configuration")
        if known.get("issuer") != self.home.issuer:
            raise Refused("unavailable")
        return known

    def _made(self, what: str, state: str) -> str:
        """A secret of this one way, kept nowhere: made anew from its state."""
        return self.mint.secret(f"home/{what}/{state}", self.mint.current)

    async def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """What the other installation says."""
        try:
            answer = await self.web.request(method, address, **more)
            said = answer.json()
        except (httpx2.HTTPError, json.JSONDecodeError):
            raise Refused("unavailable") from None
        if answer.status_code >= 500 or not isinstance(said, dict):
            raise Refused("unavailable")
        if answer.status_code >= 400:
            raise Refused("session_ended")
        return said


async def account_of(session: AsyncSession, person: Mapping[str, Any], now: datetime) -> AccountRow:
    """The account here of a person of there: the same id, else the same address; born when he first comes.

    Refused ``account_blocked`` where it is closed here: that is decided here.
    """
    email, there = str(person.get("email") or ""), str(person.get("sub") or "")
    if not _is_id(there) or not email:
        raise Refused("malformed")
    await accounts.lock_address(session, email_key(email))
    account = await store.account(session, there) or await store.account_by_email(session, email)
    if account is None:
        language, zone = str(person.get("locale") or ""), str(person.get("zoneinfo") or "")
        account = AccountRow(
            id=there,
            first_name=str(person.get("given_name") or ""),
            last_name=str(person.get("family_name") or ""),
            email=email,
            email_key=email_key(email),
            status=AccountStatus.ACTIVE,
            language=language if is_language(language) else "en",
            time_zone=zone if is_time_zone(zone) else "Europe/Paris",
            created_at=now,
            due_at=accounts.first_warning(now),
        )
        await accounts.begin(session, account, now, reason="home")
    if account.status != AccountStatus.ACTIVE:
        raise Refused("account_blocked")
    return account


def _is_id(told: str) -> bool:
    try:
        return str(UUID(told)) == told
    except ValueError:
        return False
