"""The process of an extract under moved time: its steps, refusals, reminders, revival."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment

from shared.contracts.certificates import EXTRACT_LIFE
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from shared.rules.status import Action
from tests.fakes.extract import BUYER, GOAL, POST, STRANGER
from tests.workflows.extract_stories import (
    LivingExtract,
    a_batch_taken_back,
    a_batch_terminated_and_revived,
    a_batch_to_its_consignee,
    an_extract,
)
from workflows.extract_life import ExtractLife


@pytest.fixture
async def living(env: WorkflowEnvironment) -> AsyncIterator[LivingExtract]:
    """An extract just begun, with its process."""
    async with an_extract(env) as extract:
        yield extract


def test_the_contract_calls_the_workflow_by_its_name() -> None:
    assert workflow._Definition.must_from_class(ExtractLife).name == EXTRACT_LIFE


async def test_a_batch_goes_to_its_consignee_and_the_process_ends(living: LivingExtract) -> None:
    await a_batch_to_its_consignee(living)
    assert living.paper.status is ExtractStatus.CONSIGNEE_SIGNED


async def test_a_batch_may_be_taken_back(living: LivingExtract) -> None:
    await a_batch_taken_back(living)
    assert living.paper.status is ExtractStatus.DELETED


async def test_a_consignee_is_reminded_for_a_month_and_may_still_sign(living: LivingExtract) -> None:
    await living.act(Action.SUBMIT, by=BUYER)
    await living.act(Action.VERIFY, by=POST)
    await living.env.sleep(timedelta(days=40))
    assert living.paper.rung == ("extract_reception_first", "extract_reception_last", "extract_reception_over")
    await living.act(Action.RECEIVE, by=GOAL)
    assert living.paper.status is ExtractStatus.CONSIGNEE_SIGNED


async def test_a_lost_process_starts_again_from_the_row(living: LivingExtract) -> None:
    await a_batch_terminated_and_revived(living)
    assert living.paper.status is ExtractStatus.NOT_RELEASED


@pytest.mark.parametrize(
    ("action", "by", "revision", "code"),
    [
        (Action.RECEIVE, GOAL, None, "wrong_status"),
        (Action.SUBMIT, GOAL, None, "not_permitted"),
        (Action.SUBMIT, STRANGER, None, "not_found"),
        (Action.SUBMIT, BUYER, 7, "stale_revision"),
        ("explode", BUYER, None, "unknown_action"),
    ],
)
async def test_what_is_not_lawful_is_refused_and_the_extract_goes_on(
    living: LivingExtract, action: str, by: str, revision: int | None, code: str
) -> None:
    with pytest.raises(Refused) as no:
        await living.act(action, by=by, revision=revision)
    assert no.value.code == code
    await living.act(Action.SUBMIT, by=BUYER)


async def test_a_frozen_batch_waits(living: LivingExtract) -> None:
    living.paper.frozen = True
    with pytest.raises(Refused) as no:
        await living.act(Action.SUBMIT, by=BUYER)
    assert no.value.code == "frozen"
    living.paper.frozen = False
    await living.act(Action.SUBMIT, by=BUYER)


async def test_one_key_is_one_move(living: LivingExtract) -> None:
    first = await living.act(Action.SUBMIT, by=BUYER, revision=1, key="the-same-key")
    await living.act(Action.VERIFY, by=POST)
    assert (await living.act(Action.SUBMIT, by=BUYER, revision=1, key="the-same-key")).status is first.status
