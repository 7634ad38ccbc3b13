"""Who may edit which box and do what, status by status: the matrix of guide 002 §3.3.

One thing to remember: permissions are never granted to a kind of organisation, only to a *tie*: the box by which this
certificate names the organisation. Rows and columns are those of the guide, so the two can be compared with a finger;
what the guide does not show stands after `also=` and `also_do=`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.rules.status import Action, Status, is_offered, moves


class Tie(StrEnum):
    """How an organisation is bound to one certificate. The codes never change."""

    CREATOR = "CREATOR"
    """It drew the certificate up; the row remembers it."""
    IMPORTER = "IMPORTER"
    """Importateur, box 11."""
    EXPORTER = "EXPORTER"
    """Exportateur, box 4."""
    ISSUER = "ISSUER"
    """Organisme certificateur, box 1."""
    CENTRAL_AUTHORITY = "CENTRAL_AUTHORITY"
    """Autorité en UE qui valide: the superior of the authority in box 9."""
    ENTRY_AUTHORITY = "ENTRY_AUTHORITY"
    """Autorité compétente au point d'entrée, box 9."""
    RFL = "RFL"
    """Intéressé au chargement, beside box 12."""
    CONSIGNEE = "CONSIGNEE"
    """Premier destinataire, box 12."""


@dataclass(frozen=True)
class May:
    """What somebody may do: the fields he may edit and the actions he may ask for."""

    edit: frozenset[str] = frozenset()
    do: frozenset[Action] = frozenset()

    def __or__(self, other: "May") -> "May":
        return May(self.edit | other.edit, self.do | other.do)


@dataclass(frozen=True)
class Cell(May):
    """One cell of the matrix: all it grants, and apart from that what the guide itself says."""

    guide: May = May()
    """What the guide's table shows in this cell; the rest is our reading, marked `also`."""
    own: bool = False
    """True: it counts only for the organisation that drew the certificate up."""


# fmt: off
NOTHING:   Final = frozenset[str]()
BOX_9:     Final = frozenset({"clearance_country", "entry_authority"})
BOX_12:    Final = frozenset({"first_consignee", "release_by_batches"})
ROUTE:     Final = BOX_9 | BOX_12
ADD_RFL:   Final = frozenset({"responsible_for_load.add"})                            # may add one, may remove none
PARTS_13:  Final = frozenset({"product_lines.packages", "product_lines.package_type"})   # "certaines parties"
LOAD:      Final = frozenset({"containers", "seals", "bulk_no_container", "gross_weight"})    # boxes 14, 15, 16
TRANSPORT: Final = frozenset({"transport", "departure_at"})                           # box 17, and the day it leaves
ARRIVAL:   Final = frozenset({"arrival_at", "transfer_to", "control_point"})          # 20 to 22 of the form of 2022
BOX_18:    Final = frozenset({"issuing_declaration"})
BOX_19:    Final = frozenset({"customs_procedure"})
REFERENCE: Final = frozenset({"customs_procedure.reference"})                         # of box 23 of the form of 2022
BOX_20:    Final = frozenset({"entry_checks"})
BOX_21:    Final = frozenset({"first_consignee_declaration"})
PARTIES:   Final = frozenset({"issuing_body", "exporter", "trader_without_handling", "importer"})
ORIGIN:    Final = frozenset({"national_reference", "countries_of_origin", "country_of_export"})
ALL:       Final = (PARTIES | ORIGIN | ROUTE | frozenset({"responsible_for_load", "product_lines"})
                    | LOAD | TRANSPORT | ARRIVAL)
# fmt: on
"""ALL is what a person may fill: without 2, the number of 3, 5, 6 and 10, which are derived, and 18 to 21, which
belong to their signers."""


def may(
    edit: frozenset[str] = NOTHING,
    do: Iterable[Action] = (),
    also: frozenset[str] = NOTHING,
    also_do: Iterable[Action] = (),
    own: bool = False,
) -> Cell:
    """A cell: what the guide shows, and what we add to it."""
    guide = May(edit, frozenset(do))
    return Cell(edit | also, guide.do | frozenset(also_do), guide, own)


_S, _T, _A = Status, Tie, Action

