"""Extracts as the portal sees them: the doors of the certificates service, what their codes are called, their form.

One thing to remember: fields, numbers and titles are drawn from the law's EXTRACT_BOXES; what may be filled in or done
is told by the service.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.portal import forms, words
from services.portal.names import CHOICES, StatusName
from services.portal.papers import PapersClient, PapersOverHttp
from services.portal.wire import Caller, segment
from services.portal.words import N_
from shared.contracts.certificate_views import (
    ExtractPage,
    ExtractView,
    NewExtract,
    PartyView,
    ProblemView,
    SignatureView,
    TraceView,
)
from shared.contracts.organisations import OrganisationView
from shared.rules.boxes import Model
from shared.rules.extracts import (
    EXTRACT_BOX,
    EXTRACT_BOXES,
    EXTRACT_CLOCK,
    EXTRACT_FORMS,
    SIGNS,
    ExtractBox,
    ExtractStatus,
)
from shared.rules.status import Action


class ExtractsClient(PapersClient[ExtractView]):
    """Extracts: batches of a certificate."""

    @abstractmethod
    async def of_certificate(self, caller: Caller, certificate_id: str) -> ExtractPage:
        """The extracts of a certificate that this reader may see, and what is left."""

    @abstractmethod
    async def mine(self, caller: Caller, **wishes: Any) -> ExtractPage:
        """The extracts this reader may see: status, awaits_me, after, limit."""

    @abstractmethod
    async def begin(self, caller: Caller, certificate_id: str, new: NewExtract, key: str) -> ExtractView:
        """Begin an extract."""

    @abstractmethod
    async def extract(self, caller: Caller, extract_id: str) -> ExtractView:
        """One extract as this reader may see it."""

    @abstractmethod
    async def trace(self, caller: Caller, extract_id: str) -> TraceView:
        """The way of this batch, back to its producers."""

    @abstractmethod
    async def trace_forth(self, caller: Caller, certificate_id: str) -> TraceView:
        """The way of a certificate's goods, on to every consignee."""


class ExtractsOverHttp(PapersOverHttp[ExtractView], ExtractsClient):
    """The certificates service."""

    path = "extracts"
    view = ExtractView

    async def of_certificate(self, caller: Caller, certificate_id: str) -> ExtractPage:
        said = await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}/extracts", caller)
        return ExtractPage.model_validate_json(said)

    async def mine(self, caller: Caller, **wishes: Any) -> ExtractPage:
        plain = {name: "true" if value is True else value for name, value in wishes.items() if value is not False}
        return ExtractPage.model_validate_json(await self._wire.ask("GET", "/extracts", caller, params=plain))

    async def begin(self, caller: Caller, certificate_id: str, new: NewExtract, key: str) -> ExtractView:
        path = f"/certificates/{segment(certificate_id)}/extracts"
        return ExtractView.model_validate_json(await self._wire.ask("POST", path, caller, body=new, key=key))

    async def extract(self, caller: Caller, extract_id: str) -> ExtractView:
        return await self._one(caller, extract_id)

    async def trace(self, caller: Caller, extract_id: str) -> TraceView:
        said = await self._wire.ask("GET", f"/extracts/{segment(extract_id)}/trace", caller)
        return TraceView.model_validate_json(said)

    async def trace_forth(self, caller: Caller, certificate_id: str) -> TraceView:
        said = await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}/trace", caller)
        return TraceView.model_validate_json(said)


# ---- what codes are called --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExtractAction:
    """An action on an extract: its button, what was done, and what its signer declares."""

    button: str
    said: str
    tone: str = ""
    declaration: str = ""


_S, _A, _N = ExtractStatus, Action, StatusName

