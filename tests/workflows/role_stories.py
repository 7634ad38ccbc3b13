"""The lives of requests, told once each for the recorded histories: decided, asked about, forgotten, revived."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.directory import (
    OPERATOR_LIFE,
    OPERATOR_VALIDATION,
    ROLE_VALIDATION,
    Instruction,
    Standing,
    operator_life_id,
    operator_validation_id,
    role_validation_id,
)
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules import requests as law
from shared.rules.actor import Actor
from shared.rules.requests import Step
from tests.fakes.directory import APPLICANT, VALIDATOR, DirectoryInMemory
from workflows.operator_life import OperatorLife
from workflows.operator_validation import OperatorValidation
from workflows.role_validation import RoleValidation

KINDS: dict[str, tuple[type, Callable[[str], str], tuple[law.Move, ...], str]] = {
    ROLE_VALIDATION: (RoleValidation, role_validation_id, law.ROLE_MOVES, "REQUESTED"),
    OPERATOR_VALIDATION: (OperatorValidation, operator_validation_id, law.REQUEST_MOVES, "REQUESTED"),
    OPERATOR_LIFE: (OperatorLife, operator_life_id, law.STANDING_MOVES, "VALID"),
}


@dataclass
class Asked:
    """One request, or one operator, with its process."""

    env: WorkflowEnvironment
    paper: DirectoryInMemory
    processes: Processes
    kind: str

    @property
    def id(self) -> str:
        """The id of the process."""
        return KINDS[self.kind][1](self.paper.id)

    async def step(self, action: Step, by: str = VALIDATOR, key: str | None = None) -> Standing:
        """Ask for a step."""
        order = Instruction(action.value, Actor("person-1", "Marie Curie", by, "AUTHORITY"), self.paper.revision)
        return await self.processes.ask(
            order.action,
            order,
            workflow=self.kind,
            workflow_id=self.id,
            life=Standing(self.paper.id, "", 0, False),
            key=key or uuid4().hex,
            answer=Standing,
        )

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        unread = {"id": self.paper.id, "status": self.paper.status, "revision": 0, "over": False}
        await self.processes.wake(self.kind, self.id, unread)


def stage(kind: str) -> Callable[[WorkflowEnvironment], AbstractAsyncContextManager[Asked]]:
    """A row of its own for each process."""

    @asynccontextmanager
    async def enter(env: WorkflowEnvironment) -> AsyncIterator[Asked]:
        workflow, _, moves, status = KINDS[kind]
        paper = DirectoryInMemory(env.get_current_time, await env.get_current_time(), moves=moves, status=status)
        queue = uuid4().hex
        async with worker(env.client, queue, [workflow], activities_of(paper)):
            asked = Asked(env, paper, Processes(env.client, queue), kind)
            await asked.wake()
            yield asked

    return enter


async def validated(asked: Asked) -> None:
    """Decided at once."""
    await asked.step(Step.VALIDATE)
    await asked.env.client.get_workflow_handle(asked.id).result()


async def forgotten(asked: Asked) -> None:
    """Nobody decides: reminder, escalation, the end."""
    await asked.env.sleep(timedelta(days=32))
    await asked.env.client.get_workflow_handle(asked.id).result()


async def asked_and_answered(asked: Asked) -> None:
    """A question stops the clock, the answer starts it again."""
    await asked.step(Step.ASK)
    await asked.env.sleep(timedelta(days=5))
    await asked.step(Step.ANSWER, by=APPLICANT)
    await asked.env.sleep(timedelta(days=6))
    await asked.step(Step.REFUSE)


async def revived(asked: Asked) -> None:
    """The process is gone; the next step starts it from the row."""
    await asked.env.client.get_workflow_handle(asked.id).terminate("by an operator")
    await asked.step(Step.VALIDATE)


async def suspended(asked: Asked) -> None:
    """An operator is suspended and reinstated; each step revives its process."""
    await asked.env.client.get_workflow_handle(asked.id).result()
    await asked.step(Step.SUSPEND)
    await asked.step(Step.REINSTATE)


Story = Callable[[Asked], Awaitable[None]]
OF_REQUESTS: tuple[Story, ...] = (validated, forgotten, asked_and_answered, revived)
OF_OPERATORS: tuple[Story, ...] = (suspended,)