# fmt: off
MATRIX: Final[dict[Status, dict[Tie, Cell]]] = {
    # Brouillon: created and modified by its creator, visible to nobody else; the others "pas de modification possible"
    _S.DRAFT: {
        _T.CREATOR:           may(also=ALL, also_do=(_A.DELETE,)),
        _T.IMPORTER:          may(ALL, also_do=(_A.SUBMIT,), own=True),
        _T.EXPORTER:          may(ALL, also_do=(_A.SUBMIT,), own=True),
        _T.ISSUER:            may(ALL, also=BOX_18, also_do=(_A.SIGN,), own=True),
    },
    # Description terminée
    _S.DESCRIPTION_COMPLETED: {
        _T.IMPORTER:          may(ROUTE, also=ARRIVAL),
        _T.ISSUER:            may(ALL, do=(_A.SIGN,), also=BOX_18, also_do=(_A.DELETE,)),
        _T.RFL:               may(ROUTE, also=ARRIVAL),
    },
    # Déclaration de l'organisme de délivrance signée
    _S.ISSUED: {
        _T.IMPORTER:          may(ROUTE | ADD_RFL, also=ARRIVAL | REFERENCE),         # Regulation 2021/2306, article 7
        _T.ISSUER:            may(BOX_9 | PARTS_13 | LOAD, do=(_A.REPLACE,), also=TRANSPORT | ARRIVAL),
        _T.CENTRAL_AUTHORITY: may(BOX_12, do=(_A.VERIFY, _A.OPEN_BATCHES), also=BOX_20,
                                  also_do=(_A.RELEASE_CONVENTIONAL, _A.REJECT, _A.RECORD_CHECKS,
                                           _A.ACCEPT_REPLACEMENT)),
        _T.ENTRY_AUTHORITY:   may(BOX_12, do=(_A.VERIFY, _A.OPEN_BATCHES), also=BOX_19 | BOX_20,
                                  also_do=(_A.RELEASE_CONVENTIONAL, _A.REJECT, _A.RECORD_CHECKS,
                                           _A.ACCEPT_REPLACEMENT, _A.START_CUSTOMS_PROCEDURE)),
        _T.RFL:               may(ROUTE | ADD_RFL, also=ARRIVAL),
    },
    # Lot vérifié
    _S.CONSIGNMENT_VERIFIED: {
        _T.CENTRAL_AUTHORITY: may(do=(_A.DELETE,)),
        _T.ENTRY_AUTHORITY:   may(do=(_A.DELETE, _A.SIGNAL_IRREGULARITY)),
        _T.CONSIGNEE:         may(do=(_A.RECEIVE,), also=BOX_21),
    },
    # Déclaration du premier destinataire signée
    _S.FIRST_CONSIGNEE_SIGNED: {
        _T.IMPORTER:          may(do=(_A.SIGNAL_IRREGULARITY,)),
        _T.ENTRY_AUTHORITY:   may(do=(_A.SIGNAL_IRREGULARITY,)),
    },
    # Base pour extrait: to "initiate an extract" and to "split" are one action
    _S.BASE_FOR_EXTRACT: {
        _T.IMPORTER:          may(do=(_A.EXTRACT,)),
        _T.CENTRAL_AUTHORITY: may(do=(_A.EXTRACT,), also_do=(_A.DEPLETE,)),
        _T.ENTRY_AUTHORITY:   may(do=(_A.EXTRACT, _A.SIGNAL_IRREGULARITY), also_do=(_A.DEPLETE,)),
        _T.RFL:               may(do=(_A.EXTRACT,)),
    },
    # The guide grants nothing from here on
    _S.OFIS_IRREGULARITY: {
        _T.ISSUER:            may(also_do=(_A.REPLY_IRREGULARITY,)),
        _T.CENTRAL_AUTHORITY: may(also_do=(_A.CONCLUDE_IRREGULARITY,)),
        _T.ENTRY_AUTHORITY:   may(also_do=(_A.CONCLUDE_IRREGULARITY,)),
    },
    _S.RELEASED_CONVENTIONAL: {
        _T.ENTRY_AUTHORITY:   may(also_do=(_A.SIGNAL_IRREGULARITY,)),    # a notice beside it; the status stays
    },
    _S.NOT_RELEASED: {
        _T.ENTRY_AUTHORITY:   may(also_do=(_A.SIGNAL_IRREGULARITY,)),
    },
    _S.DELETED: {},
    _S.REPLACED: {},
    _S.DEPLETED: {},
}

EVERYWHERE: Final[dict[Tie, Cell]] = {
    # In every status in which the certificate may be seen; whether he may start one at all is another question
    _T.CREATOR:               may(also_do=(_A.COPY,)),
    _T.IMPORTER:              may(also_do=(_A.COPY,)),
    _T.EXPORTER:              may(also_do=(_A.COPY,)),
    _T.ISSUER:                may(also_do=(_A.COPY,)),
    _T.RFL:                   may(also_do=(_A.COPY,)),
    _T.CONSIGNEE:             may(also_do=(_A.COPY,)),
}

SEES_A_DRAFT:  Final = frozenset({_T.CREATOR})
SEES_THE_REST: Final = frozenset(Tie) - {_T.CREATOR}
# fmt: on
"""Who may see: a draft only its creator's organisation; from submission on, every organisation it names."""


def may_see(status: Status, ties: frozenset[Tie], submitted: bool = True) -> bool:
    """Whether somebody so tied may see the certificate; a draft deleted before it was submitted stays a draft here."""
    return bool(ties & (SEES_A_DRAFT if status is Status.DRAFT or not submitted else SEES_THE_REST))


def allowed(status: Status, ties: frozenset[Tie], submitted: bool = True) -> May:
    """Everything somebody so tied may edit and do in this status, by law."""
    if not may_see(status, ties, submitted):
        return May()
    cells = [*_cells(MATRIX[status], ties), *_cells(EVERYWHERE, ties)]
    granted = May(frozenset().union(*(cell.edit for cell in cells)), frozenset().union(*(cell.do for cell in cells)))
    amend = granted.edit and moves(status, Action.AMEND)
    return granted | May(do=frozenset({Action.AMEND})) if amend else granted


def offered(status: Status, ties: frozenset[Tie], submitted: bool = True) -> May:
    """What a page may show: everything allowed for which there is a form or a field today."""
    law = allowed(status, ties, submitted)
    return May(law.edit, frozenset(action for action in law.do if is_offered(status, action)))


def _cells(cells: Mapping[Tie, Cell], ties: frozenset[Tie]) -> list[Cell]:
    """The cells of these ties; one marked `own` only for who drew the certificate up."""
    return [cell for tie, cell in cells.items() if tie in ties and (Tie.CREATOR in ties or not cell.own)]
