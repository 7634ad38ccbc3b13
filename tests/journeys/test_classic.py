"""Classic accounts through the real everything: guides 003 and 004 with the letters, from the form to the session.

The authority of the Haute-Garonne decides about those whose establishment lies there, and nobody else does.
"""

from typing import Any

import httpx2
import pytest

from deploy.local.stack import Stack
from tests.journeys.newcomers import ANSWER, PASSWORD, Applicant, Newcomer
from tests.journeys.people import CENTRAL, EXPORTER, JSON, OPS, SECRETS, People, Person, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
DESK = "desk@ddpp31.example"
WRONG = (
    CENTRAL,
    "desk@inao.example",
    "officer@perpignan.example",
    "customs@perpignan.example",
    "officer@aalst.example",
)


@pytest.fixture
async def web() -> Any:
    async with httpx2.AsyncClient(timeout=30) as client:
        yield client


async def finds(person: Person, **wishes: str) -> list[JSON]:
    """Searches the users of his territory."""
    query = httpx2.QueryParams(wishes)
    return list((await person.asks("GET", f"/users?{query}", service="identity"))["items"])


async def decides(person: Person, user: JSON, action: str, reason: str = "") -> httpx2.Response:
    """One decision about a user as he was seen."""
    body = {"action": action, "revision": user["revision"], "reason": reason}
    return await person.says("POST", f"/users/{user['id']}/actions", body, service="identity")


async def test_a_classic_account_from_the_form_to_the_session(
    stack: Stack, web: httpx2.AsyncClient, people: People
) -> None:
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

    desk = await people(DESK)
    for wish in ({"email": ann.email}, {"organisation": ann.company}, {"email": ann.email, "postal_code": "312"}):
        assert [each["email"] for each in await finds(desk, **wish)] == [ann.email], wish
    assert ann.email in [each["email"] for each in await finds(desk, name="ann o'neill", state="CONFIRMED")]
    (row,) = await finds(desk, email=ann.email)
    user = await desk.asks("GET", f"/users/{row['id']}", service="identity")
    assert any(each.endswith(f"/users/{row['id']}") for each in links), "one link for each user"

    for email in WRONG:
        other = await people(email)
        assert await finds(other, email=ann.email) == []
        assert (await other.says("GET", f"/users/{row['id']}", service="identity")).status_code == 404
        assert (await decides(other, user, "activate")).status_code == 404
    assert (await (await people(EXPORTER)).says("GET", "/users", service="identity")).status_code == 404

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
    SECRETS.update((PASSWORD, ANSWER))


async def test_a_forgotten_password_and_a_forgotten_answer(
    stack: Stack, web: httpx2.AsyncClient, people: People
) -> None:
    eve, desk = Applicant(stack, web, "Eve"), await people(DESK)
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
        refused = await decides(await people(email), row, "reset_password", "Asked by telephone")
        assert refused.status_code == 404, email
    assert (await decides(desk, row, "reset_password", "Asked by telephone")).status_code == 200
    assert (await eve.signs_in(mine)).status_code == 401, "the old password is put aside"
    opened = (await eve.comes_with(await eve.temporary(2))).json()
    assert opened["asks"] == "new"
    assert (await eve.chooses(opened["form"], PASSWORD, question="band", answer="Nirvana")).status_code == 200
    assert (await eve.signs_in()).status_code == 201

    ops = await people(OPS)
    (row,) = await finds(ops, email=eve.email)
    wish = {"revision": row["revision"], "question": "hobby", "answer": "Chess", "reason": "Asked by letter"}
    assert (await desk.says("PUT", f"/users/{row['id']}/question", wish, service="identity")).status_code == 404
    await ops.asks("PUT", f"/users/{row['id']}/question", wish, service="identity")
    assert "Asked by letter" in (await eve.letter("A secret question was changed")).text
    await until(lambda: any(eve.email in each.text for each in Newcomer(stack, web, DESK).letters("question secrète")))
    SECRETS.update((first, mine, opened["form"]))
