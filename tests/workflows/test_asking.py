"""How a process is asked: with patience, under one key, and again when the answer was only a failure of the moment."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from shared.contracts.certificates import LIFE, Life, Order, life_id
from shared.kit.temporal import Processes
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status
from tests.fakes.paper import EXPORTER, PaperInMemory
from tests.workflows.conftest import Living


async def asked(processes: Processes, paper: PaperInMemory) -> Life:
    order = Order("submit", Actor("person-1", "Marie Curie", EXPORTER, "OPERATOR"), paper.revision)
    return await processes.ask(
        order.action,
        order,
        workflow=LIFE,
        workflow_id=life_id(paper.certificate_id),
        life=paper.life(),
        key="some-key",
        answer=Life,
    )


async def test_patience_ends_when_nobody_answers(env: WorkflowEnvironment, paper: PaperInMemory) -> None:
    nobody = Processes(env.client, "a-queue-without-a-worker", patience=0.3)
    async with asyncio.timeout(5):
        with pytest.raises(Refused) as refusal:
            await asked(nobody, paper)
    assert (refusal.value.code, refusal.value.details) == ("timeout", {"key": "some-key"})


async def begun(life: WorkflowHandle[Any, Any]) -> bool:
    """Whether the request has reached the engine."""
    try:
        await life.describe()
    except RPCError:
        return False
    return True


async def test_who_stops_waiting_stops(env: WorkflowEnvironment, paper: PaperInMemory) -> None:
    """A request that is cancelled ends, whatever the engine's library makes of it."""
    waiting = asyncio.ensure_future(asked(Processes(env.client, "a-queue-without-a-worker"), paper))
    life = env.client.get_workflow_handle(life_id(paper.certificate_id))
    async with asyncio.timeout(10):
        while not await begun(life):  # noqa: ASYNC110 (the engine rings for nobody)
            await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 2)


async def test_an_order_that_failed_may_be_sent_again_under_its_key(paper: PaperInMemory, living: Living) -> None:
    """The engine remembers the failed update; whoever sends the order again means it."""
    paper.failures = ["before"] * 3
    with pytest.raises(Refused) as refusal:
        await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    assert refusal.value.code == "unavailable"
    again = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    assert again.status is Status.DESCRIPTION_COMPLETED
    assert list(paper.journal) == ["the-same-key"], "one order, one line, under its own key"
    once_more = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    assert once_more == again
