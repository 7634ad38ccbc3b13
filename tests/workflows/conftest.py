"""One time-skipping server per test: time is moved, never waited for."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from shared.contracts.certificates import LIFE, Life, Order, life_id
from shared.kit.settings import ServiceSettings
from shared.kit.temporal import Processes, activities_of, converter, worker
from shared.rules.actor import Actor
from shared.rules.status import Action
from tests.fakes.paper import PaperInMemory
from workflows.certificate_life import CertificateLife

ATTRIBUTES = {
    "CertificateStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Awaited": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "NextDeadline": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


def test_server() -> str:
    """The time-skipping server, from its wheel: nothing is downloaded."""
    beside = Path(sys.executable).with_name("temporal-test-server")
    return str(beside if beside.exists() else shutil.which("temporal-test-server"))


@asynccontextmanager
async def time_skipping(folder: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server on which time can be moved, with our converter and search attributes."""
    settings = ServiceSettings(codec_key_file=folder / "codec.key")
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=converter(settings), test_server_existing_path=test_server()
    ) as environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=ATTRIBUTES)
        )
        yield environment


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A server of one test's own."""
    async with time_skipping(tmp_path) as environment:
        yield environment


@pytest.fixture
async def paper(env: WorkflowEnvironment) -> PaperInMemory:
    """One draft on paper."""
    return PaperInMemory(env.get_current_time, await env.get_current_time())


@dataclass
class Living:
    """A certificate with its process, as the HTTP door meets it."""

    env: WorkflowEnvironment
    paper: PaperInMemory
    processes: Processes

    async def act(self, action: Action | str, by: str, revision: int | None = None, key: str | None = None) -> Life:
        """Ask for a move."""
        actor = Actor("person-1", "Marie Curie", by, "OPERATOR")
        order = Order(str(action), actor, revision or self.paper.revision)
        return await self.processes.ask(
            order.action,
            order,
            workflow=LIFE,
            workflow_id=self.id,
            life=self.paper.life(),
            key=key or uuid4().hex,
            answer=Life,
        )

    async def wake(self) -> None:
        """What the relay does with a wake line."""
        await self.env.client.start_workflow(
            LIFE, self.paper.life(), id=self.id, task_queue=self.processes.queue, start_signal="content_changed"
        )

    @property
    def id(self) -> str:
        """The id of the process."""
        return life_id(self.paper.certificate_id)


@pytest.fixture
async def living(env: WorkflowEnvironment, paper: PaperInMemory) -> AsyncIterator[Living]:
    """The process of the draft, with a worker of its own."""
    queue = uuid4().hex
    async with worker(env.client, queue, [CertificateLife], activities_of(paper)):
        yield Living(env, paper, Processes(env.client, queue))
