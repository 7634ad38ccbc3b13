"""The pen: a process that keeps the status of one record, which nobody else may change.

Every move goes through it, one at a time. A service is the paper: a move has happened once it is written there. The law
is asked at the gate (the validator) and again on paper (the activity), never in between: what runs here is replayed for
years, and must not change when the law does. Each life names its paper, and what its gate knows for certain.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shared.rules.refusals import Refused

from workflows.patience import for_a_person, is_long, until_done

AWAITED = SearchAttributeKey.for_keyword_list("Awaited")
DEADLINE = SearchAttributeKey.for_datetime("NextDeadline")


@dataclass(frozen=True)
class Paper:
    """How a life reaches its record: three local activities, and what they are told."""

    record: Callable[..., Any]
    look: Callable[..., Any]
    ring: Callable[..., Any]
    order: type
    """What an update carries."""
    note: Callable[[str, Any, str], Any]
    """What ``record`` is told: the record's id, the order, its key."""
    rung: Callable[[str, Any], Any]
    """What ``ring`` is told: the record's id, the clock."""


class Pen(ABC):
    """What every such life does. ``memory`` is the record as the paper last told it, or only its id at first."""

    paper: ClassVar[Paper]
    nobody: ClassVar[str] = "nobody in particular"

    def __init__(self, memory: Any, *, unsure: bool = False) -> None:
        self.memory = memory
        self.unsure = unsure
        self.pen = asyncio.Lock()

    # ── What a life says for itself ───────────────────────────────────────────────────────────────────────────

    def record_id(self) -> str:
        """The record's id."""
        return str(self.memory.id)

    @abstractmethod
    def gate(self, order: Any) -> None:
        """Refuse what the memory knows to be unlawful; everything else goes on to the paper."""

    def said(self, order: Any) -> str:
        """An order in few words, for those who read histories."""
        return f"{order.action} · revision {order.revision} · {order.actor.organisation_id or 'applicant'}"

    def title(self) -> str:
        """The record in few words, for ops."""
        return str(self.memory.status)

    def marks(self) -> list[SearchAttributeUpdate[Any]]:
        """What ops may search for, besides whose turn it is and until when."""
        return []

    def turn(self) -> Sequence[str]:
        """Whose turn it is, for ops."""
        return tuple(self.memory.awaited.organisations)

    # ── What they have in common ──────────────────────────────────────────────────────────────────────────────

    async def live(self) -> str:
        """Until it is over; the last status."""
        if self.memory.awaited:
            self._say()  # a run that goes on from another has nothing said yet
        while True:
            if not self.unsure and (self.memory.over or is_long()):
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self.memory.over and not self.unsure:
                    return str(self.memory.status)
                if is_long() and not self.unsure:
                    workflow.continue_as_new(self.memory)
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        """Sleep until something changes or the next clock runs out."""
        seen = self.memory
        patience = max(seen.due.at - workflow.now(), timedelta(0)) if seen.due else None
        try:
            await workflow.wait_condition(
                lambda: self.unsure or self.memory != seen or is_long(),
                timeout=patience,
                timeout_summary=seen.due.name if seen.due else None,
            )
        except TimeoutError:
            async with self.pen:
                rung = self.paper.rung(self.record_id(), seen.due)
                self._take(
                    await workflow.execute_local_activity_method(
                        self.paper.ring, rung, **until_done(f"clock {seen.due.name}")
                    )
                )
        if self.unsure:
            async with self.pen:
                self.unsure = False
                self._take(
                    await workflow.execute_local_activity_method(
                        self.paper.look, self.record_id(), **until_done("read the row")
                    )
                )

    @workflow.update(dynamic=True)
    async def act(self, action: str, arguments: Sequence[RawValue]) -> Any:
        """Make one move, or refuse; answer with what the paper recorded for this order."""
        order = self._order(arguments)
        async with self.pen:
            info = workflow.current_update_info()
            assert info is not None
            note = self.paper.note(self.record_id(), order, _key(info.id))
            try:
                recorded = await workflow.execute_local_activity_method(
                    self.paper.record, note, **for_a_person(self.said(order))
                )
            except FailureError:
                # Refused, or failed with the writing perhaps done: look before believing the memory.
                self.unsure = True
                raise
            self._take(recorded.now)
            return recorded.answer

    @act.validator
    def refuse_unlawful_orders(self, action: str, arguments: Sequence[RawValue]) -> None:
        """Refuse at the gate only what the memory knows for certain."""
        order = self._order(arguments)
        if action != order.action:
            raise ApplicationError("unknown_action", type="unknown_action", non_retryable=True)
        if order.revision != self.memory.revision:
            return
        try:
            self.gate(order)
        except Refused as refusal:
            raise ApplicationError(
                refusal.code, dict(refusal.details), type=refusal.code, non_retryable=True
            ) from refusal

    @workflow.signal
    def content_changed(self) -> None:
        """Something it depends on was changed beside it: boxes, parties, evidence. A fact, so it is not refused."""
        self.unsure = True

    def _order(self, arguments: Sequence[RawValue]) -> Any:
        return workflow.payload_converter().from_payload(arguments[0].payload, self.paper.order)

    def _take(self, memory: Any) -> None:
        """Believe the paper; what ops see follows from it."""
        before, self.memory = self.memory, memory
        if (before.status, before.awaited, before.due) == (memory.status, memory.awaited, memory.due):
            return
        workflow.upsert_search_attributes(
            [
                *self.marks(),
                AWAITED.value_set(list(memory.awaited.organisations) if memory.awaited else []),
                DEADLINE.value_set(memory.due.at) if memory.due else DEADLINE.value_unset(),
            ]
        )
        self._say()

    def _say(self) -> None:
        """The sentence on the process's page: what is awaited of whom, since when, until when, and what then."""
        awaited = self.memory.awaited
        if awaited is None:
            workflow.set_current_details(f"**{self.title()}** · nothing is awaited")
            return
        until = f"{awaited.until:%Y-%m-%d %H:%M} UTC" if awaited.until else "no date"
        workflow.set_current_details(
            f"**{self.title()}**\n\n{awaited.what}\n\n"
            f"- whose turn: {', '.join(self.turn()) or self.nobody}\n"
            f"- since: {awaited.since:%Y-%m-%d %H:%M} UTC\n- until: {until}\n- then: {awaited.then}"
        )


def _key(update: str) -> str:
    """The order's key in an update's id: who asks again after a failure of the moment adds `~1`, `~2`, …"""
    return update.partition("~")[0]
