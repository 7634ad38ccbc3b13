"""Accounts through the real everything: from the form to the session, with the link taken from the real letter."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.stack import Stack
from tests.journeys.newcomers import PASSWORD, Newcomer
from tests.journeys.people import SECRETS, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
async def web() -> Any:
    async with httpx2.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture
def newcomer(stack: Stack, web: httpx2.AsyncClient) -> Newcomer:
    return Newcomer(stack, web, f"zoe+{uuid4().hex[:8]}@tarn.example")


async def test_from_the_form_to_the_session(newcomer: Newcomer) -> None:
    answer = await newcomer.registers()
    assert answer.status_code == 202, answer.text
    assert answer.json()["minutes"] == 90
    letter_secret = await newcomer.secret()
    assert "within 90 minutes" in newcomer.letters("Choose your password")[0].text
    assert (await newcomer.signs_in()).status_code == 401, "no password, no way in"

    opened = (await newcomer.posts("/links/opened", {"secret": letter_secret})).json()
    assert opened["name"] == "Zoë O'Brien-Πέτρου"
    chosen = {"form": opened["form"], "password": PASSWORD, "password_again": PASSWORD}
    key = uuid4().hex
    assert (await newcomer.posts("/passwords", chosen, key)).status_code == 200
    assert (await newcomer.posts("/passwords", chosen, key)).status_code == 200, "told twice"
    session = await newcomer.signs_in()
    assert session.status_code == 201
    assert session.json()["person"]["posts"] == []
    assert (await newcomer.posts("/links/opened", {"secret": letter_secret})).status_code == 410, "it works once"
    SECRETS.update((PASSWORD, session.json()["session"], opened["form"]))


async def test_a_known_address_gets_the_same_answer_and_another_letter(newcomer: Newcomer, stack: Stack) -> None:
    taken = Newcomer(stack, newcomer.web, "producer@souss.example")
    known, unknown = await taken.registers(), await newcomer.registers()
    assert (known.status_code, known.json().keys()) == (unknown.status_code, unknown.json().keys())
    await until(lambda: taken.letters("Vous avez déjà un compte"))
    assert not taken.letters("Choisissez votre mot de passe")


async def test_a_newer_link_kills_the_older_one(newcomer: Newcomer) -> None:
    registration = (await newcomer.registers()).json()["id"]
    older = await newcomer.secret()
    assert (await newcomer.posts(f"/registrations/{registration}/links")).status_code == 202
    newer = await newcomer.secret(number=2)
    assert older != newer
    assert (await newcomer.posts("/links/opened", {"secret": older})).json()["code"] == "link_expired"
    assert (await newcomer.posts("/links/opened", {"secret": newer})).status_code == 200


async def test_one_proof_is_good_for_one_registration_and_one_key_for_one_form(newcomer: Newcomer) -> None:
    proof, key = await newcomer.proof(), uuid4().hex
    first = await newcomer.registers(key, proof=proof)
    assert (await newcomer.registers(key, proof=proof)).json() == first.json()
    again = await newcomer.registers(proof=proof)
    assert (again.status_code, again.json()["problems"][0]["code"]) == (422, "person_unproved")
    forged = base64.b64encode(json.dumps({"challenge": {}, "solution": {}}).encode()).decode()
    assert (await newcomer.registers(proof=forged)).status_code == 422


async def test_a_new_password_by_mail(newcomer: Newcomer) -> None:
    """[Demander l'envoi d'un nouveau mot de passe]: the link of the letter, a new password, and all sessions end."""
    person = await newcomer.comes_in()
    asked, stranger = [
        await newcomer.posts("/password-resets", {"email": email}) for email in (newcomer.email, "n@no.example")
    ]
    assert (asked.status_code, asked.json()) == (stranger.status_code, stranger.json()) == (202, {"minutes": 90})
    link = await newcomer.secret("Choose a new password")
    assert "within 90 minutes" in newcomer.letters("Choose a new password")[0].text
    assert (await newcomer.signs_in()).status_code == 201, "until then the old one is good"
    opened = (await newcomer.posts("/links/opened", {"secret": link})).json()
    new = "Quince-tree-in-43-orchards!"
    weak = {"form": opened["form"], "password": "Zoë-1234567!", "password_again": "Zoë-1234567!"}
    assert (await newcomer.posts("/passwords", weak)).status_code == 422
    chosen = {"form": opened["form"], "password": new, "password_again": new}
    answers = await asyncio.gather(*(newcomer.posts("/passwords", chosen) for _ in range(2)))
    assert sorted(each.status_code for each in answers) == [200, 410], "of two clicks at once one counts"
    assert (await newcomer.posts("/links/opened", {"secret": link})).status_code == 410
    assert (await newcomer.signs_in()).status_code == 401
    assert (await newcomer.signs_in(new)).status_code == 201
    mine = {"Authorization": f"Session {person.session}"}
    assert (await newcomer.web.get(f"{newcomer.identity}/me", headers=mine)).status_code == 401
    await until(lambda: newcomer.letters("Your password was changed"))
    SECRETS.add(new)
