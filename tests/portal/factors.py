"""Identity's doors for second factors and details, in memory: everybody has an app and one passkey."""

from dataclasses import dataclass
from typing import Any

from services.portal.clients import Trouble
from services.portal.factors import FactorsClient
from shared.contracts.identity import (
    AuthenticatorView,
    ChangeView,
    DetailsWish,
    FactorsView,
    NewPasskey,
    PasskeyView,
    RecoveryCodes,
    SecondProof,
    SessionView,
)
from tests.services.conftest import NOON

CODE = "314159"
PASSKEY = "00000000-0000-4000-8000-00000000f001"
CODES = RecoveryCodes(codes=["1111-2222", "3333-4444"])


@dataclass
class FactorsInMemory(FactorsClient):
    """One code is right; what is changed is answered for, not remembered."""

    removed: str = ""

    async def second(self, said: SecondProof) -> SessionView:
        raise Trouble(401, "wrong_code", "This code is not right.")

    async def second_question(self, ticket: str) -> dict[str, Any]:
        return self._question()

    async def question(self, session: str) -> dict[str, Any]:
        return self._question()

    async def factors(self, session: str) -> FactorsView:
        held = PasskeyView(id=PASSKEY, name="My telephone", made_at=NOON, used_at=None)
        return FactorsView(app=NOON, passkeys=[] if self.removed == PASSKEY else [held], recovery_codes=8)

    async def begin_app(self, session: str) -> AuthenticatorView:
        return AuthenticatorView(secret="JBSWY3DPEHPK3PXP", uri="otpauth://totp/Bordereau:x?secret=JBSWY3DPEHPK3PXP")

    async def confirm_app(self, session: str, code: str, key: str) -> RecoveryCodes:
        if code != CODE:
            raise Trouble(401, "wrong_code", "This code is not right.", field="code")
        return CODES

    async def remove_app(self, session: str, key: str) -> None:
        self.removed = "app"

    async def recovery_codes(self, session: str, key: str) -> RecoveryCodes:
        return CODES

    async def passkey_question(self, session: str) -> dict[str, Any]:
        return self._question() | {"user": {"id": "AA", "name": "x", "displayName": "x"}, "rp": {"name": "Bordereau"}}

    async def add_passkey(self, session: str, made: NewPasskey, key: str) -> RecoveryCodes:
        return CODES

    async def remove_passkey(self, session: str, passkey: str, key: str) -> None:
        self.removed = passkey

    async def change_details(self, session: str, wish: DetailsWish, key: str) -> ChangeView:
        return ChangeView(former_name="Marie Curie", former_email="m@x.example", name="M. Curie", email=wish.email)

    async def change(self, secret: str) -> ChangeView:
        if secret != "good":
            raise Trouble(410, "link_expired")
        return ChangeView(
            former_name="Marie Curie", former_email="m@x.example", name="Marie Skłodowska", email="m@x.example"
        )

    async def confirm_change(self, secret: str) -> ChangeView:
        return (await self.change(secret)).model_copy(update={"made": True})

    def _question(self) -> dict[str, Any]:
        return {"challenge": "AAAA", "timeout": 60000}

    async def close(self) -> None:
        pass
