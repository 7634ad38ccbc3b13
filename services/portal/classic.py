"""Identity's doors for classic accounts, as the portal sees them: the form, its letter, and an authority's users."""

from abc import abstractmethod
from typing import Any

from pydantic import TypeAdapter

from services.portal.wire import Caller, Client, OverHttp, segment
from shared.contracts.identity import Secret
from shared.contracts.users import (
    Answered,
    Asked,
    ClassicRegistration,
    ClassicTaken,
    Confirmed,
    NewQuestion,
    OwnPassword,
    OwnPasswordForm,
    TemporarySignIn,
    UserEdit,
    UserPage,
    UserResult,
    UserStep,
    UserSteps,
    UserView,
)

_RESULTS = TypeAdapter(list[UserResult])
_MAYBE = TypeAdapter(UserView | None)


class ClassicClient(Client):
    """Classic accounts: registering, and looking after those who did."""

    @abstractmethod
    async def register(self, form: ClassicRegistration, key: str) -> ClassicTaken:
        """A request of the classic kind."""

    @abstractmethod
    async def open(self, secret: str) -> Asked:
        """The link of the confirmation letter was clicked."""

    @abstractmethod
    async def answer(self, said: Answered, key: str) -> Confirmed:
        """The request is confirmed, or disowned."""

    @abstractmethod
    async def temporary(self, attempt: TemporarySignIn) -> OwnPasswordForm:
        """A temporary password was typed."""

    @abstractmethod
    async def choose(self, chosen: OwnPassword, key: str) -> None:
        """One's own password in its place."""

    @abstractmethod
    async def users(self, caller: Caller, **wishes: Any) -> UserPage:
        """Search: email, name, postal_code, organisation, state, sort, after, limit."""

    @abstractmethod
    async def user(self, caller: Caller, user_id: str) -> UserView:
        """One user, opened."""

    @abstractmethod
    async def correct(self, caller: Caller, user_id: str, edit: UserEdit, key: str) -> UserView | None:
        """Correct him; None where he is somebody else's from now on."""

    @abstractmethod
    async def decide(self, caller: Caller, user_id: str, step: UserStep, key: str) -> UserView | None:
        """One decision about him."""

    @abstractmethod
    async def decide_several(self, caller: Caller, steps: UserSteps, key: str) -> list[UserResult]:
        """The same decision about several; what came of each."""

    @abstractmethod
    async def set_question(self, caller: Caller, user_id: str, new: NewQuestion, key: str) -> UserView:
        """A new secret question, by a platform administrator."""


class ClassicOverHttp(OverHttp, ClassicClient):
    """The identity service."""

    async def register(self, form: ClassicRegistration, key: str) -> ClassicTaken:
        said = await self._wire.ask("POST", "/registrations/classic", body=form, key=key)
        return ClassicTaken.model_validate_json(said)

    async def open(self, secret: str) -> Asked:
        said = await self._wire.ask("POST", "/registrations/classic/opened", body=Secret(secret=secret))
        return Asked.model_validate_json(said)

    async def answer(self, said: Answered, key: str) -> Confirmed:
        answer = await self._wire.ask("POST", "/registrations/classic/answers", body=said, key=key)
        return Confirmed.model_validate_json(answer)

    async def temporary(self, attempt: TemporarySignIn) -> OwnPasswordForm:
        return OwnPasswordForm.model_validate_json(await self._wire.ask("POST", "/passwords/temporary", body=attempt))

    async def choose(self, chosen: OwnPassword, key: str) -> None:
        await self._wire.ask("POST", "/passwords/own", body=chosen, key=key)

    async def users(self, caller: Caller, **wishes: Any) -> UserPage:
        return UserPage.model_validate_json(await self._wire.ask("GET", "/users", caller, params=wishes))

    async def user(self, caller: Caller, user_id: str) -> UserView:
        return UserView.model_validate_json(await self._wire.ask("GET", f"/users/{segment(user_id)}", caller))

    async def correct(self, caller: Caller, user_id: str, edit: UserEdit, key: str) -> UserView | None:
        said = await self._wire.ask("PUT", f"/users/{segment(user_id)}", caller, body=edit, key=key)
        return _MAYBE.validate_json(said)

    async def decide(self, caller: Caller, user_id: str, step: UserStep, key: str) -> UserView | None:
        said = await self._wire.ask("POST", f"/users/{segment(user_id)}/actions", caller, body=step, key=key)
        return _MAYBE.validate_json(said)

    async def decide_several(self, caller: Caller, steps: UserSteps, key: str) -> list[UserResult]:
        return _RESULTS.validate_json(await self._wire.ask("POST", "/users/actions", caller, body=steps, key=key))

    async def set_question(self, caller: Caller, user_id: str, new: NewQuestion, key: str) -> UserView:
        said = await self._wire.ask("PUT", f"/users/{segment(user_id)}/question", caller, body=new, key=key)
        return UserView.model_validate_json(said)
