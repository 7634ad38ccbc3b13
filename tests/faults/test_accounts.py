"""Identity is killed while people wait for their links: what was begun goes on, and nothing is done twice."""

from uuid import uuid4

import httpx2
import pytest

from deploy.local.stack import Stack
from tests.faults.ledger import insist
from tests.journeys.newcomers import PASSWORD, Newcomer
from tests.journeys.people import SECRETS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_link_waits_through_the_death_of_its_worker_and_a_choice_is_made_once(stack: Stack) -> None:
    async with httpx2.AsyncClient(timeout=30) as web:
        zoe = Newcomer(stack, web, f"zoe+{uuid4().hex[:8]}@tarn.example")
        assert (await zoe.registers()).status_code == 202
        link = await zoe.secret()
        stack.kill("identity")
        await stack.ready("identity")
        form = (await insist(lambda: zoe.posts("/links/opened", {"secret": link}))).json()["form"]
        chosen, key = {"form": form, "password": PASSWORD, "password_again": PASSWORD}, uuid4().hex
        stack.kill("identity")
        assert (await insist(lambda: zoe.posts("/passwords", chosen, key))).status_code == 200
        assert (await zoe.posts("/passwords", chosen, key)).status_code == 200, "told again"
        assert (await zoe.signs_in()).status_code == 201
        assert (await zoe.posts("/links/opened", {"secret": link})).status_code == 410
        assert len(zoe.letters("Choose your password")) == 1
        SECRETS.update((PASSWORD, form))
