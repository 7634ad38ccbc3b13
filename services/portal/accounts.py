"""The identity service's doors for people without a way in, as the portal sees them: registration, links, passwords.

One thing to remember: whatever is asked carries the address of the browser that asks, so that limits hold for it and
not for the portal.
"""

from abc import abstractmethod

from pydantic import TypeAdapter

from services.portal.wire import Client, OverHttp, segment
from shared.contracts.identity import (
    Challenge,
    Draft,
    Meter,
    NewPassword,
    Opened,
    OpenSession,
    PasswordChange,
    Registration,
    RegistrationView,
    ResetWish,
    Secret,
)


class AccountsClient(Client):
    """Accounts before and besides a session."""

    @abstractmethod
    async def challenge(self) -> Challenge:
        """A proof of work for the browser of whoever registers."""

    @abstractmethod
    async def register(self, form: Registration, key: str) -> RegistrationView:
        """A registration of the EU-Login kind."""

    @abstractmethod
    async def renew(self, registration_id: str, key: str) -> None:
        """Another letter, please."""

    @abstractmethod
    async def renew_expired(self, secret: str, key: str) -> RegistrationView:
        """A new link in the place of one that has expired."""

    @abstractmethod
    async def open(self, secret: str) -> Opened:
        """A link was clicked."""

    @abstractmethod
    async def choose(self, chosen: NewPassword, key: str) -> None:
        """A password was chosen behind a link."""

    @abstractmethod
    async def meter(self, draft: Draft) -> Meter:
        """What a password still lacks."""

    @abstractmethod
    async def ask_password(self, email: str, key: str) -> None:
        """A new password, please."""

    @abstractmethod
    async def sessions(self, session: str) -> list[OpenSession]:
        """Where the person of this session is signed in."""

    @abstractmethod
    async def end_sessions(self, session: str) -> None:
        """Sign out everywhere."""

    @abstractmethod
    async def end_session(self, session: str, session_id: str) -> None:
        """End another of his sessions."""

    @abstractmethod
    async def change_password(self, session: str, wish: PasswordChange, key: str) -> None:
        """Change the password, knowing the present one."""


class AccountsOverHttp(OverHttp, AccountsClient):
    """The identity service."""

    async def challenge(self) -> Challenge:
        return Challenge.model_validate_json(await self._wire.ask("GET", "/registrations/challenge"))

    async def register(self, form: Registration, key: str) -> RegistrationView:
        said = await self._wire.ask("POST", "/registrations", body=form, key=key)
        return RegistrationView.model_validate_json(said)

    async def renew(self, registration_id: str, key: str) -> None:
        await self._wire.ask("POST", f"/registrations/{segment(registration_id)}/links", key=key)

    async def renew_expired(self, secret: str, key: str) -> RegistrationView:
        said = await self._wire.ask("POST", "/links/renewals", body=Secret(secret=secret), key=key)
        return RegistrationView.model_validate_json(said)

    async def open(self, secret: str) -> Opened:
        return Opened.model_validate_json(await self._wire.ask("POST", "/links/opened", body=Secret(secret=secret)))

    async def choose(self, chosen: NewPassword, key: str) -> None:
        await self._wire.ask("POST", "/passwords", body=chosen, key=key)

    async def meter(self, draft: Draft) -> Meter:
        return Meter.model_validate_json(await self._wire.ask("POST", "/passwords/meter", body=draft))

    async def ask_password(self, email: str, key: str) -> None:
        await self._wire.ask("POST", "/password-resets", body=ResetWish(email=email), key=key)

    async def sessions(self, session: str) -> list[OpenSession]:
        said = await self._wire.ask("GET", "/me/sessions", session=session)
        return TypeAdapter(list[OpenSession]).validate_json(said)

    async def end_sessions(self, session: str) -> None:
        await self._wire.ask("DELETE", "/me/sessions", session=session)

    async def end_session(self, session: str, session_id: str) -> None:
        await self._wire.ask("DELETE", f"/me/sessions/{segment(session_id)}", session=session)

    async def change_password(self, session: str, wish: PasswordChange, key: str) -> None:
        await self._wire.ask("PUT", "/me/password", session=session, body=wish, key=key)
