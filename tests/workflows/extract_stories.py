"""The lives of extracts whose histories are kept; `stories.py` tells how and why."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.certificates import EXTRACT_LIFE, Batch, Order, extract_life_id
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.status import Action
from tests.fakes.extract import BUYER, GOAL, POST, STRANGER, ExtractInMemory
from workflows.extract_life import ExtractLife


@dataclass
class LivingExtract:
    """An extract with its process, as the HTTP door meets it."""

    env: WorkflowEnvironment
    paper: ExtractInMemory
    processes: Processes

    async def act(self, action: Action | str, by: str, revision: int | None = None, key: str | None = None) -> Batch:
        """Ask for a move."""
        actor = Actor("person-1", "Marie Curie", by, "OPERATOR")
        order = Order(str(action), actor, revision or self.paper.revision)
        return await self.processes.ask(
            order.action,
            order,
            workflow=EXTRACT_LIFE,
            workflow_id=self.id,
            life=self.paper.batch(),
            key=key or uuid4().hex,
            answer=Batch,
        )

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.env.client.start_workflow(
            EXTRACT_LIFE,
            self.paper.batch(),
            id=self.id,
            task_queue=self.processes.queue,
            start_signal="content_changed",
        )

    @property
    def id(self) -> str:
        """The id of the process."""
        return extract_life_id(self.paper.extract_id)


@asynccontextmanager
async def an_extract(env: WorkflowEnvironment) -> AsyncIterator[LivingExtract]:
    """One extract just begun, and a worker for its process."""
    paper, queue = ExtractInMemory(env.get_current_time, await env.get_current_time()), uuid4().hex
    async with worker(env.client, queue, [ExtractLife], activities_of(paper)):
        yield LivingExtract(env, paper, Processes(env.client, queue))


async def a_batch_to_its_consignee(living: LivingExtract) -> None:
    """Begun, submitted, released, received; the process ends."""
    await living.wake()
    await living.act(Action.SUBMIT, by=BUYER)
    await living.act(Action.VERIFY, by=POST)
    await living.act(Action.RECEIVE, by=GOAL)
    await living.env.client.get_workflow_handle(living.id).result()


async def a_batch_taken_back(living: LivingExtract) -> None:
    """Submitted, then deleted; refused and lost answers on the way."""
    living.paper.failures = ["none", "after"]
    await living.act(Action.SUBMIT, by=BUYER)
    for by, revision in ((STRANGER, None), (BUYER, 1)):
        with contextlib.suppress(Refused):
            await living.act(Action.DELETE, by=by, revision=revision)
    await living.act(Action.DELETE, by=BUYER)
    await living.env.client.get_workflow_handle(living.id).result()


async def a_batch_nobody_signs_for(living: LivingExtract) -> None:
    """Released; its consignee is reminded for a month, then signs for it after all."""
    await living.act(Action.SUBMIT, by=BUYER)
    await living.act(Action.VERIFY, by=POST)
    await living.env.sleep(timedelta(days=40))
    await living.act(Action.RECEIVE, by=GOAL)


async def a_batch_terminated_and_revived(living: LivingExtract) -> None:
    """The process is gone; the next order starts it from the row."""
    await living.act(Action.SUBMIT, by=BUYER)
    await living.env.client.get_workflow_handle(living.id).terminate("by an operator")
    await living.act(Action.REJECT, by=POST)


EXTRACT_STORIES = (
    a_batch_to_its_consignee,
    a_batch_taken_back,
    a_batch_nobody_signs_for,
    a_batch_terminated_and_revived,
)
