"""The statuses of a certificate and the moves between them (guide 002 §3.2).

One thing to remember: a move that is not a row of MOVES does not exist.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.rules.refusals import Refused


class Status(StrEnum):
    """Where a certificate stands. The first eleven are the guide's; the codes never change."""

    DRAFT = "DRAFT"
    """Brouillon. Being written; only its creator's organisation knows of it."""
    DESCRIPTION_COMPLETED = "DESCRIPTION_COMPLETED"
    """Description terminée. Submitted and numbered; the issuing body is to check and sign."""
    ISSUED = "ISSUED"
    """Déclaration de l'organisme de délivrance signée. Box 18 is signed; the goods may travel."""
    CONSIGNMENT_VERIFIED = "CONSIGNMENT_VERIFIED"
    """Lot vérifié. Box 20 is signed; the first consignee is to receive the goods."""
    FIRST_CONSIGNEE_SIGNED = "FIRST_CONSIGNEE_SIGNED"
    """Déclaration du premier destinataire signée. Box 21 is signed; the journey is over."""
    BASE_FOR_EXTRACT = "BASE_FOR_EXTRACT"
    """Base pour extrait. Box 20 is signed for release in batches; extracts are cut from it."""
    RELEASED_CONVENTIONAL = "RELEASED_CONVENTIONAL"
    """Mise en libre pratique comme produit conventionnel. Released without any mention of organic."""
    NOT_RELEASED = "NOT_RELEASED"
    """Pas de mise en libre pratique. The goods do not enter."""
    OFIS_IRREGULARITY = "OFIS_IRREGULARITY"
    """Irrégularité OFIS. Something is wrong; frozen until the authority concludes."""
    DELETED = "DELETED"
    """Supprimé. Taken back; kept for the record."""
    REPLACED = "REPLACED"
    """Remplacé. Another certificate has taken its place."""
    DEPLETED = "DEPLETED"
    """Épuisé. Every batch has been extracted (not in the guide)."""


class Action(StrEnum):
    """What may be asked of a certificate. The codes go into journals and never change."""

    SUBMIT = "submit"
    SIGN = "sign"
    DELETE = "delete"
    AMEND = "amend"
    START_CUSTOMS_PROCEDURE = "start_customs_procedure"
    REPLACE = "replace"
    ACCEPT_REPLACEMENT = "accept_replacement"
    RECORD_CHECKS = "record_checks"
    VERIFY = "verify"
    OPEN_BATCHES = "open_batches"
    RELEASE_CONVENTIONAL = "release_conventional"
    REJECT = "reject"
    RECEIVE = "receive"
    SIGNAL_IRREGULARITY = "signal_irregularity"
    REPLY_IRREGULARITY = "reply_irregularity"
    CONCLUDE_IRREGULARITY = "conclude_irregularity"
    EXTRACT = "extract"
    DEPLETE = "deplete"
    COPY = "copy"


CONTENT: Final = frozenset({Action.AMEND, Action.EXTRACT, Action.COPY})
"""Actions that change boxes and leave the status alone: one transaction of the service, never the pen's."""


NOTED: Final = frozenset({
    Action.START_CUSTOMS_PROCEDURE, Action.ACCEPT_REPLACEMENT, Action.RECORD_CHECKS, Action.REPLY_IRREGULARITY,
})  # fmt: skip
"""Orders of the pen's that leave the status alone: what they say is noted beside it."""


@dataclass(frozen=True)
class Move:
    """One arrow of the guide's diagram: this action leads from here to there."""

    number: str
    """T4: the row's name in our documents; several arrows may share it."""
    action: Action
    source: Status
    target: Status | None
    """Where it leads; None is back to where the certificate stood before."""
    offered: bool = True
    """False while no form exists for it: the law knows the move, the edge refuses it politely."""


_S, _A = Status, Action

