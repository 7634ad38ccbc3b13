"""A change of name or address that is confirmed by mail, and letters about how somebody signs in.

The links are followed at the door and compared with the time there; this process posts the letters, and tidies up when
nobody has followed them.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shared.contracts.identity import Course, Kind
    from workflows.errand import Errand


@workflow.defn
class DetailsChange(Errand):
    kind = Kind.CHANGE

    @workflow.init
    def __init__(self, course: Course) -> None:
        super().__init__(course)

    @workflow.run
    async def run(self, course: Course) -> str:
        return await self.go()
