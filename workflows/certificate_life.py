"""The life of one certificate of inspection, from draft to its last status."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from shared.contracts.certificates import CertificateActivities, Life, Order, Record, Ring
    from shared.rules.status import Status
    from shared.rules.verdict import refuse_unless_lawful
    from workflows.pen import Paper, Pen

STATUS = SearchAttributeKey.for_keyword("CertificateStatus")
BOXES = {"sign": " · box 18", "verify": " · box 20", "open_batches": " · box 20", "receive": " · box 21"}
"""The box an action signs, for those who read histories. Fixed here: histories must not follow the law."""


@workflow.defn
class CertificateLife(Pen):
    paper = Paper(
        CertificateActivities.record, CertificateActivities.look, CertificateActivities.ring, Order, Record, Ring
    )

    @workflow.init
    def __init__(self, life: Life) -> None:
        super().__init__(life)

    @workflow.run
    async def run(self, life: Life) -> Status:
        return Status(await self.live())

    def record_id(self) -> str:
        return str(self.memory.certificate_id)

    def gate(self, order: Order) -> None:
        life = self.memory
        refuse_unless_lawful(order.asks, life.status, life.ties(order.actor), life.submitted)

    def said(self, order: Order) -> str:
        return f"{order.action}{BOXES.get(order.action, '')} · revision {order.revision} · {order.for_whom}"

    def title(self) -> str:
        return f"{self.memory.number or 'draft'} · {self.memory.status}"

    def marks(self) -> list[SearchAttributeUpdate[Any]]:
        return [STATUS.value_set(self.memory.status.value)]

    def turn(self) -> tuple[str, ...]:
        return tuple(self.memory.awaited.names)
