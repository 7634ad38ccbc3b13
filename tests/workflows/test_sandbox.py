"""What a workflow may import is held by the engine itself: each is prepared as a worker does at its start, offline."""

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

from shared.contracts.certificates import LIFE
from shared.kit.temporal import RUNNER
from tests.workflows import shape
from tests.workflows.stray import StrayImport
from workflows.certificate_life import CertificateLife

definition = workflow._Definition.must_from_class


@pytest.mark.parametrize("kind", shape.classes(), ids=lambda kind: kind.__name__)
async def test_a_workflow_imports_law_and_contracts_only(kind: type) -> None:
    RUNNER.prepare_workflow(definition(kind))


async def test_a_stray_import_stops_the_worker_at_its_start() -> None:
    with pytest.raises(Exception, match=r"sqlmodel was not intentionally passed through"):
        RUNNER.prepare_workflow(definition(StrayImport))


def test_workflows_themselves_never_pass_through() -> None:
    """It would switch the guard off without a word."""
    passed = RUNNER.restrictions.passthrough_modules
    assert not [each for each in passed if each.partition(".")[0] in ("workflows", "services", "shared", "tests")]


def test_the_contract_calls_the_workflow_by_its_name() -> None:
    assert definition(CertificateLife).name == LIFE


def test_the_engine_guards_the_clock() -> None:
    """Only where the guard stands: what passes through is trusted, and read by tests/architecture instead."""
    assert issubclass(RestrictedWorkflowAccessError, Exception)
    assert not issubclass(RestrictedWorkflowAccessError, ApplicationError), "a slip fails the task, not the life"
