"""Temporal: how we connect, ask a process, register activities, and what a workflow module may import.

``Processes.ask`` is always update-with-start: an order that finds its process lost, closed or not yet woken starts it
from the row and is carried out. The key of the order is the update's id, so asking twice is asking once.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity, workflow
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
)
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from shared.kit.codec import EncryptingCodec
from shared.kit.keys import keyring
from shared.kit.log import logger
from shared.kit.settings import ServiceSettings
from shared.rules.refusals import CODES, Refused

Answer = TypeVar("Answer")
PATIENCE = 10.0
MOURNING = timedelta(seconds=5)
"""How long a process waits for a worker that died before it takes another: shorter than people wait for an answer."""
REMEMBERED = 2.5
"""Seconds. Three attempts take three at least: a failure that comes sooner was not made now."""
TURNS = 8
log = logger("temporal")

# Tests run every workflow in the library's sandbox, which catches a clock or an import that would not replay. A service
# asks it once, at start: a stray import stops the worker. Then lives run outside, for a sandbox each costs a seventh of
# the service's time. Never add `workflows` to what passes through.
RUNNER = SandboxedWorkflowRunner(
    SandboxRestrictions.default.with_import_notification_policy(
        SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
)


_TYPED = PydanticPayloadConverter()


class Payloads(CompositePayloadConverter):
    """Typed payloads. What reads a type is built once per process; the library's own builds it anew for every life."""

    def __init__(self) -> None:
        super().__init__(*_TYPED.converters.values())


