"""Identity's doors for a person's proofs, second factors and details, as the portal sees them."""

from abc import abstractmethod
from typing import Any

from pydantic import TypeAdapter

from services.portal.wire import Client, OverHttp, segment
from shared.contracts.identity import (
    AuthenticatorView,
    ChangeView,
    DetailsWish,
    FactorCode,
    FactorsView,
    NewPasskey,
    RecoveryCodes,
    SecondProof,
    Secret,
    SessionView,
    Ticket,
)

Question = dict[str, Any]
"""What a passkey is to sign, as browsers want it."""
_QUESTION = TypeAdapter(Question)


class FactorsClient(Client):
    """How a person proves himself, and what he is called."""

    @abstractmethod
    async def second(self, said: SecondProof) -> SessionView:
        """The second factor after the password."""

    @abstractmethod
    async def second_question(self, ticket: str) -> Question:
        """What the passkey of somebody who is signing in is to sign."""

    @abstractmethod
    async def question(self, session: str) -> Question:
        """What the passkey of this session's person is to sign."""

    @abstractmethod
    async def factors(self, session: str) -> FactorsView:
        """His second factors."""

    @abstractmethod
    async def begin_app(self, session: str) -> AuthenticatorView:
        """A secret for his authenticator app."""

    @abstractmethod
    async def confirm_app(self, session: str, code: str, key: str) -> RecoveryCodes:
        """The first code of his app."""

    @abstractmethod
    async def remove_app(self, session: str, key: str) -> None:
        """Go without the app."""

    @abstractmethod
    async def recovery_codes(self, session: str, key: str) -> RecoveryCodes:
        """New recovery codes in the place of the old ones."""

    @abstractmethod
    async def passkey_question(self, session: str) -> Question:
        """What his browser is asked when it is to make a passkey."""

    @abstractmethod
    async def add_passkey(self, session: str, made: NewPasskey, key: str) -> RecoveryCodes:
        """His browser has made a passkey."""

    @abstractmethod
    async def remove_passkey(self, session: str, passkey: str, key: str) -> None:
        """Forget one of his passkeys."""

    @abstractmethod
    async def change_details(self, session: str, wish: DetailsWish, key: str) -> ChangeView:
        """Ask for another name or address."""

    @abstractmethod
    async def change(self, secret: str) -> ChangeView:
        """What the link in a letter would change."""

    @abstractmethod
    async def confirm_change(self, secret: str) -> ChangeView:
        """Yes, change it."""


class FactorsOverHttp(OverHttp, FactorsClient):
    """The identity service."""

    async def second(self, said: SecondProof) -> SessionView:
        return SessionView.model_validate_json(await self._wire.ask("POST", "/sessions/second", body=said))

    async def second_question(self, ticket: str) -> Question:
        said = await self._wire.ask("POST", "/sessions/second/question", body=Ticket(ticket=ticket))
        return _QUESTION.validate_json(said)

    async def question(self, session: str) -> Question:
        return _QUESTION.validate_json(await self._wire.ask("POST", "/sessions/current/question", session=session))

    async def factors(self, session: str) -> FactorsView:
        return FactorsView.model_validate_json(await self._wire.ask("GET", "/me/factors", session=session))

    async def begin_app(self, session: str) -> AuthenticatorView:
        return AuthenticatorView.model_validate_json(await self._wire.ask("POST", "/me/authenticator", session=session))

    async def confirm_app(self, session: str, code: str, key: str) -> RecoveryCodes:
        said = await self._wire.ask("PUT", "/me/authenticator", session=session, body=FactorCode(code=code), key=key)
        return RecoveryCodes.model_validate_json(said)

    async def remove_app(self, session: str, key: str) -> None:
        await self._wire.ask("DELETE", "/me/authenticator", session=session, key=key)

    async def recovery_codes(self, session: str, key: str) -> RecoveryCodes:
        said = await self._wire.ask("POST", "/me/recovery-codes", session=session, key=key)
        return RecoveryCodes.model_validate_json(said)

    async def passkey_question(self, session: str) -> Question:
        return _QUESTION.validate_json(await self._wire.ask("POST", "/me/passkeys/question", session=session))

    async def add_passkey(self, session: str, made: NewPasskey, key: str) -> RecoveryCodes:
        said = await self._wire.ask("POST", "/me/passkeys", session=session, body=made, key=key)
        return RecoveryCodes.model_validate_json(said)

    async def remove_passkey(self, session: str, passkey: str, key: str) -> None:
        await self._wire.ask("DELETE", f"/me/passkeys/{segment(passkey)}", session=session, key=key)

    async def change_details(self, session: str, wish: DetailsWish, key: str) -> ChangeView:
        said = await self._wire.ask("POST", "/me/details", session=session, body=wish, key=key)
        return ChangeView.model_validate_json(said)

    async def change(self, secret: str) -> ChangeView:
        said = await self._wire.ask("POST", "/details/opened", body=Secret(secret=secret))
        return ChangeView.model_validate_json(said)

    async def confirm_change(self, secret: str) -> ChangeView:
        said = await self._wire.ask("POST", "/details/confirmations", body=Secret(secret=secret))
        return ChangeView.model_validate_json(said)
