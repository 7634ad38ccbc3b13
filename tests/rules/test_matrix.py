"""The matrix of guide 002 §3.3, sentence by sentence.

The cells below are typed from the guide, in French, and not imported: this file and the guide can be compared with a
finger, and the law is compared with this file.
"""

from dataclasses import dataclass

import pytest

from shared.rules.boxes import BOX, Model
from shared.rules.content import covers, fillable
from shared.rules.permissions import MATRIX, May, Tie, allowed, may_see, offered
from shared.rules.status import MOVES, Action, Status

RIEN = "Pas de modification possible"


@dataclass(frozen=True)
class Cellule:
    """One cell of the guide's table: who, what is printed there, the boxes and actions that grants."""

    qui: str
    dit: str
    cases: tuple[str, ...] = ()
    actes: tuple[str, ...] = ()


TIES = {
    "Importateur": Tie.IMPORTER,
    "Exportateur": Tie.EXPORTER,
    "Organisme Certificateur": Tie.ISSUER,
    "Autorité en UE qui valide": Tie.CENTRAL_AUTHORITY,
    "Autorité Compétente au Point d'entrée en UE": Tie.ENTRY_AUTHORITY,
    "RFL - Intéressé au Chargement": Tie.RFL,
    "1er Destinataire": Tie.CONSIGNEE,
}

CASES = {
    "9": ("clearance_country", "entry_authority"),
    "12": ("first_consignee", "release_by_batches"),
    "certaines parties de 13": ("product_lines.packages", "product_lines.package_type"),
    "14": ("containers", "bulk_no_container"),
    "15": ("seals",),
    "16": ("gross_weight",),
    "rajouter un RFL": ("responsible_for_load.add",),
    "toutes": (
        "issuing_body", "national_reference", "exporter", "trader_without_handling", "countries_of_origin",
        "country_of_export", "clearance_country", "entry_authority", "importer", "first_consignee",
        "release_by_batches", "responsible_for_load", "product_lines", "containers", "bulk_no_container", "seals",
        "gross_weight", "transport", "departure_at", "arrival_at", "transfer_to", "control_point",
    ),
}  # fmt: skip

ACTES = {
    "signer": ("sign",),
    "remplacer": ("replace",),
    "signer en case 20": ("verify", "open_batches"),
    "supprimer": ("delete",),
    "signaler une irrégularité OFIS": ("signal_irregularity",),
    "signer en case 21": ("receive",),
    "initier un extrait de lot": ("extract",),
    "diviser": ("extract",),
}

SIGNALER = ("signaler une irrégularité OFIS",)
ROUTE = ("9", "12")

