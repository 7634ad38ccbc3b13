"""The life of a certificate: order of steps, refusals, races, clocks, revival. Time is moved by hand."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.testing import WorkflowEnvironment

from shared.rules.refusals import Refused
from shared.rules.status import Action, Status
from tests.fakes.paper import BODY, BORDER, CONSIGNEE, EXPORTER, IMPORTER, STRANGER, PaperInMemory
from tests.workflows.conftest import Living
from workflows.patience import LONG


async def test_a_certificate_lives_from_draft_to_the_first_consignees_signature(living: Living) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await living.act(Action.VERIFY, by=BORDER)
    life = await living.act(Action.RECEIVE, by=CONSIGNEE)
    assert life.status is Status.FIRST_CONSIGNEE_SIGNED
    assert life.revision == 5
    handle = living.env.client.get_workflow_handle(living.id)
    assert await handle.result() == Status.FIRST_CONSIGNEE_SIGNED


async def test_nobody_signs_what_he_has_not_seen(paper: PaperInMemory, living: Living) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    seen = paper.revision
    paper.revision += 1  # the importer edits box 9 meanwhile
    with pytest.raises(Refused) as refusal:
        await living.act(Action.SIGN, by=BODY, revision=seen)
    assert refusal.value.code == "stale_revision"
    assert refusal.value.details == {"revision": seen + 1}
    assert paper.status is Status.DESCRIPTION_COMPLETED


@pytest.mark.parametrize(
    ("action", "by", "code"),
    [
        (Action.SUBMIT, STRANGER, "not_found"),
        (Action.SUBMIT, IMPORTER, "not_found"),  # a draft is seen by its creator only
        (Action.VERIFY, EXPORTER, "wrong_status"),
        (Action.SIGN, EXPORTER, "not_permitted"),
        ("dance", EXPORTER, "unknown_action"),
    ],
)
async def test_an_unlawful_order_is_refused_and_changes_nothing(
    paper: PaperInMemory, living: Living, action: str, by: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        await living.act(action, by=by)
    assert refusal.value.code == code
    assert (paper.status, paper.revision, paper.journal) == (Status.DRAFT, 1, {})


async def test_of_two_actors_for_one_move_one_wins_and_the_other_is_told(paper: PaperInMemory, living: Living) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    answers = await asyncio.gather(
        living.act(Action.VERIFY, by=BORDER, revision=3),
        living.act(Action.REJECT, by=BORDER, revision=3),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, Refused)]
    assert len(refused) == 1
    assert refused[0].code in ("stale_revision", "wrong_status")
    assert paper.revision == 4


async def test_the_same_order_told_twice_is_carried_out_once(paper: PaperInMemory, living: Living) -> None:
    first = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    again = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    assert first == again
    assert paper.revision == 2


async def test_the_same_order_after_the_process_is_gone_gets_the_recorded_answer(
    paper: PaperInMemory, living: Living
) -> None:
    first = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    await living.act(Action.SIGN, by=BODY)
    await living.env.client.get_workflow_handle(living.id).terminate("by an operator")
    again = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    assert again == first
    assert paper.status is Status.ISSUED


async def test_an_answer_lost_after_the_writing_is_found_again(paper: PaperInMemory, living: Living) -> None:
    paper.failures = ["none", "after"]
    life = await living.act(Action.SUBMIT, by=EXPORTER)
    assert life.status is Status.DESCRIPTION_COMPLETED
    assert (paper.revision, len(paper.journal)) == (2, 1)


async def test_a_paper_that_cannot_be_written_refuses_after_three_attempts_and_life_goes_on(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    paper.failures = ["before"] * 3
    with pytest.raises(Refused) as refusal:
        await living.act(Action.SUBMIT, by=EXPORTER)
    assert refusal.value.code == "unavailable"
    assert paper.status is Status.DRAFT
    assert (await living.act(Action.SUBMIT, by=EXPORTER)).status is Status.DESCRIPTION_COMPLETED
    assert paper.looks >= 1, "after a failure the process looks before it believes its memory"


async def test_completion_is_called_for_three_times_in_ten_days(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await env.sleep(timedelta(days=6))
    assert list(paper.rung) == ["first_call"]
    await env.sleep(timedelta(days=5))
    assert list(paper.rung) == ["first_call", "last_call", "overdue"]


async def test_a_move_in_time_silences_the_clock(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await env.sleep(timedelta(days=4))
    await living.act(Action.VERIFY, by=BORDER)
    await env.sleep(timedelta(days=30))
    assert list(paper.rung) == []


async def test_a_clock_rings_in_a_process_that_was_terminated_and_woken(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    await living.act(Action.SIGN, by=BODY)
    await env.client.get_workflow_handle(living.id).terminate("lost")
    await env.sleep(timedelta(days=6))
    assert list(paper.rung) == []
    await living.wake()
    await env.sleep(timedelta(minutes=1))
    assert list(paper.rung) == ["first_call"]


async def test_news_of_an_edit_reach_the_process(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    await living.wake()
    paper.entered -= timedelta(days=89, hours=23)  # the paper changed: its clock is due within the hour
    await living.wake()
    await env.sleep(timedelta(hours=2))
    assert list(paper.rung) == ["stale"]


async def test_a_closed_life_starts_again_when_something_is_asked_of_it(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    for action, by in (
        (Action.SUBMIT, EXPORTER),
        (Action.SIGN, BODY),
        (Action.VERIFY, BORDER),
        (Action.RECEIVE, CONSIGNEE),
    ):
        await living.act(action, by=by)
    handle = env.client.get_workflow_handle(living.id)
    await handle.result()
    with pytest.raises(Refused) as refusal:
        await living.act(Action.SIGN, by=BODY)
    assert refusal.value.code == "wrong_status"
    assert await handle.result() == Status.FIRST_CONSIGNEE_SIGNED
    life = await living.act(Action.SIGNAL_IRREGULARITY, by=IMPORTER)
    assert life.status is Status.OFIS_IRREGULARITY


async def test_no_name_stands_in_clear_in_a_history(env: WorkflowEnvironment, living: Living) -> None:
    await living.act(Action.SUBMIT, by=EXPORTER)
    with pytest.raises(Refused):
        await living.act(Action.SUBMIT, by=EXPORTER)
    history = await env.client.get_workflow_handle(living.id).fetch_history()
    text = history.to_json()
    assert "submit" in text, "the action is the update's name"
    for name in ("Marie", "Curie", "person-1", EXPORTER):
        assert name not in text


async def test_a_long_history_is_folded_and_nothing_is_lost(
    env: WorkflowEnvironment, paper: PaperInMemory, living: Living
) -> None:
    submitted = await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")
    handle = env.client.get_workflow_handle(living.id)

    async def edits(number: int) -> None:
        for _ in range(number):
            await handle.signal("content_changed")

    floods = (edits(LONG // 20) for _ in range(20))
    signed, *_ = await asyncio.gather(living.act(Action.SIGN, by=BODY, revision=2), *floods)
    assert signed
    assert signed.status is Status.ISSUED
    await env.sleep(timedelta(minutes=1))
    assert (await living.act(Action.SUBMIT, by=EXPORTER, revision=1, key="the-same-key")) == submitted
    history = (await handle.fetch_history()).events
    began = history[0].workflow_execution_started_event_attributes
    assert began.first_execution_run_id != began.original_execution_run_id, "a run after the first"
    assert len(history) < LONG
    said = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "ISSUED" in said.current_details, "the next run says what it waits for"
    await env.sleep(timedelta(days=6))
    assert list(paper.rung) == ["first_call"], "the clock goes on in the next run"
    assert (paper.status, paper.revision, len(paper.journal)) == (Status.ISSUED, 3, 2)
