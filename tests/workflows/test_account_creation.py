"""The creation of an account under moved time: the link's ninety minutes, renewal, races, oblivion."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from shared.contracts.identity import Course, Kind, Step, course_id
from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.refusals import Refused
from tests.fakes.registry import REGISTRATION, PostOffice, Registry
from workflows.account_creation import AccountCreation


@dataclass
class Registering:
    """A registration with its process, as its HTTP door meets it."""

    env: WorkflowEnvironment
    paper: Registry
    post: PostOffice
    processes: Processes
    workers: list[Worker] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id of the process."""
        return course_id(Kind.CREATION, REGISTRATION)

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.processes.wake(Kind.CREATION, self.id, {"kind": Kind.CREATION, "id": REGISTRATION})

    async def minutes(self, minutes: float) -> None:
        """Time goes by."""
        await self.env.sleep(timedelta(minutes=minutes))

    async def asks_again(self) -> None:
        """A new link, please."""
        self.paper.wanted += 1
        await self.wake()
        await self.minutes(0.1)

    async def chooses(self, good_until: datetime | None, link: str | None = None, key: str = "") -> Course:
        """The form behind a link is sent."""
        step = Step(Kind.CREATION, REGISTRATION, "confirm", good_until, link or self.paper.links[-1][0])
        return await self.processes.ask(
            "confirm",
            step,
            workflow=Kind.CREATION,
            workflow_id=self.id,
            life=Course(Kind.CREATION, REGISTRATION),
            key=key or uuid4().hex,
            answer=Course,
        )

    async def clicks(self) -> datetime | None:
        """The link is clicked; until when its form is good."""
        return self.paper.clicked(await self.env.get_current_time())