# fmt: off
MOVES: Final = (
    #    no.    action                      from                        to
    Move("T2",  _A.AMEND,                   _S.DRAFT,                   _S.DRAFT),
    Move("T3",  _A.DELETE,                  _S.DRAFT,                   _S.DELETED),
    Move("T4",  _A.SUBMIT,                  _S.DRAFT,                   _S.DESCRIPTION_COMPLETED),
    Move("T5",  _A.SIGN,                    _S.DRAFT,                   _S.ISSUED),        # drawn up by the body itself
    Move("T6",  _A.SIGN,                    _S.DESCRIPTION_COMPLETED,   _S.ISSUED),
    Move("T7",  _A.DELETE,                  _S.DESCRIPTION_COMPLETED,   _S.DELETED),
    Move("T8",  _A.AMEND,                   _S.DESCRIPTION_COMPLETED,   _S.DESCRIPTION_COMPLETED),
    Move("T8",  _A.AMEND,                   _S.ISSUED,                  _S.ISSUED),
    Move("T9",  _A.START_CUSTOMS_PROCEDURE, _S.ISSUED,                  _S.ISSUED),
    Move("T10", _A.REPLACE,                 _S.ISSUED,                  _S.ISSUED),        # a successor is begun
    Move("T10", _A.ACCEPT_REPLACEMENT,      _S.ISSUED,                  _S.ISSUED),        # asked by the form of 2022
    Move("T10", _A.REPLACE,                 _S.ISSUED,                  _S.REPLACED),      # the successor was signed
    Move("T11", _A.RECORD_CHECKS,           _S.ISSUED,                  _S.ISSUED),        # before the decision
    Move("T11", _A.VERIFY,                  _S.ISSUED,                  _S.CONSIGNMENT_VERIFIED),
    Move("T12", _A.OPEN_BATCHES,            _S.ISSUED,                  _S.BASE_FOR_EXTRACT),
    Move("T13", _A.RELEASE_CONVENTIONAL,    _S.ISSUED,                  _S.RELEASED_CONVENTIONAL),
    Move("T14", _A.REJECT,                  _S.ISSUED,                  _S.NOT_RELEASED),
    Move("T15", _A.RECEIVE,                 _S.CONSIGNMENT_VERIFIED,    _S.FIRST_CONSIGNEE_SIGNED),
    Move("T16", _A.DELETE,                  _S.CONSIGNMENT_VERIFIED,    _S.DELETED),
    Move("T17", _A.SIGNAL_IRREGULARITY,     _S.CONSIGNMENT_VERIFIED,    _S.OFIS_IRREGULARITY),
    Move("T17", _A.SIGNAL_IRREGULARITY,     _S.FIRST_CONSIGNEE_SIGNED,  _S.OFIS_IRREGULARITY),
    Move("T17", _A.SIGNAL_IRREGULARITY,     _S.BASE_FOR_EXTRACT,        _S.OFIS_IRREGULARITY),
    Move("T17", _A.SIGNAL_IRREGULARITY,     _S.RELEASED_CONVENTIONAL,   _S.RELEASED_CONVENTIONAL),   # beside it only
    Move("T17", _A.SIGNAL_IRREGULARITY,     _S.NOT_RELEASED,            _S.NOT_RELEASED),
    Move("T18", _A.REPLY_IRREGULARITY,      _S.OFIS_IRREGULARITY,       _S.OFIS_IRREGULARITY),
    Move("T18", _A.CONCLUDE_IRREGULARITY,   _S.OFIS_IRREGULARITY,       None),
    Move("T18", _A.CONCLUDE_IRREGULARITY,   _S.OFIS_IRREGULARITY,       _S.RELEASED_CONVENTIONAL),
    Move("T18", _A.CONCLUDE_IRREGULARITY,   _S.OFIS_IRREGULARITY,       _S.NOT_RELEASED),
    Move("T19", _A.EXTRACT,                 _S.BASE_FOR_EXTRACT,        _S.BASE_FOR_EXTRACT),
    Move("T20", _A.DEPLETE,                 _S.BASE_FOR_EXTRACT,        _S.DEPLETED),
    *(Move("T21", _A.COPY, at, at) for at in Status),    # a new draft is born; this certificate stays as it is
)
# fmt: on
"""Every move there is. T1 is not among them: it is a birth, and what is not yet there cannot move."""

FINAL: Final = frozenset(
    {_S.RELEASED_CONVENTIONAL, _S.NOT_RELEASED, _S.DELETED, _S.REPLACED, _S.DEPLETED}
)  # fmt: skip
"""Statuses no move leads out of."""


def moves(status: Status, action: Action) -> tuple[Move, ...]:
    """The arrows of this action that start here; several when the order must choose, none when it is unlawful here."""
    return tuple(move for move in MOVES if move.source is status and move.action is action)


def move(status: Status, action: Action, previous: Status | None = None, choice: Status | None = None) -> Status:
    """Where this action leads from here; `previous` is where "back" leads, `choice` picks between several arrows."""
    targets = [arrow.target or previous for arrow in moves(status, action)]
    if not targets:
        raise Refused("wrong_status", action=action, status=status)
    target = targets[0] if choice is None else choice
    if target is None or target not in targets:
        raise Refused("invalid", field="decision", action=action, status=status)
    return target


def is_offered(status: Status, action: Action) -> bool:
    """Whether the edge has a form for this action here."""
    return any(arrow.offered for arrow in moves(status, action))


def is_final(status: Status) -> bool:
    """Whether no move leads out of here: the process may rest, the row stays."""
    return status in FINAL


def is_over(status: Status) -> bool:
    """Whether the journey has ended: nothing is awaited, though an irregularity may still be signalled."""
    return is_final(status) or status is Status.FIRST_CONSIGNEE_SIGNED