# fmt: off
STATUSES: Final = {
    _S.NEW:              _N(N_("New"),                                "grey",   0),
    _S.SUBMITTED:        _N(N_("Submitted for endorsement"),          "blue",   1, False, N_("Submitted")),
    _S.VERIFIED:         _N(N_("Batch verified"),                     "amber",  2, False, N_("Verified")),
    _S.CONSIGNEE_SIGNED: _N(N_("Consignee's declaration signed"),     "green",  3, False, N_("Received")),
    _S.CONVENTIONAL:     _N(N_("Released as a conventional product"), "red",    2, True, N_("Conventional")),
    _S.NOT_RELEASED:     _N(N_("Not released"),                       "red",    2, True),
    _S.DELETED:          _N(N_("Deleted"),                            "grey",   0, True),
    _S.OFIS:             _N(N_("OFIS irregularity"),                  "red",    2, True),
}
ACTIONS: Final = {
    _A.SUBMIT: ExtractAction(N_("Submit for endorsement"),
        N_("The extract is submitted and its quantity is booked. The authority has been told.")),
    _A.VERIFY: ExtractAction(N_("Release as organic"), N_("The batch is released. Its consignee has been told."),
        declaration=N_("I declare, for the competent authority, that this batch was verified, and that it may be "
                       "released for free circulation as organic.")),
    _A.RELEASE_CONVENTIONAL: ExtractAction(N_("Release as conventional"),
        N_("The batch is released as a conventional product."), "danger",
        N_("I declare, for the competent authority, that this batch may be released for free circulation only "
           "without any reference to organic production.")),
    _A.REJECT: ExtractAction(N_("Refuse release"), N_("The release of the batch is refused."), "danger",
        N_("I declare, for the competent authority, that this batch is not released for free circulation.")),
    _A.RECEIVE: ExtractAction(N_("Sign for the batch"), N_("The declaration of the consignee is signed."),
        declaration=N_("I declare, for the consignee of this batch, that on reception the packaging or container and, "
                       "where needed, the certificate were checked, with the result stated here.")),
    _A.DELETE: ExtractAction(N_("Delete"),
        N_("The extract is deleted; its quantity is available again."), "danger"),
    _A.SIGNAL_IRREGULARITY: ExtractAction(N_("Signal an irregularity"), N_("The irregularity is signalled."), "danger"),
    _A.CONCLUDE_IRREGULARITY: ExtractAction(N_("Conclude the irregularity"), N_("The irregularity is concluded.")),
}
MAIN: Final = (_A.SUBMIT, _A.VERIFY, _A.RECEIVE)
"""Actions a page offers first."""
DECISIONS: Final = (_A.VERIFY, _A.RELEASE_CONVENTIONAL, _A.REJECT)
ROLES: Final = {
    "producer":              "Producer or last processor",
    "producer_control_body": "Control body of the producer",
    "exporter":              "Exporter",
    "issuing_body":          N_("Issuing body"),
    "importer":              "Importer",
    "entry_authority":       N_("Released by"),
    "first_consignee":       "First consignee",
    "consignee":             "Consignee of the batch",
}
EVENTS: Final = {
    "create":                       N_("Extract begun"),
    "amend":                        N_("Boxes filled in"),
    _A.SUBMIT.value:                N_("Submitted for endorsement"),
    _A.DELETE.value:                N_("Deleted"),
    _A.VERIFY.value:                N_("Batch verified"),
    _A.RELEASE_CONVENTIONAL.value:  N_("Released as a conventional product"),
    _A.REJECT.value:                N_("Not released"),
    _A.RECEIVE.value:               N_("Consignee's declaration signed"),
    _A.SIGNAL_IRREGULARITY.value:   N_("Irregularity signalled"),
    _A.CONCLUDE_IRREGULARITY.value: N_("Irregularity concluded"),
    "clock":                        N_("A deadline passed"),
    "merge":                        N_("Two records of one organisation became one"),
}
"""What a line of an extract's journal says was done."""
STAGES: Final = (N_("New"), N_("Submitted"), N_("Verified"), N_("Received"))
OWN_CHOICES: Final = {**CHOICES, **{status.value: name.name for status, name in STATUSES.items()}}
# fmt: on


