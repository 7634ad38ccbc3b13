"""An errand: a process that sees to it that letters are sent and clocks ring around one account.

The paper (the identity service) mints links and knows names and addresses; the process knows neither. Where a step has
to go through it, a link is compared with the time at the click, because after an outage clicks come before timers.
"""

import asyncio
from datetime import timedelta
from typing import ClassVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Step, Taken, Which
    from shared.contracts.notifications import QUEUE as POST_OFFICE
    from shared.contracts.notifications import LetterOrder, NotificationActivities

from workflows.patience import for_a_person, is_long, until_done


class Errand:
    """What every such process does. ``course`` is how far it has come, as the paper last told it."""

    kind: ClassVar[Kind]

    def __init__(self, course: Course) -> None:
        self.course = course
        self.unsure = True
        self.posted: list[str] = []
        self.pen = asyncio.Lock()

    async def go(self) -> str:
        """Until it is over; the last state."""
        while True:
            await self._read_the_row()
            await self._post_letters()
            if self.course.over and not self._news():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._news():
                    return self.course.state
            elif is_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(Course(self.kind, self.course.id))
            else:
                await self._wait_for_news()

    async def _read_the_row(self) -> None:
        """At its birth, and whenever something happened on paper."""
        while self.unsure:
            async with self.pen:
                self.unsure = False
                which = Which(self.kind, self.course.id)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.look, which, **until_done("read the row")
                    )
                )

    async def _post_letters(self) -> None:
        for letter in self._unposted():
            await workflow.execute_activity_method(
                NotificationActivities.send,
                letter,
                task_queue=POST_OFFICE,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
                summary=letter.letter,
            )
            self.posted.append(letter.key)

    async def _wait_for_news(self) -> None:
        """Sleep until something happens or the next clock runs out; the clock only tidies up."""
        due = self.course.due
        patience = max(due.at - workflow.now(), timedelta(0)) if due else None
        try:
            await workflow.wait_condition(
                lambda: self._news() or self.course.due != due or self.course.over,
                timeout=patience,
                timeout_summary=due.name if due else None,
            )
        except TimeoutError:
            assert due is not None
            async with self.pen:
                rung = Rung(self.kind, self.course.id, due)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.ring, rung, **until_done(f"clock {due.name}")
                    )
                )

    async def record(self, step: Step) -> Course:
        """One step on paper, under the key of its order."""
        async with self.pen:
            info = workflow.current_update_info()
            assert info is not None
            try:
                course = await workflow.execute_local_activity_method(
                    IdentityActivities.take, Taken(step, info.id), **for_a_person(f"{info.name} · {step.name}")
                )
            except FailureError:
                # Refused, or failed with the writing perhaps done: look before believing the memory.
                self.unsure = True
                raise
            self._take(course)
            return course

    @staticmethod
    def refuse_if_late(step: Step) -> None:
        """A link that has expired is refused by the time, whether or not its timer has rung."""
        if step.good_until is None or workflow.now() >= step.good_until:
            raise ApplicationError("link_expired", type="link_expired", non_retryable=True)

    @workflow.signal
    def content_changed(self) -> None:
        """Something happened on paper: a new link, a correction, an ending. A fact, so it cannot be refused."""
        self.unsure = True

    def _news(self) -> bool:
        return self.unsure or bool(self._unposted())

    def _unposted(self) -> list[LetterOrder]:
        return [letter for letter in self.course.letters if letter.key not in self.posted]

    def _take(self, course: Course) -> None:
        """Believe the paper, and say to those who look into the engine what is awaited."""
        self.course = course
        until = f"\n\n- next clock: {course.due.name}, {course.due.at:%Y-%m-%d %H:%M} UTC" if course.due else ""
        workflow.set_current_details(f"**{course.state}**\n\n{course.awaited or 'Nothing is awaited.'}{until}")
