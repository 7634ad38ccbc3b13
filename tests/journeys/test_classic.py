"""Classic accounts through the real everything: guides 003 and 004 with the letters, from the form to the session.

The authority of the Haute-Garonne decides about those whose establishment lies there, and nobody else does.
"""

import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.mailbox import Letter
from deploy.local.stack import Stack
from tests.journeys.newcomers import PASSWORD, Newcomer
from tests.journeys.people import CENTRAL, EXPORTER, JSON, OPS, Person, until
from tests.journeys.test_accounts import nothing_secret

pytestmark = pytest.mark.asyncio(loop_scope="session")
DESK = "desk@ddpp31.example"
WRONG = (
    CENTRAL,
    "desk@inao.example",
    "officer@perpignan.example",
    "customs@perpignan.example",
    "officer@aalst.example",
)
PLACE = {"address": "27 chemin de Lapujade", "postal_code": "31200", "city": "Toulouse", "country": "FR"}
ANSWER = "Zorro d'Été "


class Applicant(Newcomer):
    """Somebody who fills in the classic form."""

    def __init__(self, stack: Stack, web: httpx2.AsyncClient, name: str) -> None:
        mark = uuid4().hex[:8]
        super().__init__(stack, web, f"{name.lower()}+{mark}@lapujade.example")
        self.first, self.company = name, f"Lapujade {mark}"

    async def asks(self, **changes: Any) -> None:
        """Sends the form."""
        form = {
            "email": self.email, "password": PASSWORD, "password_again": PASSWORD, "question": "hero",
            "answer": ANSWER, "organisation": {"name": self.company, **PLACE}, "first_name": self.first,
            "last_name": "O'Neill-Πέτρου", "language": "en", "privacy": True, "proof": await self.proof(),
        }  # fmt: skip
        answer = await self.posts("/registrations/classic", form | changes)
        assert (answer.status_code, answer.json()["days"]) == (202, 7), answer.text

    async def confirms(self) -> JSON:
        """Opens the link of the letter, and says that the request is his."""
        opened = (
            await self.posts("/registrations/classic/opened", {"secret": await self.secret("Confirmation req")})
        ).json()
        assert opened["organisation"]["name"] == self.company
        answer = await self.posts("/registrations/classic/answers", {"form": opened["form"], "mine": True})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def letter(self, subject: str, number: int = 1) -> Letter:
        """The newest of so many letters with this subject."""
        await until(lambda: len(self.letters(subject)) >= number)
        return self.letters(subject)[0]

    async def temporary(self, number: int = 1) -> str:
        """The temporary password of the newest of so many letters."""
        found = re.search(r"TR\d{12}", (await self.letter("Password reset", number)).text)
        assert found
        return found.group()

    async def comes_with(self, password: str) -> httpx2.Response:
        """Types a temporary password."""
        return await self.posts("/passwords/temporary", {"email": self.email, "password": password})

    async def chooses(self, form: str, password: str, **more: str) -> httpx2.Response:
        """His own password in its place."""
        return await self.posts(
            "/passwords/own", {"form": form, "password": password, "password_again": password, **more}
        )


@pytest.fixture
async def web() -> Any:
    async with httpx2.AsyncClient(timeout=30) as client:
        yield client


async def official(stack: Stack, web: httpx2.AsyncClient, email: str = DESK) -> Person:
    """Somebody of an authority, signed in."""
    return await Person(web, stack.addresses, email).signs_in()


async def finds(person: Person, **wishes: str) -> list[JSON]:
    """Searches the users of his territory."""
    query = httpx2.QueryParams(wishes)
    return list((await person.asks("GET", f"/users?{query}", service="identity"))["items"])


async def decides(person: Person, user: JSON, action: str, reason: str = "") -> httpx2.Response:
    """One decision about a user as he was seen."""
    body = {"action": action, "revision": user["revision"], "reason": reason}
    return await person.says("POST", f"/users/{user['id']}/actions", body, service="identity")


