"""The creation of an account, told for the recorded histories: clicked in time, too late, and renewed."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from shared.contracts.notifications import QUEUE as POST_OFFICE
from shared.kit.temporal import Processes, activities_of, worker
from shared.rules.refusals import Refused
from tests.fakes.registry import PostOffice, Registry
from tests.workflows.test_account_creation import Registering
from workflows.account_creation import AccountCreation


@asynccontextmanager
async def a_registration(env: WorkflowEnvironment) -> AsyncIterator[Registering]:
    """One registration on paper, a worker for its process, and a post office."""
    paper, post, queue = Registry(env.get_current_time, await env.get_current_time()), PostOffice(), uuid4().hex
    async with worker(env.client, queue, [AccountCreation], activities_of(paper)):
        async with worker(env.client, POST_OFFICE, [], activities_of(post)):
            made = Registering(env, paper, post, Processes(env.client, queue))
            await made.wake()
            await made.minutes(0.1)
            yield made


async def clicked_in_time(registering: Registering) -> None:
    """The link is clicked within its ninety minutes and a password chosen."""
    await registering.minutes(30)
    await registering.chooses(await registering.clicks())


async def clicked_too_late(registering: Registering) -> None:
    """The link dies after ninety minutes; whoever comes later is refused."""
    await registering.minutes(95)
    with contextlib.suppress(Refused):
        await registering.chooses(await registering.clicks())


async def renewed(registering: Registering) -> None:
    """A second link is asked for and used."""
    await registering.minutes(95)
    await registering.asks_again()
    await registering.chooses(await registering.clicks())


ACCOUNT_STORIES = (clicked_in_time, clicked_too_late, renewed)
