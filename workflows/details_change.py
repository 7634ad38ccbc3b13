"""A change of name or address that is confirmed by mail, and letters about how somebody signs in.

The links are followed at the door and compared with the time there; this process posts the letters, and tidies up when
nobody has followed them.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Which
    from shared.contracts.notifications import QUEUE as POST_OFFICE
    from shared.contracts.notifications import NotificationActivities


# Nobody waits for any of this, and a failure would end the process: no limit.
def until_done(summary: str) -> workflow.LocalActivityConfig:
    return workflow.LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
        summary=summary,
    )


@workflow.defn
class DetailsChange:
    @workflow.init
    def __init__(self, course: Course) -> None:
        self.course = course
        self.unsure = True
        self.posted: list[str] = []
        self.pen = asyncio.Lock()

    @workflow.run
    async def run(self, course: Course) -> str:
        while True:
            await self._read_the_row()
            await self._post_letters()
            if self.course.over and not self._news():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._news():
                    return self.course.state
            elif workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(Course(Kind.CHANGE, self.course.id))
            else:
                await self._wait_for_clicks()

    async def _read_the_row(self) -> None:
        """At its birth, and whenever something happened on paper."""
        while self.unsure:
            async with self.pen:
                self.unsure = False
                which = Which(Kind.CHANGE, self.course.id)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.look, which, **until_done("read the row")
                    )
                )

    async def _post_letters(self) -> None:
        """The links, and afterwards word of the change."""
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

    async def _wait_for_clicks(self) -> None:
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
                rung = Rung(Kind.CHANGE, self.course.id, due)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.ring, rung, **until_done(f"clock {due.name}")
                    )
                )

    @workflow.signal
    def content_changed(self) -> None:
        """A link was followed, or a newer change took its place. A fact, so it cannot be refused."""
        self.unsure = True

    def _news(self) -> bool:
        return self.unsure or bool(self._unposted())

    def _unposted(self) -> list:  # type: ignore[type-arg]
        return [letter for letter in self.course.letters if letter.key not in self.posted]

    def _take(self, course: Course) -> None:
        """Believe the paper, and say to those who look into the engine what is awaited."""
        self.course = course
        until = f"\n\n- next clock: {course.due.name}, {course.due.at:%Y-%m-%d %H:%M} UTC" if course.due else ""
        workflow.set_current_details(f"**{course.state}**\n\n{course.awaited or 'Nothing is awaited.'}{until}")
