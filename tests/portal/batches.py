"""One extract in memory, as the portal meets it: the service's rights and problems are told by the real law."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from services.portal.clients import Caller, Trouble
from services.portal.extracts import ExtractsClient
from shared.contracts.certificate_views import (
    AwaitedView,
    Confirmation,
    Edit,
    ExtractLine,
    ExtractPage,
    ExtractParent,
    ExtractView,
    JournalLine,
    JournalView,
    LineLeft,
    MayView,
    NewExtract,
    PartyView,
    ProblemView,
    SignatureView,
    TraceStep,
    TraceView,
    Wish,
)
from shared.rules.extract_problems import check_extract_form
from shared.rules.extracts import SIGNS, ExtractStatus, extract_allowed, extract_move
from shared.rules.permissions import Tie
from shared.rules.status import Action, Status
from shared.words import say
from tests.services.conftest import NOON

EXTRACT = "00000000-0000-4000-8000-0000000e0001"
PARENT = "00000000-0000-4000-8000-0000000e0000"
BUYER, POST, GOAL = (f"00000000-0000-4000-8000-0000000e010{n}" for n in range(3))
PARTIES = {
    BUYER: PartyView(id=BUYER, name="Pyrénées Bio Import", kind="OPERATOR", country="FR"),
    POST: PartyView(id=POST, name="Perpignan", kind="AUTHORITY", country="FR"),
    GOAL: PartyView(id=GOAL, name="Garonne Bio", kind="OPERATOR", country="FR"),
}
LEFT = LineLeft(
    id="1", cn_code="08041000", trade_name="Dates", lot="L-1", unit="KGM", package_type="CT", packages=100,
    net_weight="1000", packages_left=90, net_weight_left="900",
)  # fmt: skip


@dataclass
class ExtractsInMemory(ExtractsClient):
    """One extract; ``ties`` are those of whoever looks."""

    status: ExtractStatus = ExtractStatus.NEW
    ties: frozenset[Tie] = frozenset({Tie.CREATOR, Tie.IMPORTER})
    revision: int = 1
    awaiting: bool = False
    content: dict[str, Any] = field(default_factory=lambda: {"operator": BUYER, "clearance_country": "FR"})
    signatures: list[SignatureView] = field(default_factory=list)
    orders: list[Wish] = field(default_factory=list)

    def view(self) -> ExtractView:
        """The extract as its reader sees it."""
        may = extract_allowed(self.status, self.ties)
        lines = [{**line, "trade_name": "Dates", "unit": "KGM"} for line in self.content.get("product_lines", [])]
        awaited = AwaitedView(
            code="await_extract", organisations=[PARTIES[BUYER]], since=NOON, until=NOON,
            clock="extract_undecided", mine=self.awaiting,
        )  # fmt: skip
        return ExtractView(
            id=EXTRACT, number="COI.MA.2026.0000001-E01", form_model="COI_2017", status=self.status,
            revision=self.revision, created_at=NOON, updated_at=NOON, entered_at=NOON,
            content={**self.content, "product_lines": lines},
            parent=ExtractParent(
                id=PARENT, number="COI.MA.2026.0000001", status=Status.BASE_FOR_EXTRACT, whole=True,
                content={"importer": BUYER, "countries_of_origin": ["MA"], "country_of_export": "MA",
                         "procedure": "COMPLIANCE"},
            ),
            parties=PARTIES, ties=sorted(self.ties), may=MayView(edit=sorted(may.edit), do=sorted(may.do)),
            frozen=False, problems=[], awaited=awaited, signatures=self.signatures, left=[LEFT],
        )  # fmt: skip

    async def of_certificate(self, caller: Caller, certificate_id: str) -> ExtractPage:
        return ExtractPage(items=[self._line()], left=[LEFT], may_begin=True)

    def _line(self) -> ExtractLine:
        weights = [(str(Decimal(100)), "KGM")]
        return ExtractLine(
            id=EXTRACT, number=self.view().number, parent_id=PARENT, status=self.status, revision=self.revision,
            consignee=PARTIES[GOAL], entry_authority=PARTIES[POST], packages=10, net_weight=weights,
            updated_at=NOON, awaits_me=self.awaiting,
        )  # fmt: skip

    async def mine(self, caller: Caller, **wishes: Any) -> ExtractPage:
        shown = [] if wishes.get("awaits_me") and not self.awaiting else [self._line()]
        return ExtractPage(items=shown, left=[], may_begin=False)

    async def begin(self, caller: Caller, certificate_id: str, new: NewExtract, key: str) -> ExtractView:
        return self.view()

    async def extract(self, caller: Caller, extract_id: str) -> ExtractView:
        if extract_id != EXTRACT:
            raise Trouble(404, "not_found")
        return self.view()

    async def edit(self, caller: Caller, extract_id: str, edit: Edit, key: str) -> ExtractView:
        self.content, self.revision = {**self.content, **edit.changes}, self.revision + 1
        return self.view()

    async def confirmation(self, caller: Caller, extract_id: str, action: str) -> Confirmation:
        return Confirmation(
            action=action, revision=self.revision, fingerprint="ab" * 32, document={"content": {}}, problems=[]
        )

    async def order(self, caller: Caller, extract_id: str, wish: Wish, key: str) -> ExtractView:
        wrong = check_extract_form(Action(wish.action), wish.form)
        if wrong:
            told = [
                ProblemView(field=each.field, box=None, title="", code=each.code, message=say(each.code, "en"))
                for each in wrong
            ]
            raise Trouble(422, "incomplete", "Something is still missing or not right.", problems=tuple(told))
        self.orders.append(wish)
        action = Action(wish.action)
        self.status, self.revision = extract_move(self.status, action), self.revision + 1
        if field_ := SIGNS.get(action):
            self.content = {**self.content, field_: wish.form}
            signed = SignatureView(
                box="13", action=action, person="Paul", organisation=PARTIES[POST], at=NOON,
                revision=self.revision, fingerprint="ab" * 32, form=wish.form,
            )  # fmt: skip
            self.signatures.append(signed)
        return self.view()

    async def trace(self, caller: Caller, extract_id: str) -> TraceView:
        steps = [
            TraceStep(role="importer", organisation=PARTIES[BUYER], lots=["L-1"]),
            TraceStep(role="consignee", organisation=PARTIES[GOAL], lots=["L-1"], extract="…-E01"),
        ]
        return TraceView(certificate_id=PARENT, number="COI.MA.2026.0000001", steps=steps)

    async def trace_forth(self, caller: Caller, certificate_id: str) -> TraceView:
        return await self.trace(caller, EXTRACT)

    async def journal(self, caller: Caller, extract_id: str) -> JournalView:
        lines = [
            JournalLine(
                certificate_id=EXTRACT, seq=1, at=NOON, person_id="p", person="Paul", organisation_id=BUYER,
                organisation="Pyrénées Bio Import", action="create", source=None, target=ExtractStatus.NEW, revision=1,
                reason=None, changes={"consignee": [None, GOAL], "clearance_country": [None, "FR"]}, form={}, seal=None,
                relies_on={}, previous="", hash="ab" * 32,
            ),
            JournalLine(
                certificate_id=EXTRACT, seq=2, at=NOON, person_id="p", person="Paul", organisation_id=BUYER,
                organisation="Pyrénées Bio Import", action="submit", source=ExtractStatus.NEW,
                target=ExtractStatus.SUBMITTED, revision=2, reason=None, changes={}, form={}, seal=None,
                relies_on={}, previous="ab" * 32, hash="cd" * 32,
            ),
        ]  # fmt: skip
        return JournalView(
            certificate_id=EXTRACT, number="COI.MA.2026.0000001-E01", length=2, head="cd" * 32, lines=lines
        )

    async def journal_export(self, caller: Caller, extract_id: str) -> bytes:
        return (await self.journal(caller, extract_id)).model_dump_json().encode()

    async def pdf(self, caller: Caller, extract_id: str, language: str) -> bytes:
        return f"%PDF-1.7 {extract_id} {language}".encode()

    async def close(self) -> None:
        pass
