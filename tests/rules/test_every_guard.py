"""Every guard before every action it stands before: one spoilt certificate for each row of CHECKS.

One thing to remember: a check without a row here is a failure; so are an action it should stand before and does not,
and one it should let pass and refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from shared.rules.boxes import Model
from shared.rules.parties import Activity, Party, Recognition
from shared.rules.problems import CHECKS, problems
from shared.rules.roles import ActivityType
from shared.rules.status import Action
from tests.rules.world import (
    BELGIAN_POST,
    BODY,
    CONSIGNEE,
    EUROPEAN_BODY,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    NOW,
    POST,
    STRANGER,
    YESTERDAY,
    certificate,
    facts,
    line,
    otherwise,
)


@dataclass(frozen=True)
class Spoilt:
    """What makes a certificate that is in order fail one check."""

    boxes: Mapping[str, Any] = field(default_factory=dict)
    party: Party | None = None
    form: Mapping[str, object] = field(default_factory=dict)
    """What an order says."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What stands beside the certificate."""


def good(**fields: Any) -> dict[str, Any]:
    """Box 13 with one line that is otherwise."""
    return {"product_lines": [line(**fields)]}


TWO_BASES: Final = (Recognition("MA", ("a",), "COMPLIANCE"), Recognition("MA", ("d",)))
TWO_GOODS: Final = {"product_lines": [line(net_weight="1"), line(id="2", cn_code="15092000", lot="L-2")]}
ENDED: Final = (Activity(ActivityType.ORG_IMPORTER, valid_to=YESTERDAY),)

# fmt: off
SPOILT: Final = {
    "unknown_organisation":          Spoilt({"importer": STRANGER}, form={"operator": STRANGER}),
    "wrong_kind_of_organisation":    Spoilt({"importer": POST}),
    "partner_not_valid":             Spoilt(party=otherwise(EXPORTER, status="NEW")),
    "partner_without_activity":      Spoilt({"importer": FORWARDER}),
    "partner_activity_ended":        Spoilt(party=otherwise(IMPORTER, activities=ENDED)),
    "consignee_not_valid":           Spoilt(party=otherwise(CONSIGNEE, status="SUSPENDED")),
    "organisation_not_valid":        Spoilt(party=otherwise(FORWARDER, status="NEW")),
    "eori_missing":                  Spoilt(party=otherwise(IMPORTER, eori=None)),
    "eori_malformed":                Spoilt(party=otherwise(IMPORTER, eori="MA123")),
    "exporter_not_abroad":           Spoilt(party=otherwise(EXPORTER, country="DE")),
    "outside_union":                 Spoilt(party=otherwise(CONSIGNEE, country="CH")),
    "body_not_of_exporter":          Spoilt({"issuing_body": EUROPEAN_BODY}),
    "body_not_recognised_there":     Spoilt(party=otherwise(BODY, recognitions=(Recognition("TN", ("a",)),))),
    "body_not_recognised_for":       Spoilt(party=otherwise(BODY, recognitions=(Recognition("MA", ("d",)),))),
    "several_procedures":            Spoilt(TWO_GOODS, otherwise(BODY, recognitions=TWO_BASES)),
    "no_certificate_needed":         Spoilt({"countries_of_origin": ["NO"]}),
    "several_origins_of_one_lot":    Spoilt({"countries_of_origin": ["MA", "TN"]}),
    "clearance_outside_union":       Spoilt({"clearance_country": "CH"}),
    "authority_elsewhere":           Spoilt({"entry_authority": BELGIAN_POST}),
    "authority_not_competent":       Spoilt(party=otherwise(POST, competences=("PLANTS",))),
    "neither_consignee_nor_batches": Spoilt({"first_consignee": None}),
    "consignee_and_batches":         Spoilt({"release_by_batches": True}),
    "consignee_open":                Spoilt({"first_consignee": None, "release_by_batches": True}),
    "batches_not_ticked":            Spoilt(),
    "unknown_commodity":             Spoilt(good(cn_code="99999999")),
    "producer_of_other_body":        Spoilt(good(producer_control_body=EUROPEAN_BODY)),
    "weight_not_positive":           Spoilt(good(net_weight="0")),
    "weight_too_fine":               Spoilt(good(net_weight="1.0001")),
    "unknown_unit":                  Spoilt(good(unit="XYZ")),
    "weight_half_filled":            Spoilt({"gross_weight": {"value": "1100"}}),
    "packages_not_positive":         Spoilt(good(packages=0)),
    "packages_of_bulk":              Spoilt(good(package_type="VQ")),
    "net_over_gross":                Spoilt({"gross_weight": {"value": "999", "unit": "KGM"}}),
    "nothing_holds_goods_at_sea":    Spoilt({"containers": []}),
    "container_number_odd":          Spoilt({"containers": ["CSQU3054384"]}),
    "goods_have_left":               Spoilt({"departure_at": (NOW - timedelta(days=2)).isoformat()}),
    "departure_unknown":             Spoilt({"departure_at": None}),
    "arrival_before_departure":      Spoilt({"arrival_at": (NOW - timedelta(days=9)).isoformat()}),
    "needed_in_ten_days":            Spoilt(beside={"to_enclose": ("Packing list",)}),
    "needed":                        Spoilt(beside={"to_enclose": ("Packing list",)}),
    "papers_not_acceptable":         Spoilt(form={"documentary": "not_acceptable"}),
    "papers_not_checked":            Spoilt(form={"documentary": "not_done"}),
    "check_not_acceptable":          Spoilt(form={"identity": "not_acceptable"}),
    "laboratory_pending":            Spoilt({"entry_checks": {"laboratory": "pending"}}),
    "customs_procedure_incomplete":  Spoilt({"customs_procedure": {"type": "warehousing"}}),
    "no_customs_procedure":          Spoilt({"customs_procedure": {"reference": "26FR-1"}}),
    "not_verified_again":            Spoilt({"customs_procedure": {"type": "warehousing"}}),
    "remarks_needed":                Spoilt(form={"in_order": False}),
    "replacement_pending":           Spoilt(beside={"replacement_pending": True}),
    "nothing_to_accept":             Spoilt(),
    "replacement_lapsed":            Spoilt(beside={"replacement_lapsed": True}),
    "replacement_not_accepted":      Spoilt(beside={"acceptance_awaited": True}),
    "notice_answered":               Spoilt(beside={"answered": True}),
    "quantity_left":                 Spoilt(beside={"quantity_left": True}),
    "extracts_open":                 Spoilt(beside={"extracts_open": True}),
}
# fmt: on


def test_every_guard_has_its_spoilt_certificate() -> None:
    assert SPOILT.keys() == {check.code for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_a_guard_stands_before_the_actions_of_its_row_and_no_other(check: Any) -> None:
    spoilt = SPOILT[check.code]
    for action in Action:
        form = None if action is Action.AMEND else dict(spoilt.form)
        known = facts(form, otherwise=spoilt.party) if spoilt.party else facts(form)
        known = replace(known, **spoilt.beside)
        found = {
            each.severity
            for each in problems(certificate(**spoilt.boxes), action, Model.COI_2017, known)
            if each.code == check.code
            and (check.code not in ("needed", "needed_in_ten_days") or each.field == "documents")
        }
        expected = {"error"} if action in check.refuses else {"warning"} if action in check.warns else set()
        assert found == expected, (action, found)