def converter(settings: ServiceSettings) -> DataConverter:
    """Typed payloads, encrypted; failures too, but for their code."""
    return DataConverter(
        payload_converter_class=Payloads,
        payload_codec=EncryptingCodec(keyring(settings.codec_key_file, "codec")),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(settings: ServiceSettings, lazy: bool = True) -> Client:
    """A client of the engine; a lazy one connects when it is first used, so a service starts without it."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=converter(settings),
        lazy=lazy,
    )


class Processes:
    """The processes of one service, as its HTTP door sees them."""

    def __init__(self, client: Client, queue: str, at_once: int = 16, patience: float = PATIENCE) -> None:
        self.client, self.queue, self.patience = client, queue, patience
        self._room = asyncio.Semaphore(at_once)

    async def ask(
        self, name: str, order: Any, *, workflow: str, workflow_id: str, life: Any, key: str, answer: type[Answer]
    ) -> Answer:
        """Ask a process for one move and wait for its answer; raises ``Refused`` when the answer is no.

        ``timeout`` (504) means the answer is not known yet: the same key may be asked again.
        """
        try:
            async with asyncio.timeout(self.patience), self._room:
                return await self._insist(name, order, workflow, workflow_id, life, key, answer)
        except TimeoutError:
            raise Refused("timeout", key=key) from None

    async def _insist(
        self, name: str, order: Any, workflow: str, workflow_id: str, life: Any, key: str, answer: type[Answer]
    ) -> Answer:
        """An update is not durable before it is accepted: while there is time, ask again under the same id.

        The engine remembers for ever how an update of this id ended, a failure too; a failure that is only remembered
        is no answer to somebody who asks again, so he gets the next id. The process takes the key out of either.
        """
        wait, turn = 0.05, 0
        while True:
            start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                workflow,
                life,
                id=workflow_id,
                task_queue=self.queue,
                task_timeout=MOURNING,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            asked = time.monotonic()
            try:
                return await self.client.execute_update_with_start_workflow(  # type: ignore[no-any-return]
                    name, order, id=update_id(key, turn), start_workflow_operation=start, result_type=answer
                )
            except (RPCTimeoutOrCancelledError, WorkflowUpdateRPCTimeoutOrCancelledError):
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # the client's library has swallowed it
                    raise asyncio.CancelledError from None
            except WorkflowUpdateFailedError as failure:
                if not _closed_meanwhile(failure):
                    no = _refusal(failure)
                    if no.code != "unavailable" or time.monotonic() - asked > REMEMBERED or turn >= TURNS:
                        raise no from failure
                    turn += 1
                    continue
            except RPCError as problem:
                if problem.status not in _PASSING:
                    raise
            except RuntimeError as problem:  # a lazy client that cannot connect yet
                log.info("engine away", reason=str(problem)[:80])
            await asyncio.sleep(wait)
            wait = min(1.0, wait * 2)

    async def wake(self, workflow: str, workflow_id: str, life: dict[str, Any]) -> None:
        """Have a process look at its record; it is started from the record when it does not run."""
        try:
            await self.client.start_workflow(
                workflow,
                life,
                id=workflow_id,
                task_queue=self.queue,
                task_timeout=MOURNING,
                start_signal="content_changed",
                rpc_timeout=timedelta(seconds=5),
            )
        except RPCError as problem:
            raise ConnectionError(problem.status.name) from problem  # the relay waits, and knows no engine


_PASSING = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.NOT_FOUND,  # closed between our two steps
    RPCStatusCode.ABORTED,
    RPCStatusCode.FAILED_PRECONDITION,  # its last task failed; the engine tries it again
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
}


def update_id(key: str, turn: int) -> str:
    """Under which id the engine knows the order with this key, asked for the first or a further time."""
    return f"{key}~{turn}" if turn else key


def _closed_meanwhile(failure: WorkflowUpdateFailedError) -> bool:
    return isinstance(failure.cause, ApplicationError) and failure.cause.type == "AcceptedUpdateCompletedWorkflow"


def _refusal(failure: WorkflowUpdateFailedError) -> Refused:
    """The refusal inside a failed update; anything else is a bug or an outage and stays what it is."""
    cause: BaseException | None = failure.cause
    while isinstance(cause, ActivityError):
        cause = cause.cause
    if isinstance(cause, ApplicationError) and cause.type in CODES:
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return Refused(cause.type, **details)
    return Refused("unavailable")


def as_application_error(refusal: Refused) -> ApplicationError:
    """A refusal as the engine carries it: the code in clear, the details encrypted, never retried, no alarm."""
    return ApplicationError(
        refusal.code,
        dict(refusal.details),
        type=refusal.code,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def activities_of(service: object) -> list[Callable[..., Any]]:
    """A service's methods as Temporal activities, named and typed by the contract they fulfil."""
    contract = next(c for c in type(service).__mro__ if c.__module__.startswith("shared.contracts"))
    return [
        _door(getattr(service, name), stub)
        for name, stub in vars(contract).items()
        if hasattr(stub, "__temporal_activity_definition")
    ]


def _door(method: Callable[..., Any], stub: Any) -> Callable[..., Any]:
    definition = activity._Definition.must_from_callable(stub)

    async def door(argument: Any) -> Any:
        try:
            return await method(argument)
        except Refused as refusal:
            raise as_application_error(refusal) from refusal

    door.__doc__ = method.__doc__
    hints = inspect.get_annotations(stub, eval_str=True)
    argument_type = next(hint for name, hint in hints.items() if name != "return")
    door.__annotations__ = {"argument": argument_type, "return": hints.get("return")}
    return activity.defn(name=str(definition.name))(door)


BUILD = "bordereau"
"""Named, because the default reads and hashes every imported module: three seconds of CPU at each start."""


def worker(
    client: Client, queue: str, workflows: Sequence[type], activities: Sequence[Callable[..., Any]], **more: Any
) -> Worker:
    """A service's worker: its workflows and activities on one queue."""
    for each in workflows:
        RUNNER.prepare_workflow(workflow._Definition.must_from_class(each))
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=BUILD,
        max_cached_workflows=1000,
        max_concurrent_workflow_task_polls=16,
        sticky_queue_schedule_to_start_timeout=MOURNING,
        graceful_shutdown_timeout=timedelta(seconds=3),
        **more,
    )