# fmt: off
GUIDE = {
    "DRAFT": (
        Cellule("Importateur",             "Peut créer et modifier le COI", ("toutes",)),
        Cellule("Exportateur",             "Peut créer et modifier le COI", ("toutes",)),
        Cellule("Organisme Certificateur", "Peut créer et modifier le COI", ("toutes",)),
        Cellule("Autorité en UE qui valide",                   RIEN),
        Cellule("Autorité Compétente au Point d'entrée en UE", RIEN),
        Cellule("RFL - Intéressé au Chargement",               RIEN),
        Cellule("1er Destinataire",                            RIEN),
    ),
    "DESCRIPTION_COMPLETED": (
        Cellule("Importateur",             "Modification des cases 9 et 12", ROUTE),
        Cellule("Exportateur",             RIEN),
        Cellule("Organisme Certificateur", "Peut modifier toutes les cases et signer le COI", ("toutes",), ("signer",)),
        Cellule("Autorité en UE qui valide",                   RIEN),
        Cellule("Autorité Compétente au Point d'entrée en UE", RIEN),
        Cellule("RFL - Intéressé au Chargement",               "Modification des cases 9 et 12", ROUTE),
        Cellule("1er Destinataire",                            RIEN),
    ),
    "ISSUED": (
        Cellule("Importateur",             "Peut modifier les cases 9 et 12 et rajouter un RFL",
                (*ROUTE, "rajouter un RFL")),
        Cellule("Exportateur",             RIEN),
        Cellule("Organisme Certificateur", "Peut modifier la case 9. Peut modifier certaines parties de la case 13 et "
                                           "modifier les cases 14/15 et 16. Peut remplacer le COI",
                ("9", "certaines parties de 13", "14", "15", "16"), ("remplacer",)),
        Cellule("Autorité en UE qui valide",                   "Peut modifier la case 12 et signer en case 20",
                ("12",), ("signer en case 20",)),
        Cellule("Autorité Compétente au Point d'entrée en UE", "Peut modifier la case 12 et signer en case 20",
                ("12",), ("signer en case 20",)),
        Cellule("RFL - Intéressé au Chargement", "Peut modifier les cases 9 et 12 et rajouter un RFL",
                (*ROUTE, "rajouter un RFL")),
        Cellule("1er Destinataire",                            RIEN),
    ),
    "CONSIGNMENT_VERIFIED": (
        Cellule("Importateur",             RIEN),
        Cellule("Exportateur",             RIEN),
        Cellule("Organisme Certificateur", RIEN),
        Cellule("Autorité en UE qui valide",                   "Peut supprimer le COI", (), ("supprimer",)),
        Cellule("Autorité Compétente au Point d'entrée en UE",
                "Peut supprimer le COI; peut signaler une irrégularité OFIS", (), ("supprimer", *SIGNALER)),
        Cellule("RFL - Intéressé au Chargement",               RIEN),
        Cellule("1er Destinataire",                            "Peut signer en case 21", (), ("signer en case 21",)),
    ),
    "FIRST_CONSIGNEE_SIGNED": (
        Cellule("Importateur",             "Peut signaler une irrégularité OFIS", (), SIGNALER),
        Cellule("Exportateur",             RIEN),
        Cellule("Organisme Certificateur", RIEN),
        Cellule("Autorité en UE qui valide",                   RIEN),
        Cellule("Autorité Compétente au Point d'entrée en UE", "Peut signaler une irrégularité OFIS", (), SIGNALER),
        Cellule("RFL - Intéressé au Chargement",               RIEN),
        Cellule("1er Destinataire",                            RIEN),
    ),
    "BASE_FOR_EXTRACT": (
        Cellule("Importateur",             "Peut initier un extrait de lot", (), ("initier un extrait de lot",)),
        Cellule("Exportateur",             RIEN),
        Cellule("Organisme Certificateur", RIEN),
        Cellule("Autorité en UE qui valide",                   "Peut diviser le COI", (), ("diviser",)),
        Cellule("Autorité Compétente au Point d'entrée en UE",
                "Peut diviser le COI; peut signaler une irrégularité OFIS", (), ("diviser", *SIGNALER)),
        Cellule("RFL - Intéressé au Chargement",               "Peut initier un extrait de lot", (),
                ("initier un extrait de lot",)),
        Cellule("1er Destinataire",                            "N/A, dans ce cas pas de 1er destinataire en case 12"),
    ),
}
# fmt: on

SENTENCES = [
    pytest.param(status, cell, id=f"{status}: {cell.qui}: {cell.dit}") for status in GUIDE for cell in GUIDE[status]
]


@pytest.mark.parametrize(("status", "cell"), SENTENCES)
def test_the_matrix_says_what_the_guide_says(status: str, cell: Cellule) -> None:
    granted = MATRIX[Status(status)].get(TIES[cell.qui])
    edit = {field for case in cell.cases for field in CASES[case]}
    do = {act for acte in cell.actes for act in ACTES[acte]}
    assert (granted.guide if granted else May()) == May(frozenset(edit), frozenset(map(Action, do)))


@pytest.mark.parametrize(("status", "cell"), SENTENCES)
def test_who_may_change_nothing_by_the_guide_is_granted_no_box_of_his_by_us(status: str, cell: Cellule) -> None:
    ties = frozenset({TIES[cell.qui]})
    signed = {"issuing_declaration", "customs_procedure", "entry_checks", "first_consignee_declaration"}
    if cell.dit == RIEN:
        assert allowed(Status(status), ties).edit <= signed
        assert allowed(Status(status), ties).do <= {Action.COPY}


def test_a_draft_is_visible_only_to_its_creator_and_the_users_of_the_same_company() -> None:
    for tie in Tie:
        assert may_see(Status.DRAFT, frozenset({tie})) == (tie is Tie.CREATOR)


def test_an_importer_merely_named_in_somebodys_draft_may_do_nothing() -> None:
    assert allowed(Status.DRAFT, frozenset({Tie.IMPORTER})) == May()


def test_importer_and_exporter_submit_their_draft_and_a_control_body_signs_its_own() -> None:
    own = frozenset({Tie.CREATOR})
    assert Action.SUBMIT in allowed(Status.DRAFT, own | {Tie.IMPORTER}).do
    assert Action.SUBMIT in allowed(Status.DRAFT, own | {Tie.EXPORTER}).do
    assert Action.SIGN not in allowed(Status.DRAFT, own | {Tie.EXPORTER}).do
    assert Action.SIGN in allowed(Status.DRAFT, own | {Tie.ISSUER}).do
    assert Action.SUBMIT not in allowed(Status.DRAFT, own | {Tie.ISSUER}).do


