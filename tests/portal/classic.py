"""Identity's doors for classic accounts, in memory: every form is taken, one request waits, one account is valid."""

from dataclasses import dataclass, field
from typing import Any

from services.identity.rules import Wearer, missing
from services.portal.classic import ClassicClient
from services.portal.clients import Caller, Trouble
from shared.contracts.users import (
    Answered,
    Asked,
    AuthorityView,
    ClassicRegistration,
    ClassicTaken,
    Confirmed,
    Establishment,
    NewQuestion,
    OwnPassword,
    OwnPasswordForm,
    Reach,
    TemporarySignIn,
    UserEdit,
    UserLine,
    UserPage,
    UserResult,
    UserRow,
    UserStep,
    UserSteps,
    UserView,
)
from shared.rules.sentences import SENTENCES
from tests.portal.registry import REGISTRATION, AccountsInMemory
from tests.services.conftest import NOON

ANN = "00000000-0000-4000-8000-00000000a111"
PAUL = "00000000-0000-4000-8000-00000000a112"
DDPP = AuthorityView(
    id="00000000-0000-4000-8000-000000000031",
    name="DDPP de la Haute-Garonne",
    code="FRDDPP31",
    address="58 boulevard Maurice-Trubert, 31074 Toulouse",
    contacts=[{"kind": "email", "value": "contact@ddpp31.example"}],
)
LAPUJADE = Establishment(
    name="Lapujade Bio", address="27 chemin de Lapujade", postal_code="31200", city="Toulouse", country="FR"
)
TEMPORARY = "TR004711004711"
MAY = {"CONFIRMED": ["activate", "refuse", "correct"], "VALID": ["reset_password", "delete", "correct"]}


def user(user_id: str, first_name: str, status: str, **more: Any) -> UserView:
    """One user of a territory."""
    lines = [
        UserLine(at=NOON, action="confirm"),
        UserLine(at=NOON, action="correct", person="Odile Faure", organisation=DDPP.name, reason="last_name, reach"),
        UserLine(at=NOON, action="reset_password"),
        UserLine(at=NOON, action="reset_password", person="Odile Faure", organisation=DDPP.name, reason="Forgotten"),
    ]
    return UserView(
        id=user_id, revision=7, status=status, first_name=first_name, last_name="O'Neill",
        email=f"{first_name.lower()}@tarn.example", organisation=LAPUJADE, since=NOON, may=MAY.get(status, []),
        language="en", html=True, reach=Reach(phone="+33 5 00 00 00 00"), authority=DDPP, lines=lines, **more,
    )  # fmt: skip


@dataclass
class ClassicInMemory(ClassicClient):
    """Remembers what was sent to it."""

    users_: dict[str, UserView] = field(
        default_factory=lambda: {
            ANN: user(ANN, "Ann", "CONFIRMED", due_at=NOON, late=True),
            PAUL: user(PAUL, "Paul", "VALID", signed_in_at=NOON),
        }
    )
    taken: list[ClassicRegistration] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    chosen: list[OwnPassword] = field(default_factory=list)
    steps: list[UserStep | UserSteps | UserEdit | NewQuestion] = field(default_factory=list)
    wished: list[dict[str, Any]] = field(default_factory=list)
    asks: str = "answer"
    seen_by: str | None = None
    """The one authority whose users they are."""

    async def register(self, form: ClassicRegistration, key: str) -> ClassicTaken:
        if lacks := missing(form.password, Wearer()):
            raise AccountsInMemory.problem("password", lacks[0])
        if not form.organisation.postal_code:
            raise AccountsInMemory.problem("organisation.postal_code", "postal_code_wrong")
        self.taken.append(form)
        return ClassicTaken(id=REGISTRATION, days=7)

    async def open(self, secret: str) -> Asked:
        if secret != "good":
            raise Trouble(410, "link_expired")
        return Asked(
            form="the-form", good_until=NOON, name="Ann O'Neill", email="ann@tarn.example", organisation=LAPUJADE,
            authority=DDPP,
        )  # fmt: skip

    async def answer(self, said: Answered, key: str) -> Confirmed:
        if said.form != "the-form":
            raise Trouble(410, "link_expired")
        self.answered.append(said)
        return Confirmed(state="CONFIRMED" if said.mine else "EXPIRED", authority=DDPP if said.mine else None)

    async def temporary(self, attempt: TemporarySignIn) -> OwnPasswordForm:
        if attempt.password != TEMPORARY:
            raise Trouble(401, "bad_credentials", SENTENCES["bad_credentials"])
        return OwnPasswordForm(
            form="the-form", good_until=NOON, name="Ann O'Neill", email=attempt.email, asks=self.asks
        )

    async def choose(self, chosen: OwnPassword, key: str) -> None:
        if chosen.form != "the-form":
            raise Trouble(410, "link_expired")
        if self.asks == "answer" and chosen.answer != "Zorro":
            raise AccountsInMemory.problem("answer", "answer_wrong")
        self.chosen.append(chosen)

    async def users(self, caller: Caller, **wishes: Any) -> UserPage:
        self.wished.append({name: value for name, value in wishes.items() if value})
        state = wishes.get("state") or ""
        rows = [
            UserRow(**each.model_dump(include=set(UserRow.model_fields)))
            for each in self.users_.values()
            if state in ("", each.status) and (wishes.get("email") or "") in each.email
        ]
        return UserPage(items=rows, next=None, waiting=1)

    async def user(self, caller: Caller, user_id: str) -> UserView:
        if user_id not in self.users_ or self.seen_by not in (None, caller.organisation_id):
            raise Trouble(404, "not_found", SENTENCES["not_found"])
        return self.users_[user_id]

    async def correct(self, caller: Caller, user_id: str, edit: UserEdit, key: str) -> UserView | None:
        if not edit.first_name:
            raise AccountsInMemory.problem("first_name", "field_needed")
        self.steps.append(edit)
        return await self.user(caller, user_id) if edit.organisation.postal_code.startswith("31") else None

    async def decide(self, caller: Caller, user_id: str, step: UserStep, key: str) -> UserView | None:
        if step.action != "activate" and not step.reason:
            raise AccountsInMemory.problem("reason", "field_needed")
        if step.revision != (await self.user(caller, user_id)).revision:
            raise Trouble(409, "already_decided", SENTENCES["already_decided"])
        self.steps.append(step)
        return await self.user(caller, user_id)

    async def decide_several(self, caller: Caller, steps: UserSteps, key: str) -> list[UserResult]:
        self.steps.append(steps)
        first, *rest = steps.chosen
        late = [UserResult(id=each.id, code="already_decided", message="This was decided.") for each in rest]
        return [UserResult(id=first.id), *late]

    async def set_question(self, caller: Caller, user_id: str, new: NewQuestion, key: str) -> UserView:
        if not new.reason:
            raise AccountsInMemory.problem("reason", "field_needed")
        self.steps.append(new)
        return await self.user(caller, user_id)

    async def close(self) -> None:
        pass
