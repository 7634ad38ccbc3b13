"""Questions about a certificate: who may ask whom what, who answers, who settles (issue: instead of e-mail outside).

One thing to remember: two organisations write, the asker and the asked; every party reads, for all of it is in the
journal. A question changes no box and no status: whoever is asked to correct a box does so as the matrix allows.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.rules.boxes import BOXES, Model
from shared.rules.permissions import Tie
from shared.rules.status import Status

LONGEST: Final = 4000
"""Signs of one message."""
MOST: Final = 200
"""Questions of one certificate, and messages of one question."""

LABELS: Final = {"text": "What you write", "field": "About which box?", "asked_of": "Whom do you ask?"}
"""What is asked of whoever writes."""


class Ask(StrEnum):
    """What is wanted. The codes never change."""

    QUESTION = "question"
    CORRECTION = "correction"
    """Please correct this box."""


@dataclass(frozen=True)
class Asks:
    """One row: who may ask this of whom, while the certificate stands where."""

    kind: Ask
    who: frozenset[Tie]
    whom: frozenset[Tie]
    at: frozenset[Status]


_S, _T = Status, Tie

# fmt: off
PARTIES:   Final = frozenset(Tie) - {_T.CREATOR}
AUTHORITY: Final = frozenset({_T.ENTRY_AUTHORITY, _T.CENTRAL_AUTHORITY})
BUYER:     Final = frozenset({_T.IMPORTER, _T.RFL})
SUBMITTED: Final = frozenset(Status) - {_S.DRAFT, _S.DELETED}
OPEN:      Final = frozenset({_S.DESCRIPTION_COMPLETED, _S.ISSUED})

ASKING: Final = (
    #    what            who asks                 whom                                       while
    Asks(Ask.QUESTION,   PARTIES,                 PARTIES,                                   SUBMITTED),
    Asks(Ask.CORRECTION, frozenset({_T.ISSUER}),  BUYER | {_T.EXPORTER},                     OPEN),
    Asks(Ask.CORRECTION, AUTHORITY,               BUYER | {_T.EXPORTER, _T.ISSUER},          OPEN),
)
# fmt: on
"""A draft has nobody to ask; of a deleted certificate nothing can be corrected any more."""


def may_ask(kind: Ask, status: Status, mine: frozenset[Tie], theirs: frozenset[Tie]) -> bool:
    """Whether somebody so tied may ask this of somebody so tied."""
    return any(row.kind is kind and status in row.at and mine & row.who and theirs & row.whom for row in ASKING)


def askable(status: Status, mine: frozenset[Tie]) -> bool:
    """Whether somebody so tied may ask anybody anything."""
    return any(status in row.at and mine & row.who for row in ASKING)


def may_write(organisation: str, asked_by: str, asked_of: str, mine: frozenset[Tie], settled: bool) -> bool:
    """Whether an organisation may add a message: both sides may, as long as it is named and nothing is settled."""
    return bool(mine) and organisation in (asked_by, asked_of) and not settled


def may_settle(organisation: str, asked_by: str, mine: frozenset[Tie], settled: bool) -> bool:
    """Whether an organisation may say that a question is settled: who asked it may."""
    return bool(mine) and organisation == asked_by and not settled


def boxes_to_ask_about(model: Model) -> tuple[str, ...]:
    """The fields a question may name, one for each thing on this form, in its order."""
    return tuple(row.field for row in BOXES if "." not in row.field and row.is_on(model))