def test_only_the_issuing_body_signs_box_18() -> None:
    for tie in Tie:
        assert (Action.SIGN in allowed(Status.DESCRIPTION_COMPLETED, frozenset({tie})).do) == (tie is Tie.ISSUER)


def test_only_the_first_consignee_signs_box_21() -> None:
    for tie in Tie:
        assert (Action.RECEIVE in allowed(Status.CONSIGNMENT_VERIFIED, frozenset({tie})).do) == (tie is Tie.CONSIGNEE)


@pytest.mark.parametrize("status", Status)
def test_the_entry_authority_may_all_that_its_superior_may(status: Status) -> None:
    entry, central = (allowed(status, frozenset({tie})) for tie in (Tie.ENTRY_AUTHORITY, Tie.CENTRAL_AUTHORITY))
    assert central.edit <= entry.edit
    assert central.do <= entry.do


@pytest.mark.parametrize("status", [
    Status.RELEASED_CONVENTIONAL, Status.NOT_RELEASED, Status.OFIS_IRREGULARITY, Status.DELETED, Status.REPLACED,
    Status.DEPLETED,
])  # fmt: skip
def test_where_the_guide_grants_nothing_everything_is_read_only(status: Status) -> None:
    everybody = allowed(status, frozenset(Tie))
    assert everybody.edit == frozenset()
    notices = {Action.SIGNAL_IRREGULARITY, Action.REPLY_IRREGULARITY, Action.CONCLUDE_IRREGULARITY}
    assert everybody.do <= {Action.COPY} | notices


def test_a_notice_is_answered_by_the_issuing_body_and_concluded_by_the_authorities() -> None:
    for tie in Tie:
        do = allowed(Status.OFIS_IRREGULARITY, frozenset({tie})).do
        assert (Action.REPLY_IRREGULARITY in do) == (tie is Tie.ISSUER)
        assert (Action.CONCLUDE_IRREGULARITY in do) == (tie in (Tie.ENTRY_AUTHORITY, Tie.CENTRAL_AUTHORITY))


def test_only_the_entry_authority_starts_a_customs_procedure() -> None:
    for tie in Tie:
        assert (Action.START_CUSTOMS_PROCEDURE in allowed(Status.ISSUED, frozenset({tie})).do) == (
            tie is Tie.ENTRY_AUTHORITY
        )


def test_only_the_importer_writes_the_customs_reference_of_the_form_of_2022() -> None:
    for status in Status:
        for tie in Tie:
            granted = covers(allowed(status, frozenset({tie})).edit, "customs_procedure.reference")
            assert granted == (status is Status.ISSUED and tie is Tie.IMPORTER)
    field, begun = {"customs_procedure.reference"}, {"customs_procedure": {"type": "warehousing"}}
    assert fillable(field, begun, Model.COI_2022) == field
    assert fillable(field, begun, Model.COI_2017) == fillable(field, {}, Model.COI_2022) == frozenset()


def test_every_field_of_the_matrix_is_a_box() -> None:
    fields = {field for cells in MATRIX.values() for cell in cells.values() for field in cell.edit}
    assert {field for field in fields if field not in BOX} == {"responsible_for_load.add"}


def test_every_tie_but_two_is_named_by_a_box() -> None:
    assert {tie for tie in Tie if tie not in {box.names for box in BOX.values()}} == {
        Tie.CREATOR,
        Tie.CENTRAL_AUTHORITY,
    }


def test_nobody_may_edit_a_box_that_the_system_derives() -> None:
    derived = {"procedure", "number", "producers", "producers_control_bodies", "country_of_destination"}
    for status in Status:
        assert not any(covers(allowed(status, frozenset(Tie)).edit, field) for field in derived)


def test_a_page_shows_no_action_that_has_no_form_yet() -> None:
    hidden = {move.action for move in MOVES if not move.offered}
    for status in Status:
        assert not offered(status, frozenset(Tie)).do & hidden


@pytest.mark.parametrize("status", Status)
def test_somebody_with_no_tie_may_nothing_and_sees_nothing(status: Status) -> None:
    assert allowed(status, frozenset()) == May()
    assert not may_see(status, frozenset())


def test_a_draft_deleted_before_it_was_submitted_stays_its_creators_secret() -> None:
    assert may_see(Status.DELETED, frozenset({Tie.CREATOR}), submitted=False)
    assert not may_see(Status.DELETED, frozenset({Tie.IMPORTER}), submitted=False)
    assert may_see(Status.DELETED, frozenset({Tie.IMPORTER}), submitted=True)
