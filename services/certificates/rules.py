"""Rules only this service reads: what a certificate waits for in each status, and how a change is told.

One thing to remember: a certificate may wait for two things at once; its first row says which comes to its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.rules.boxes import Model
from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.status import Status


@dataclass(frozen=True)
class Awaits:
    """What a certificate in one status waits for."""

    status: Status
    code: str
    turn: tuple[Tie, ...]
    what: str
    """For ops, in English; readers get the words of the code in their language."""
    form: Model | None = None
    """Only on this form, where it is not both."""
    part: str | None = None
    """Only while this part of a box that was begun is still empty."""

    def holds(self, model: Model, content: Mapping[str, Any]) -> bool:
        """Whether a certificate of this form, with this content, waits for it in that status."""
        box, _, part = (self.part or "").partition(".")
        begun = content.get(box) or {}
        return self.form in (None, model) and (not part or (bool(begun) and not begun.get(part)))


_S, _T, _M22 = Status, Tie, Model.COI_2022

# fmt: off
AWAITS: Final = (
    #      in this status               code                  whose turn                           what for
    Awaits(_S.DRAFT,                    "await_submission",   (_T.CREATOR,),                       "The creator is to complete and submit the draft."),
    Awaits(_S.DESCRIPTION_COMPLETED,    "await_box_18",       (_T.ISSUER,),                        "The issuing body is to check and sign box 18."),
    Awaits(_S.ISSUED,                   "await_box_20",       (_T.ENTRY_AUTHORITY,),               "The goods travel; the authority of box 9 is to check the consignment and sign box 20."),
    Awaits(_S.ISSUED,                   "await_customs_reference", (_T.IMPORTER,),                 "The importer is to write the customs reference into box 23.", _M22, "customs_procedure.reference"),
    Awaits(_S.CONSIGNMENT_VERIFIED,     "await_box_21",       (_T.CONSIGNEE,),                     "The first consignee is to receive the goods and sign box 21."),
    Awaits(_S.BASE_FOR_EXTRACT,         "await_extracts",     (_T.IMPORTER, _T.RFL),               "The importer or who is responsible for the load is to cut extracts."),
    Awaits(_S.OFIS_IRREGULARITY,        "await_conclusion",   (_T.ISSUER, _T.ENTRY_AUTHORITY),     "The issuing body is to reply, the authority to conclude."),
)
# fmt: on


def awaited(status: Status, model: Model, content: Mapping[str, Any]) -> tuple[Awaits, ...]:
    """All that a certificate waits for, first what brings it on; nothing where nobody has to act."""
    return tuple(row for row in AWAITS if row.status is status and row.holds(model, content))


@dataclass(frozen=True)
class ExtractAwaits:
    """What an extract in one status waits for."""

    status: ExtractStatus
    code: str
    turn: tuple[Tie, ...]
    what: str


_X = ExtractStatus

# fmt: off
EXTRACT_AWAITS: Final = (
    #             in this status   code                      whose turn                    what for
    ExtractAwaits(_X.NEW,          "await_extract",          (_T.IMPORTER, _T.RFL),        "The importer or who is responsible for the load is to fill in the batch and submit it."),
    ExtractAwaits(_X.SUBMITTED,    "await_endorsement",      (_T.ENTRY_AUTHORITY,),        "The authority of the point of release is to decide."),
    ExtractAwaits(_X.VERIFIED,     "await_batch_reception",  (_T.CONSIGNEE,),              "The consignee of the batch is to receive it and sign."),
    ExtractAwaits(_X.OFIS,         "await_conclusion",       (_T.ENTRY_AUTHORITY,),        "The authority is to conclude."),
)
# fmt: on
EXTRACT_AWAITED: Final = {row.status: row for row in EXTRACT_AWAITS}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What changed: field -> [before, after], for the journal and for the page that shows it."""
    return {
        field: [before.get(field), after.get(field)]
        for field in sorted(before.keys() | after.keys())
        if before.get(field) != after.get(field)
    }
