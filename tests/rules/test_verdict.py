"""May this be done, now, by these?"""

import pickle
from typing import Any

import pytest

from shared.rules.permissions import Tie
from shared.rules.refusals import CODES, REFUSALS, Refused
from shared.rules.status import MOVES, Action, Status
from shared.rules.verdict import refuse_unless_editable, refuse_unless_lawful
from tests.rules.world import BELGIAN_POST, CONSIGNEE, FORWARDER, STRANGER, certificate, line

ISSUER = frozenset({Tie.ISSUER})
IMPORTER = frozenset({Tie.IMPORTER})


def refused(action: Action, status: Status, *ties: Tie) -> str:
    with pytest.raises(Refused) as refusal:
        refuse_unless_lawful(action, status, frozenset(ties))
    return refusal.value.code


def test_who_has_no_tie_hears_that_there_is_nothing() -> None:
    assert refused(Action.SIGN, Status.DESCRIPTION_COMPLETED) == "not_found"


def test_who_is_named_in_somebodys_draft_hears_that_there_is_nothing() -> None:
    assert refused(Action.SUBMIT, Status.DRAFT, Tie.IMPORTER) == "not_found"


def test_an_action_that_does_not_start_here_is_the_wrong_status() -> None:
    assert refused(Action.RECEIVE, Status.ISSUED, Tie.CONSIGNEE) == "wrong_status"


def test_an_action_of_somebody_else_is_not_permitted() -> None:
    assert refused(Action.SIGN, Status.DESCRIPTION_COMPLETED, Tie.EXPORTER) == "not_permitted"


def test_every_lawful_action_has_a_form_or_a_page_of_its_own() -> None:
    assert all(move.offered for move in MOVES)


def test_who_could_not_anyway_does_not_hear_what_is_not_offered_yet() -> None:
    assert refused(Action.REPLACE, Status.ISSUED, Tie.IMPORTER) == "not_permitted"


def test_a_lawful_action_passes() -> None:
    refuse_unless_lawful(Action.SIGN, Status.DESCRIPTION_COMPLETED, ISSUER)


def edits(status: Status, ties: frozenset[Tie], **changes: Any) -> frozenset[str]:
    return refuse_unless_editable(certificate(), changes, status, ties)


def cannot_edit(status: Status, ties: frozenset[Tie], **changes: Any) -> tuple[str, object]:
    with pytest.raises(Refused) as refusal:
        edits(status, ties, **changes)
    return refusal.value.code, refusal.value.details.get("fields")


def test_the_importer_moves_the_place_of_clearance_after_issue() -> None:
    assert edits(Status.ISSUED, IMPORTER, entry_authority=BELGIAN_POST, clearance_country="BE") == {
        "entry_authority",
        "clearance_country",
    }


def test_the_importer_does_not_touch_the_goods() -> None:
    assert cannot_edit(Status.ISSUED, IMPORTER, seals=["other"]) == ("not_permitted", ["seals"])


def test_the_importer_may_add_a_forwarder_but_not_remove_one() -> None:
    assert edits(Status.ISSUED, IMPORTER, responsible_for_load=[FORWARDER, STRANGER])
    assert cannot_edit(Status.ISSUED, IMPORTER, responsible_for_load=[STRANGER])[0] == "not_permitted"


def test_the_issuing_body_corrects_the_number_of_packages_after_issue_and_nothing_else_of_a_line() -> None:
    assert edits(Status.ISSUED, ISSUER, product_lines=[line(packages=99)]) == {"product_lines.packages"}
    assert cannot_edit(Status.ISSUED, ISSUER, product_lines=[line(packages=99, lot="L-2")]) == (
        "not_permitted",
        ["product_lines.lot"],
    )
    assert cannot_edit(Status.ISSUED, ISSUER, product_lines=[line(), line(id="2")])[1] == ["product_lines"]


def test_the_issuing_body_does_not_edit_box_12_after_issue() -> None:
    assert cannot_edit(Status.ISSUED, ISSUER, first_consignee=None)[0] == "not_permitted"


def test_sending_back_what_one_was_shown_changes_nothing_and_needs_no_permission() -> None:
    assert (
        edits(Status.ISSUED, IMPORTER, seals=["S-1"], product_lines=[line()], first_consignee=CONSIGNEE) == frozenset()
    )


def test_nobody_edits_a_verified_certificate() -> None:
    assert cannot_edit(Status.CONSIGNMENT_VERIFIED, IMPORTER, arrival_at=None)[0] == "wrong_status"


def test_a_refusal_is_a_row_of_the_table_or_it_does_not_exist() -> None:
    with pytest.raises(ValueError, match="not a row"):
        Refused("because")


def test_a_refusal_survives_a_border() -> None:
    again = pickle.loads(pickle.dumps(Refused("incomplete", problems=["x"])))
    assert (again.code, again.details, again.http) == ("incomplete", {"problems": ["x"]}, 422)


def test_every_refusal_has_its_own_code_and_an_error_of_http() -> None:
    assert len(CODES) == len(REFUSALS)
    assert all(400 <= http < 600 for http in CODES.values())
