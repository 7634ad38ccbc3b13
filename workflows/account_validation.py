"""The classic registration: a letter to confirm, then the competent authority decides (guides 003, 004).

Nobody has an account before his authority has activated it. The paper (the identity service) knows names, addresses and
who is competent; the process knows neither. It sees to it that letters are sent and clocks ring: they remind, tell the
authority above, and in the end let the request expire. Silence never activates.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Step, Taken, Which
    from shared.contracts.notifications import QUEUE as POST_OFFICE
    from shared.contracts.notifications import NotificationActivities


# Somebody waits for the answer to a step: three attempts, then the page is told. Nobody waits for the rest: no limit.
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


@workflow.defn
class AccountValidation:
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
                workflow.continue_as_new(Course(Kind.VALIDATION, self.course.id))
            else:
                await self._wait_for_news()

    async def _read_the_row(self) -> None:
        """At its birth, and whenever something happened on paper."""
        while self.unsure:
            async with self.pen:
                self.unsure = False
                which = Which(Kind.VALIDATION, self.course.id)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.look, which, **until_done("read the row")
                    )
                )

    async def _post_letters(self) -> None:
        """To the applicant, and to those who are to decide."""
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
        """Sleep until something happens or the next clock runs out."""
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
                rung = Rung(Kind.VALIDATION, self.course.id, due)
                self._take(
                    await workflow.execute_local_activity_method(
                        IdentityActivities.ring, rung, **until_done(f"clock {due.name}")
                    )
                )

    @workflow.update
    async def confirm(self, step: Step) -> Course:
        """The person at the address answers the letter: the request is his, or it is not."""
        return await self._record(step)

    @confirm.validator
    def refuse_late_clicks(self, step: Step) -> None:
        """A link that has expired is refused by the time, whether or not its timer has rung."""
        if step.good_until is None or workflow.now() >= step.good_until:
            raise ApplicationError("link_expired", type="link_expired", non_retryable=True)

    @workflow.update
    async def decide(self, step: Step) -> Course:
        """The competent authority activates the account or refuses the request."""
        return await self._record(step)

    async def _record(self, step: Step) -> Course:
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

    @workflow.signal
    def content_changed(self) -> None:
        """Something it depends on was changed: a new letter, a correction. A fact, so it cannot be refused."""
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
