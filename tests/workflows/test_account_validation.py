"""Classic requests under moved time: the letter, the reminders, the authority above, races and lost workers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.refusals import Refused
from tests.fakes.registry import PostOffice
from tests.fakes.requests import RequestOnPaper
from tests.workflows import validation_stories as stories
from tests.workflows.validation_stories import Asking, a_request
from workflows.account_validation import AccountValidation


@pytest.fixture
async def asking(env: WorkflowEnvironment) -> AsyncIterator[Asking]:
    async with a_request(env) as made:
        yield made


async def test_confirmed_and_activated(asking: Asking) -> None:
    await stories.confirmed_and_activated(asking)
    assert asking.letters == ["account-confirmation", "account-requests", "account-activated"]
    assert asking.paper.state == "DONE"


async def test_confirmed_after_the_reminder_and_refused(asking: Asking) -> None:
    await stories.confirmed_and_refused(asking)
    assert asking.letters == [
        "account-confirmation", "account-confirmation-reminder", "account-requests", "account-refused",
    ]  # fmt: skip


async def test_a_request_that_is_nobodys_ends_at_once(asking: Asking) -> None:
    await stories.disowned(asking)
    assert (asking.paper.state, asking.letters) == ("EXPIRED", ["account-confirmation"])


async def test_nobody_confirms_for_seven_days(asking: Asking) -> None:
    form = await asking.env.get_current_time() + timedelta(minutes=15)
    await asking.passes(days=7, hours=1)
    assert await asking.ends() == "EXPIRED"
    assert asking.letters == ["account-confirmation", "account-confirmation-reminder"]
    with pytest.raises(Refused) as refusal:
        await asking.answers(until=form)
    assert refusal.value.code == "link_expired"


async def test_a_form_left_open_is_refused_by_the_time(asking: Asking) -> None:
    form = await asking.env.get_current_time() + timedelta(minutes=15)
    await asking.passes(minutes=16)
    with pytest.raises(Refused) as refusal:
        await asking.answers(until=form)
    assert (refusal.value.code, asking.paper.state) == ("link_expired", "NEW")


async def test_silence_reminds_escalates_and_expires_but_never_activates(asking: Asking) -> None:
    await stories.nobody_decides(asking)
    assert asking.letters == [
        "account-confirmation", "account-requests", "account-requests", "account-requests-late", "account-expired",
    ]  # fmt: skip
    assert asking.paper.rung == ["validator_reminded", "escalated", "expired"]
    assert asking.paper.state == "EXPIRED"


async def test_the_reminder_comes_after_two_working_days_and_not_before(asking: Asking) -> None:
    await asking.answers()
    due = asking.paper.course().due
    assert due is not None
    left = due.at - await asking.env.get_current_time()
    await asking.env.sleep(left - timedelta(minutes=1))
    assert len(asking.letters) == 2
    await asking.passes(minutes=2)
    assert asking.letters[2:] == ["account-requests"]


async def test_a_second_decision_comes_too_late(asking: Asking) -> None:
    await asking.answers()
    await asking.decides()
    with pytest.raises(Refused) as refusal:
        await asking.decides("refuse", "too late")
    assert refusal.value.code == "already_decided"


async def test_of_two_decisions_at_once_one_counts(asking: Asking) -> None:
    await asking.answers()
    answers = await asyncio.gather(asking.decides(), asking.decides("refuse", "no"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["Course", "Refused"]
    assert len(asking.paper.keys) == 2


async def test_the_same_order_told_twice_is_carried_out_once(asking: Asking) -> None:
    await asking.answers(key="the-same-key")
    assert (await asking.answers(key="the-same-key")).state == "CONFIRMED"
    await asking.decides(key="another-key")
    assert (await asking.decides(key="another-key")).state == "DONE"
    assert asking.paper.keys == ["the-same-key", "another-key"]


async def test_a_paper_that_is_away_for_a_moment_delays_the_answer(asking: Asking) -> None:
    asking.paper.away = 2
    assert (await asking.answers()).state == "CONFIRMED"


async def test_what_changed_beside_the_process_is_seen_when_it_is_woken(asking: Asking) -> None:
    await stories.corrected_meanwhile(asking)
    assert asking.letters.count("account-requests") == 2


async def test_a_decision_before_the_confirmation_is_refused(asking: Asking) -> None:
    with pytest.raises(Refused) as refusal:
        await asking.decides()
    assert (refusal.value.code, asking.paper.state) == ("already_decided", "NEW")


async def test_a_process_lost_with_its_worker_goes_on_from_the_paper(env: WorkflowEnvironment) -> None:
    paper, post, queue = RequestOnPaper(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    made = Asking(env, paper, post, Processes(env.client, queue))
    async with worker(env.client, POST_OFFICE, [], activities_of(post)):
        async with worker(env.client, queue, [AccountValidation], activities_of(paper)):
            await made.wake()
            await made.passes(minutes=1)
            await made.answers()
            await made.passes(minutes=1)
        await env.client.get_workflow_handle(made.id).terminate("lost in an outage")
        await made.passes(days=5)
        async with worker(env.client, queue, [AccountValidation], activities_of(paper)):
            await made.wake()
            await made.passes(minutes=1)
            assert paper.rung[0] == "validator_reminded", "the clock that ran out meanwhile rings at once"
            assert (await made.decides()).state == "DONE"
            assert await made.ends() == "DONE"
        assert made.letters[-1] == "account-activated"
        assert made.post.orders > len(made.letters), "told again after it was lost, and taken once"
