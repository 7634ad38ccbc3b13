"""A new password for somebody who cannot sign in: a letter with a link, ninety minutes to click it, and he is back.

Whether the address asked for has an account is found out on paper, after the page was answered; where it has none,
nothing happens here and nobody learns it. Until the new password is chosen the old one stays as it is.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, Kind, Step
    from workflows.errand import Errand


@workflow.defn
class PasswordReset(Errand):
    kind = Kind.RESET

    @workflow.init
    def __init__(self, course: Course) -> None:
        super().__init__(course)

    @workflow.run
    async def run(self, course: Course) -> str:
        return await self.go()

    @workflow.update
    async def confirm(self, step: Step) -> Course:
        """The person has chosen a new password: the account is open again, and all its sessions end."""
        return await self.record(step)

    @confirm.validator
    def refuse_late_clicks(self, step: Step) -> None:
        self.refuse_if_late(step)