# ---- the extract as a page shows it ------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExtractSheet:
    """One extract, laid out; open while its reader may fill it in."""

    view: ExtractView
    content: Mapping[str, Any]
    problems: tuple[ProblemView, ...] = ()
    found: Mapping[str, tuple[OrganisationView, ...]] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The form its certificate follows."""
        return Model(self.view.form_model)

    @property
    def boxes(self) -> list[ExtractBox]:
        """The boxes printed on this form."""
        return [box for box in EXTRACT_BOXES if box.number(self.model) is not None]

    def value(self, box: ExtractBox) -> Any:
        """What stands in a box: the certificate's, or the extract's own."""
        if box.field == "number":
            return self.view.parent.number
        return (self.view.parent.content if box.copied else self.content).get(box.field)

    def is_open(self, box: ExtractBox) -> bool:
        """Whether this reader may fill in the box."""
        return box.field in self.view.may.edit

    def party(self, organisation: str | None) -> PartyView | None:
        """An organisation the extract names."""
        return self.view.parties.get(organisation or "")

    def problems_at(self, box: ExtractBox) -> list[ProblemView]:
        """What is wrong in this box."""
        return [each for each in self.problems if forms.bare_root(each.field) == box.field]

    def signature(self, box: ExtractBox) -> SignatureView | None:
        """The signature under this box."""
        signers = {action.value for action, signed in SIGNS.items() if signed == box.field}
        return next((each for each in reversed(self.view.signatures) if each.action in signers), None)

    def has(self, name: str) -> bool:
        """Whether this is a box of the form."""
        return name in EXTRACT_BOX

    def row(self, name: str) -> ExtractBox:
        """The box of a field."""
        return EXTRACT_BOX[name]

    def label(self, name: str) -> str:
        """What a box is called."""
        return words.law(EXTRACT_BOX[name].title)

    def said(self, value: str) -> str:
        """A piece of content in words: an organisation's name, a country, or as it stands there."""
        party = self.party(value)
        if party is not None:
            return party.name
        return words.country(value) if len(value) == 2 and value.isupper() else words.law(OWN_CHOICES.get(value, value))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The lines that may be filled in: every line of the certificate, with what this batch takes of it."""
        taken = {str(line.get("id")): line for line in self.content.get("product_lines") or []}
        return [{"left": line, "taken": taken.get(line.id, {})} for line in self.view.left]


def changes_in(typed: forms.Typed, view: ExtractView) -> dict[str, Any]:
    """The boxes that were on the form and now say something else than before."""
    said: dict[str, Any] = {}
    for name in ("operator", "clearance_country", "entry_authority", "consignee"):
        if name in view.may.edit and typed.get(name) is not None:
            said[name] = forms.text(typed, name) or None
    if "product_lines" in view.may.edit and view.left:
        rows = []
        for line in view.left:
            counted, weight = (
                forms.text(typed, f"line.{line.id}.packages"),
                forms.text(typed, f"line.{line.id}.net_weight"),
            )
            if counted or weight:
                plain = words.typed_number(counted) if counted else ""
                number: Any = int(plain) if plain.isdigit() else (counted or None)
                rows.append({"id": line.id, "packages": number, "net_weight": words.typed_number(weight) or None})
        said["product_lines"] = rows
    before = {**view.content, "product_lines": [_plain(line) for line in view.content.get("product_lines") or []]}
    return {name: value for name, value in said.items() if not forms.alike(value, before.get(name))}


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line.get(name) for name in ("id", "packages", "net_weight")}


def journey(status: ExtractStatus) -> list[dict[str, Any]]:
    """The stations of an extract, and where it stands."""
    here = STATUSES[status]
    stages = []
    for place, name in enumerate(STAGES):
        done = place < here.stage or status is ExtractStatus.CONSIGNEE_SIGNED
        now = "stopped" if here.stopped else "now"
        shown = here.name if place == here.stage and here.stopped else name
        state = "done" if done else now if place == here.stage else ""
        stages.append({"name": words._(shown), "state": state, "at": None})
    return stages


def waiting(view: ExtractView) -> str:
    """One sentence: whom the extract waits for, and what happens next."""
    if view.frozen:
        return words._("This extract waits: its certificate is not open for extracts at the moment.")
    if view.awaited is None:
        return ""
    if view.awaited.mine:
        return words._("It is your turn.")
    who = words.listing([each.name for each in view.awaited.organisations]) or words._("somebody to be named")
    return words._("Waits for %(who)s.", who=who)


def then(view: ExtractView) -> str:
    """What happens when the next clock rings."""
    clock = EXTRACT_CLOCK.get(view.awaited.clock or "") if view.awaited else None
    return words.law(clock.then) if clock else ""


def question(name: str) -> str:
    """What an answer of a signed form answers."""
    labels = {each.name: each.label for form in EXTRACT_FORMS for each in form.questions}
    return labels.get(name, name)