async def test_a_classic_account_from_the_form_to_the_session(stack: Stack, web: httpx2.AsyncClient) -> None:
    ann, bea = Applicant(stack, web, "Ann"), Applicant(stack, web, "Bea")
    await ann.asks()
    assert (await ann.signs_in()).status_code == 401, "no access before VALID"
    confirmed = await ann.confirms()
    assert (confirmed["state"], confirmed["authority"]["code"]) == ("CONFIRMED", "FRDDPP31")
    assert {"kind": "email", "value": "contact@ddpp31.example"} in confirmed["authority"]["contacts"]
    await bea.asks()
    await bea.confirms()
    assert (await ann.signs_in()).status_code == 401

    box = Newcomer(stack, web, DESK)
    await until(lambda: any(ann.first in each.text for each in box.letters("Demandes de création d’utilisateurs")))
    links = box.letters("Demandes de création d’utilisateurs")[0].links
    assert any(each.endswith("/users?state=CONFIRMED") for each in links), links

    desk = await official(stack, web)
    for wish in ({"email": ann.email}, {"organisation": ann.company}, {"email": ann.email, "postal_code": "312"}):
        assert [each["email"] for each in await finds(desk, **wish)] == [ann.email], wish
    assert ann.email in [each["email"] for each in await finds(desk, name="ann o'neill", state="CONFIRMED")]
    (row,) = await finds(desk, email=ann.email)
    user = await desk.asks("GET", f"/users/{row['id']}", service="identity")
    assert any(each.endswith(f"/users/{row['id']}") for each in links), "one link for each user"

    for email in WRONG:
        other = await official(stack, web, email)
        assert await finds(other, email=ann.email) == []
        assert (await other.says("GET", f"/users/{row['id']}", service="identity")).status_code == 404
        assert (await decides(other, user, "activate")).status_code == 404
    assert (await (await official(stack, web, EXPORTER)).says("GET", "/users", service="identity")).status_code == 404

    edit = {
        "revision": user["revision"], "first_name": "Anne", "last_name": "O'Neill", "language": "en", "html": True,
        "organisation": user["organisation"], "reach": {"phone": "+33 5 36 49 00 99"},
    }  # fmt: skip
    corrected = await desk.asks("PUT", f"/users/{row['id']}", edit, service="identity")
    assert (corrected["first_name"], corrected["email"]) == ("Anne", ann.email)
    assert (await decides(desk, user, "activate")).json()["code"] == "already_decided", "not what he has seen"
    assert (await decides(desk, corrected, "refuse")).status_code == 422, "whoever refuses says why"
    (beas,) = await finds(desk, email=bea.email)
    chosen = [{"id": each["id"], "revision": each["revision"]} for each in (corrected, corrected | {"id": desk.id})]
    results = await desk.asks("POST", "/users/actions", {"action": "activate", "chosen": chosen}, service="identity")
    assert [each["code"] for each in results] == ["", "not_found"]
    assert (await decides(desk, beas, "refuse", "Please ask the Tarn.")).status_code == 200
    assert "Please ask the Tarn." in (await bea.letter("registration request was refused")).text
    assert ann.email in (await ann.letter("Your account has been activated")).text
    session = await ann.signs_in()
    assert (session.status_code, session.json()["person"]["first_name"]) == (201, "Anne")
    assert (await bea.signs_in()).status_code == 401
    await nothing_secret(stack, PASSWORD, ANSWER)


async def test_a_forgotten_password_and_a_forgotten_answer(stack: Stack, web: httpx2.AsyncClient) -> None:
    eve, desk = Applicant(stack, web, "Eve"), await official(stack, web)
    await eve.asks()
    await eve.confirms()
    (row,) = await finds(desk, email=eve.email)
    assert (await decides(desk, row, "activate")).status_code == 200

    await eve.posts("/password-resets", {"email": eve.email})
    first = await eve.temporary()
    assert (await eve.posts("/sessions", {"email": eve.email, "password": first})).status_code == 401, (
        "it is no sign-in"
    )
    opened = (await eve.comes_with(first)).json()
    assert opened["asks"] == "answer"
    assert (await eve.comes_with(first)).status_code == 401, "it works once"
    mine = "Pear-tree-in-43-gardens!"
    wrong = await eve.chooses(opened["form"], mine, question="hero", answer=ANSWER.strip())
    assert wrong.json()["problems"][0]["code"] == "answer_wrong", "exactly as it was typed"
    assert (await eve.chooses(opened["form"], mine, question="hero", answer=ANSWER)).status_code == 200
    assert ((await eve.signs_in(mine)).status_code, (await eve.signs_in()).status_code) == (201, 401)

    (row,) = await finds(desk, email=eve.email)
    for email in WRONG:
        refused = await decides(await official(stack, web, email), row, "reset_password", "Asked by telephone")
        assert refused.status_code == 404, email
    assert (await decides(desk, row, "reset_password", "Asked by telephone")).status_code == 200
    assert (await eve.signs_in(mine)).status_code == 401, "the old password is put aside"
    opened = (await eve.comes_with(await eve.temporary(2))).json()
    assert opened["asks"] == "new"
    assert (await eve.chooses(opened["form"], PASSWORD, question="band", answer="Nirvana")).status_code == 200
    assert (await eve.signs_in()).status_code == 201

    ops = await official(stack, web, OPS)
    (row,) = await finds(ops, email=eve.email)
    wish = {"revision": row["revision"], "question": "hobby", "answer": "Chess", "reason": "Asked by letter"}
    assert (await desk.says("PUT", f"/users/{row['id']}/question", wish, service="identity")).status_code == 404
    await ops.asks("PUT", f"/users/{row['id']}/question", wish, service="identity")
    assert "Asked by letter" in (await eve.letter("A secret question was changed")).text
    await until(lambda: any(eve.email in each.text for each in Newcomer(stack, web, DESK).letters("question secrète")))
    await nothing_secret(stack, first, mine, "Nirvana")
