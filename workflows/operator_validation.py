"""The life of one proposal: a new operator, or a change of one, that awaits an authority or a control body.

What is in force stays in force until it is decided; the decision brings the proposal into force, on paper, in one
transaction. Clocks remind, tell the authority above, and in the end let the proposal lapse: silence never grants.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shared.contracts.directory import DirectoryActivities, Instruction, Note, Noted, Rung, Standing
    from shared.rules.refusals import Refused
    from shared.rules.requests import REQUEST_MOVES, move


# Somebody waits for the answer to an instruction: three attempts, then the page is told.
# Nobody waits for a look or a ring, and a failure there would end the workflow: no limit.
def for_a_person(summary: str) -> workflow.LocalActivityConfig:
    return workflow.LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=3), summary=summary
    )


def until_done(summary: str) -> workflow.LocalActivityConfig:
    return workflow.LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
        summary=summary,
    )


LONG = 2_000
AWAITED = SearchAttributeKey.for_keyword_list("Awaited")
DEADLINE = SearchAttributeKey.for_datetime("NextDeadline")


@workflow.defn
class OperatorValidation:
    @workflow.init
    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.unsure = standing.revision == 0
        self.pen = asyncio.Lock()

    @workflow.run
    async def run(self, standing: Standing) -> str:
        if self.standing.awaited:
            self._say()  # a run that goes on from another has nothing said yet
        while True:
            if not self.unsure and (self.standing.over or self._is_long()):
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self.standing.over and not self.unsure:
                    return self.standing.status
                if self._is_long() and not self.unsure:
                    workflow.continue_as_new(self.standing)
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        """Sleep until something changes or the next clock runs out."""
        seen = self.standing
        patience = max(seen.due.at - workflow.now(), timedelta(0)) if seen.due else None
        try:
            await workflow.wait_condition(
                lambda: self.unsure or self.standing != seen or self._is_long(),
                timeout=patience,
                timeout_summary=seen.due.name if seen.due else None,
            )
        except TimeoutError:
            assert seen.due is not None
            async with self.pen:
                self._take(
                    await workflow.execute_local_activity_method(
                        DirectoryActivities.ring_proposal,
                        Rung(self.standing.id, seen.due),
                        **until_done(f"clock {seen.due.name}"),
                    )
                )
        if self.unsure:
            async with self.pen:
                self.unsure = False
                self._take(
                    await workflow.execute_local_activity_method(
                        DirectoryActivities.look_proposal, self.standing.id, **until_done("read the row")
                    )
                )

    @workflow.update(dynamic=True)
    async def act(self, action: str, arguments: Sequence[RawValue]) -> Standing:
        """Make one step, or refuse; answer with what the paper recorded for this instruction."""
        order = _instruction(arguments)
        async with self.pen:
            info = workflow.current_update_info()
            assert info is not None
            try:
                noted: Noted = await workflow.execute_local_activity_method(
                    DirectoryActivities.record_proposal,
                    Note(self.standing.id, order, info.id),
                    **for_a_person(
                        f"{action} · revision {order.revision} · {order.actor.organisation_id or 'applicant'}"
                    ),
                )
            except FailureError:
                # Refused, or failed with the writing perhaps done: look before believing the memory.
                self.unsure = True
                raise
            self._take(noted.now)
            return noted.answer

    @act.validator
    def refuse_unlawful_steps(self, action: str, arguments: Sequence[RawValue]) -> None:
        """Refuse at the gate only what the memory knows for certain; everything else goes on to the paper."""
        order = _instruction(arguments)
        if action != order.action:
            raise ApplicationError("unknown_action", type="unknown_action", non_retryable=True)
        if order.revision != self.standing.revision:
            return
        try:
            move(REQUEST_MOVES, order.action, self.standing.status)
        except Refused as refusal:
            raise ApplicationError(
                refusal.code, dict(refusal.details), type=refusal.code, non_retryable=True
            ) from refusal

    @workflow.signal
    def content_changed(self) -> None:
        """Something it depends on was changed: who may decide, or its evidence. A fact, so it cannot be refused."""
        self.unsure = True

    def _take(self, standing: Standing) -> None:
        """Believe the paper; what ops see follows from it."""
        before, self.standing = self.standing, standing
        if (before.status, before.awaited, before.due) != (standing.status, standing.awaited, standing.due):
            self._tell_ops()

    def _tell_ops(self) -> None:
        """Show in the engine's own pages what is awaited of whom, since when, until when, and what then."""
        awaited, due = self.standing.awaited, self.standing.due
        workflow.upsert_search_attributes(
            [
                AWAITED.value_set(list(awaited.organisations) if awaited else []),
                DEADLINE.value_set(due.at) if due else DEADLINE.value_unset(),
            ]
        )
        self._say()

    def _say(self) -> None:
        """The sentence on the process's page."""
        awaited = self.standing.awaited
        if awaited is None:
            workflow.set_current_details(f"**{self.standing.status}** · nothing is awaited")
            return
        until = f"{awaited.until:%Y-%m-%d %H:%M} UTC" if awaited.until else "no date"
        workflow.set_current_details(
            f"**{self.standing.status}**\n\n{awaited.what}\n\n"
            f"- whose turn: {', '.join(awaited.organisations) or 'the applicant, or nobody'}\n"
            f"- since: {awaited.since:%Y-%m-%d %H:%M} UTC\n- until: {until}\n- then: {awaited.then}"
        )

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG


def _instruction(arguments: Sequence[RawValue]) -> Instruction:
    return workflow.payload_converter().from_payload(arguments[0].payload, Instruction)
