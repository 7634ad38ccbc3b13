"""The life of one extract: a batch of a certificate, from its beginning to its consignee's signature.

This process is the only pen of the extract's status; the certificate's row is the owner of the quantities.
"""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from shared.contracts.certificates import Batch, BatchRecord, BatchRing, ExtractActivities, Order
    from shared.rules.extracts import ExtractStatus, extract_moves
    from shared.rules.refusals import Refused
    from workflows.pen import Paper, Pen

STATUS = SearchAttributeKey.for_keyword("CertificateStatus")
SIGNS = {"verify": " · decision", "receive": " · reception"}
"""What an action signs, for those who read histories. Fixed here: histories must not follow the law."""


@workflow.defn
class ExtractLife(Pen):
    paper = Paper(
        ExtractActivities.record, ExtractActivities.look, ExtractActivities.ring, Order, BatchRecord, BatchRing
    )

    @workflow.init
    def __init__(self, life: Batch) -> None:
        super().__init__(life)

    @workflow.run
    async def run(self, life: Batch) -> ExtractStatus:
        return ExtractStatus(await self.live())

    def record_id(self) -> str:
        return str(self.memory.extract_id)

    def gate(self, order: Order) -> None:
        if not extract_moves(self.memory.status, order.asks):
            raise Refused("wrong_status", action=order.asks, status=self.memory.status)

    def said(self, order: Order) -> str:
        return f"{order.action}{SIGNS.get(order.action, '')} · revision {order.revision} · {order.for_whom}"

    def title(self) -> str:
        return f"{self.memory.number or 'extract'} · {self.memory.status}"

    def marks(self) -> list[SearchAttributeUpdate[Any]]:
        return [STATUS.value_set(self.memory.status.value)]

    def turn(self) -> tuple[str, ...]:
        return tuple(self.memory.awaited.names)