@pytest.fixture
async def registering(env: WorkflowEnvironment) -> AsyncIterator[Registering]:
    paper, post, queue = Registry(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    async with AsyncExitStack() as ends:
        await ends.enter_async_context(worker(env.client, queue, [AccountCreation], activities_of(paper)))
        await ends.enter_async_context(worker(env.client, POST_OFFICE, [], activities_of(post)))
        made = Registering(env, paper, post, Processes(env.client, queue))
        await made.wake()
        await made.minutes(0.1)
        yield made


async def test_a_link_is_good_at_89_minutes(registering: Registering) -> None:
    assert list(registering.post.taken) == ["account-link/link-1"]
    await registering.minutes(88.8)
    assert (await registering.chooses(await registering.clicks())).state == "DONE"


async def test_a_form_opened_in_time_stays_good_for_a_quarter_of_an_hour(registering: Registering) -> None:
    await registering.minutes(89)
    form = await registering.clicks()
    await registering.minutes(14)
    assert (await registering.chooses(form)).state == "DONE"


async def test_a_form_left_open_for_longer_is_refused(registering: Registering) -> None:
    form = await registering.clicks()
    await registering.minutes(15.1)
    with pytest.raises(Refused) as refusal:
        await registering.chooses(form)
    assert refusal.value.code == "link_expired"
    assert registering.paper.state == "PENDING_PASSWORD"


async def test_a_link_is_dead_at_91_minutes(registering: Registering) -> None:
    await registering.minutes(91)
    assert await registering.clicks() is None
    assert registering.paper.rung == ["password link dead"]
    with pytest.raises(Refused) as refusal:
        await registering.chooses(await registering.clicks())
    assert refusal.value.code == "link_expired"


async def test_after_an_outage_a_late_form_is_refused_although_no_timer_has_rung(env: WorkflowEnvironment) -> None:
    """The worker is away from minute 80 to 100; what arrives then is compared with the time, not with the timers."""
    paper, post, queue = Registry(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    made = Registering(env, paper, post, Processes(env.client, queue))
    async with worker(env.client, POST_OFFICE, [], activities_of(post)):
        async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
            await made.wake()
            await made.minutes(60)
            await made.asks_again()  # so that no clock of this link rings before minute 150
            await made.minutes(19)
            form = await made.clicks()
        await env.client.get_workflow_handle(made.id).terminate("lost in the outage")
        await made.minutes(21)
        async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
            with pytest.raises(Refused) as refusal:
                await made.chooses(form)
            assert refusal.value.code == "link_expired"
            assert (paper.state, paper.rung) == ("PENDING_PASSWORD", [])
            assert (await made.chooses(await made.clicks())).state == "DONE"


async def test_a_link_is_dead_at_95_although_the_worker_was_away_from_80_to_100(env: WorkflowEnvironment) -> None:
    """No timer can have rung; the link is compared with the time, and what is left to do is done afterwards."""
    paper, post, queue = Registry(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    made = Registering(env, paper, post, Processes(env.client, queue))
    async with worker(env.client, POST_OFFICE, [], activities_of(post)):
        async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
            await made.wake()
            await made.minutes(80)
        await env.client.get_workflow_handle(made.id).terminate("lost in the outage")  # time skips over no waiting task
        await made.minutes(9)
        form = await made.clicks()
        await made.minutes(6)
        assert (await made.clicks(), paper.rung) == (None, [])
        await made.minutes(5)
        async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
            assert (await made.chooses(form)).state == "DONE", "opened at 89, its form is good until 104"


async def test_a_link_works_once(registering: Registering) -> None:
    form = await registering.clicks()
    await registering.chooses(form)
    with pytest.raises(Refused) as refusal:
        await registering.chooses(form)
    assert refusal.value.code == "link_expired"


async def test_the_same_order_told_twice_is_answered_twice_and_done_once(registering: Registering) -> None:
    form = await registering.clicks()
    first = await registering.chooses(form, key="the-same-key")
    assert await registering.chooses(form, key="the-same-key") == first
    assert registering.paper.keys == ["the-same-key"]


async def test_a_newer_link_kills_the_older_one(registering: Registering) -> None:
    form = await registering.clicks()
    await registering.asks_again()
    assert list(registering.post.taken) == ["account-link/link-1", "account-link/link-2"]
    with pytest.raises(Refused) as refusal:
        await registering.chooses(form, link="link-1")
    assert refusal.value.code == "link_expired"
    assert (await registering.chooses(await registering.clicks())).state == "DONE"


async def test_an_expired_link_is_followed_by_a_new_one(registering: Registering) -> None:
    await registering.minutes(120)
    await registering.asks_again()
    await registering.minutes(60)
    assert (await registering.chooses(await registering.clicks())).state == "DONE"


async def test_of_two_clicks_at_once_one_wins(registering: Registering) -> None:
    form = await registering.clicks()
    answers = await asyncio.gather(registering.chooses(form), registering.chooses(form), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["Course", "Refused"]
    assert len(registering.paper.keys) == 1


async def test_a_registration_never_completed_is_forgotten_after_seven_days(registering: Registering) -> None:
    await registering.minutes(7 * 24 * 60 + 1)
    assert registering.paper.state == "EXPIRED"
    assert await registering.env.client.get_workflow_handle(registering.id).result() == "EXPIRED"


async def test_a_known_address_gets_another_letter_and_no_link(env: WorkflowEnvironment) -> None:
    paper, post = Registry(env.get_current_time, await env.get_current_time(), known=True), PostOffice()
    queue = uuid4().hex
    async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            made = Registering(env, paper, post, Processes(env.client, queue))
            await made.wake()
            await made.minutes(1)
            assert list(post.taken) == ["account-exists/link-1"]
            with pytest.raises(Refused):
                await made.chooses(await env.get_current_time() + timedelta(minutes=5))


async def test_a_post_office_that_is_shut_delays_the_letter_and_nothing_else(env: WorkflowEnvironment) -> None:
    paper, post = Registry(env.get_current_time, await env.get_current_time()), PostOffice(shut=True)
    queue = uuid4().hex
    async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            made = Registering(env, paper, post, Processes(env.client, queue))
            await made.wake()
            await made.minutes(5)
            assert not post.taken
            post.shut = False
            await made.minutes(5)
            assert list(post.taken) == ["account-link/link-1"]


async def test_a_lost_process_is_started_again_by_the_click(registering: Registering) -> None:
    form = await registering.clicks()
    await registering.env.client.get_workflow_handle(registering.id).terminate("by an operator")
    assert (await registering.chooses(form)).state == "DONE"


async def test_no_address_and_no_link_stands_in_a_history(registering: Registering) -> None:
    await registering.chooses(await registering.clicks(), key="the-key-of-the-order")
    history = await registering.env.client.get_workflow_handle(registering.id).fetch_history()
    text = history.to_json()
    assert "confirm" in text
    for secret in ("link-1", "account-link", "person", "@"):
        assert f'"{secret}"' not in text
