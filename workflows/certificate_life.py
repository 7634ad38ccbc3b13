"""The life of one certificate of inspection, from draft to its last status.

The workflow is the only pen: every change of status goes through it, one at a time.
The certificates service is the paper: a move has happened once it is written there.
The law is asked at the gate (the validator) and again on paper (the activity), never in
between: what runs here is replayed for years, and must not change when the law does.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shared.contracts.certificates import CertificateActivities, Life, Order, Record, Recorded, Ring
    from shared.rules.refusals import Refused
    from shared.rules.status import Status
    from shared.rules.verdict import refuse_unless_lawful


# Somebody waits for the answer to an order: three attempts, then the page is told.
# Nobody waits for a look or a ring, and a failure there would end the workflow: no limit.
# (schedule_to_close is not honoured during the back-off of a local activity: leave it out.)
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


# A history of this length is folded before the engine asks for it: an answer then never meets a closing run.
LONG = 2_000

STATUS = SearchAttributeKey.for_keyword("CertificateStatus")
AWAITED = SearchAttributeKey.for_keyword_list("Awaited")
DEADLINE = SearchAttributeKey.for_datetime("NextDeadline")


@workflow.defn
class CertificateLife:
    @workflow.init
    def __init__(self, life: Life) -> None:
        self.life = life
        self.unsure = False
        self.pen = asyncio.Lock()

    @workflow.run
    async def run(self, life: Life) -> Status:
        if self.life.awaited:
            self._say()  # a run that goes on from another has nothing said yet
        while True:
            if self.life.over or self._is_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self.life.over:
                    return self.life.status
                workflow.continue_as_new(self.life)
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        """Sleep until something changes or the next clock runs out."""
        seen = self.life
        patience = max(seen.due.at - workflow.now(), timedelta(0)) if seen.due else None
        try:
            await workflow.wait_condition(
                lambda: self.unsure or self.life != seen or self._is_long(),
                timeout=patience,
                timeout_summary=seen.due.name if seen.due else None,
            )
        except TimeoutError:
            assert seen.due is not None
            async with self.pen:
                ring = Ring(self.life.certificate_id, seen.due)
                self._take(
                    await workflow.execute_local_activity_method(
                        CertificateActivities.ring, ring, **until_done(f"clock {seen.due.name}")
                    )
                )
        if self.unsure:
            async with self.pen:
                self.unsure = False
                self._take(
                    await workflow.execute_local_activity_method(
                        CertificateActivities.look, self.life.certificate_id, **until_done("read the row")
                    )
                )

    @workflow.update(dynamic=True)
    async def act(self, action: str, arguments: Sequence[RawValue]) -> Life:
        """Make one move, or refuse; answer with what the paper recorded for this order."""
        order = _order(arguments)
        async with self.pen:
            info = workflow.current_update_info()
            assert info is not None
            said = f"{action}{_box(action)} · revision {order.revision} · {order.for_whom}"
            try:
                recorded: Recorded = await workflow.execute_local_activity_method(
                    CertificateActivities.record,
                    Record(self.life.certificate_id, order, _key(info.id)),
                    **for_a_person(said),
                )
            except FailureError:
                # Refused, or failed with the writing perhaps done: look before believing the memory.
                self.unsure = True
                raise
            self._take(recorded.now)
            return recorded.answer

    @act.validator
    def refuse_unlawful_orders(self, action: str, arguments: Sequence[RawValue]) -> None:
        """Refuse at the gate only what the memory knows for certain; everything else goes on to the paper."""
        order = _order(arguments)
        if action != order.action:
            raise ApplicationError("unknown_action", type="unknown_action", non_retryable=True)
        if order.revision != self.life.revision:
            return
        try:
            refuse_unless_lawful(order.asks, self.life.status, self.life.ties(order.actor), self.life.submitted)
        except Refused as refusal:
            raise ApplicationError(
                refusal.code, dict(refusal.details), type=refusal.code, non_retryable=True
            ) from refusal

    @workflow.signal
    def content_changed(self) -> None:
        """A box was edited: parties or dates may have changed. A fact, so it cannot be refused."""
        self.unsure = True

    def _take(self, life: Life) -> None:
        """Believe the paper; what ops see follows from it."""
        before, self.life = self.life, life
        if (before.status, before.awaited, before.due) != (life.status, life.awaited, life.due):
            self._tell_ops()

    def _tell_ops(self) -> None:
        """Show in the engine's own pages what the certificate waits for, since when, until when, and what then."""
        awaited, due = self.life.awaited, self.life.due
        organisations = list(awaited.organisations) if awaited else []
        workflow.upsert_search_attributes(
            [
                STATUS.value_set(self.life.status.value),
                AWAITED.value_set(organisations),
                DEADLINE.value_set(due.at) if due else DEADLINE.value_unset(),
            ]
        )
        self._say()

    def _say(self) -> None:
        """The sentence on the process's page."""
        awaited = self.life.awaited
        if awaited is None:
            workflow.set_current_details(f"**{self.life.status}** · nothing is awaited")
            return
        until = f"{awaited.until:%Y-%m-%d %H:%M} UTC" if awaited.until else "no date"
        workflow.set_current_details(
            f"**{self.life.number or 'draft'} · {self.life.status}**\n\n{awaited.what}\n\n"
            f"- whose turn: {', '.join(awaited.names) or 'nobody in particular'}\n"
            f"- since: {awaited.since:%Y-%m-%d %H:%M} UTC\n- until: {until}\n- then: {awaited.then}"
        )

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG


def _order(arguments: Sequence[RawValue]) -> Order:
    return workflow.payload_converter().from_payload(arguments[0].payload, Order)


def _key(update: str) -> str:
    """The order's key in an update's id: who asks again after a failure of the moment adds `~1`, `~2`, …"""
    return update.partition("~")[0]


def _box(action: str) -> str:
    """The box an action signs, for those who read histories. Fixed here: histories must not follow the law."""
    return {"sign": " · box 18", "verify": " · box 20", "open_batches": " · box 20", "receive": " · box 21"}.get(
        action, ""
    )
