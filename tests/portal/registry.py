"""Identity's doors for people without a way in, in memory: it takes every form and opens every link called "good"."""

from dataclasses import dataclass, field

from altcha import create_challenge

from services.identity.rules import PASSWORD_RULES, Wearer, missing
from services.portal.accounts import AccountsClient
from services.portal.clients import Trouble
from shared.contracts.certificate_views import ProblemView
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
    RuleView,
    Secret,
)
from shared.rules.sentences import SENTENCES
from tests.services.conftest import NOON

REGISTRATION = "00000000-0000-4000-8000-00000000ae61"
CHALLENGE = create_challenge("SHA-256", 1, key_prefix="00", hmac_secret="nobody checks").to_dict()


@dataclass
class AccountsInMemory(AccountsClient):
    """Remembers what was sent to it."""

    taken: list[Registration] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    chosen: list[NewPassword] = field(default_factory=list)

    async def challenge(self) -> Challenge:
        return Challenge(challenge=CHALLENGE)

    async def register(self, form: Registration, key: str) -> RegistrationView:
        if form.email != form.email_again:
            raise self.problem("email_again", "addresses_differ")
        self.taken.append(form)
        return RegistrationView(id=REGISTRATION, minutes=90)

    async def renew(self, registration_id: str, key: str) -> None:
        self.asked.append(registration_id)

    async def renew_expired(self, secret: str, key: str) -> RegistrationView:
        self.asked.append(secret)
        return RegistrationView(id=REGISTRATION, minutes=90)

    async def open(self, secret: str) -> Opened:
        if Secret(secret=secret).secret != "good":
            raise Trouble(410, "link_expired")
        return Opened(form="the-form", good_until=NOON, name="Ann O'Neill", email="ann@tarn.example")

    async def choose(self, chosen: NewPassword, key: str) -> None:
        if lacks := missing(chosen.password, Wearer()):
            raise self.problem("password", lacks[0])
        if chosen.form != "the-form":
            raise Trouble(410, "link_expired")
        self.chosen.append(chosen)

    async def meter(self, draft: Draft) -> Meter:
        lacks = missing(draft.password, Wearer())
        rules = [RuleView(code=r.code, says=SENTENCES[r.code], holds=r.code not in lacks) for r in PASSWORD_RULES]
        return Meter(rules=rules, fits=not lacks)

    async def ask_password(self, email: str, key: str) -> None:
        if "@" not in email:
            raise self.problem("email", "not_an_address")
        self.asked.append(email)

    async def sessions(self, session: str) -> list[OpenSession]:
        here = OpenSession(id=REGISTRATION, opened_at=NOON, seen_at=NOON, device="Firefox", source="", current=True)
        return [here, here.model_copy(update={"id": REGISTRATION[:-1] + "2", "device": "Chrome", "current": False})]

    async def end_sessions(self, session: str) -> None:
        self.asked.append("everywhere")

    async def end_session(self, session: str, session_id: str) -> None:
        self.asked.append(session_id)

    async def change_password(self, session: str, wish: PasswordChange, key: str) -> None:
        if missing(wish.password, Wearer()):
            raise self.problem("password", "password_short")
        if wish.present == "wrong":
            raise Trouble(401, "bad_credentials")
        self.asked.append("changed")

    async def close(self) -> None:
        pass

    @staticmethod
    def problem(where: str, code: str) -> Trouble:
        """What identity says when something in a form is not right."""
        view = ProblemView(field=where, box=None, title="", code=code, message=SENTENCES[code])
        return Trouble(422, "incomplete", problems=(view,))
