"""What is wrong before an action. Where a rule is a sentence of guide 002 §3.1, the sentence stands above the test."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.boxes import BOX, BOXES, Model
from shared.rules.countries import NO_CERTIFICATE
from shared.rules.findings import has_check_digit
from shared.rules.parties import Activity, Facts, Recognition
from shared.rules.problems import (
    CHECKS,
    amendment_problems,
    is_complete,
    missing_to_save,
    problems,
    refuse_if_incomplete,
)
from shared.rules.refusals import Refused
from shared.rules.roles import ActivityType
from shared.rules.sentences import SENTENCES
from shared.rules.status import Action, Status
from tests.rules.world import (
    BELGIAN_POST,
    BODY,
    CONSIGNEE,
    ENDORSED,
    EUROPEAN_BODY,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    NOW,
    POST,
    PRODUCER,
    SIGNED,
    STRANGER,
    YESTERDAY,
    certificate,
    errors,
    facts,
    found,
    line,
    otherwise,
    warnings,
)

SUBMIT, SIGN, VERIFY, BATCHES, RECEIVE, AMEND = (
    Action.SUBMIT, Action.SIGN, Action.VERIFY, Action.OPEN_BATCHES, Action.RECEIVE, Action.AMEND,
)  # fmt: skip


# ---- a certificate in order passes


@pytest.mark.parametrize("model", Model)
@pytest.mark.parametrize(
    ("action", "form"),
    [(SUBMIT, {}), (SIGN, SIGNED), (VERIFY, ENDORSED), (RECEIVE, {"in_order": True}), (AMEND, None)],
)
def test_a_certificate_in_order_has_no_problems(model: Model, action: Action, form: dict[str, object] | None) -> None:
    assert problems(certificate(), action, model, facts(form)) == ()


def test_a_certificate_for_batches_in_order_has_no_problems() -> None:
    content = certificate(first_consignee=None, release_by_batches=True)
    assert problems(content, BATCHES, Model.COI_2017, facts(ENDORSED)) == ()


# ---- what must be filled in


@pytest.mark.parametrize("model", Model)
def test_an_empty_certificate_is_told_everything_it_needs_at_once(model: Model) -> None:
    needed = {box.field for box in BOXES if box.needed(model) is SUBMIT and "." not in box.field}
    told = {each.field for each in problems({}, SUBMIT, model, facts()) if each.code == "needed"}
    assert told == needed


@pytest.mark.parametrize("field", [box.field for box in BOXES if box.needed_2017 is SUBMIT and "." not in box.field])
def test_each_starred_box_is_needed_to_submit(field: str) -> None:
    problem = found(certificate(**{field: None}), SUBMIT)["needed"]
    assert (problem.field, problem.box, problem.is_error) == (field, BOX[field].number_2017, True)


def test_problems_carry_number_and_title_of_the_certificates_own_form() -> None:
    of_2017 = found(certificate(exporter=None), SUBMIT)["needed"]
    of_2022 = found(certificate(exporter=None), SUBMIT, model=Model.COI_2022)["needed"]
    assert (of_2017.box, of_2022.box, of_2017.title) == (4, 5, "Exporter")


def test_a_line_is_told_where_it_lacks_what() -> None:
    content = certificate(product_lines=[line(), line(id="2", lot=None)])
    problem = found(content, SUBMIT)["needed"]
    assert (problem.field, problem.box, problem.params) == ("product_lines[1].lot", 13, {"label": "Lot number"})


# « Case 16 : indiquez obligatoirement le poids total brut des produits biologiques. »
def test_gross_weight_is_needed_to_submit_in_2017_and_may_follow_in_2022() -> None:
    content = certificate(gross_weight=None)
    assert "needed" in errors(content, SUBMIT)
    assert "needed" not in errors(content, SIGN, facts(SIGNED), Model.COI_2022)
    assert "needed_in_ten_days" in warnings(content, SIGN, facts(SIGNED), Model.COI_2022)
    assert "needed" in errors(content, VERIFY, facts(ENDORSED), Model.COI_2022)


# « Case 17 : … n'est pas obligatoire lors de la création du COI et peut être complétée ultérieurement (avant arrivée) »
def test_transport_may_follow_but_not_after_box_20() -> None:
    content = certificate(transport=None)
    assert errors(content, SUBMIT) == errors(content, SIGN, facts(SIGNED)) == set()
    assert "needed" in errors(content, VERIFY)
    assert not is_complete(content, Model.COI_2017)
    assert is_complete(certificate(), Model.COI_2017)


def test_packages_may_follow_but_not_after_box_20() -> None:
    content = certificate(product_lines=[line(packages=None)])
    assert errors(content, SIGN, facts(SIGNED)) == set()
    assert errors(content, VERIFY) == {"needed"}


# « Vous pouvez enregistrer comme brouillon » à partir de la case 4
def test_a_draft_is_kept_once_products_and_boxes_1_and_4_are_filled() -> None:
    assert missing_to_save({"issuing_body": BODY, "exporter": EXPORTER, "product_lines": [{"cn_code": "08041000"}]},
                           Model.COI_2017) == ()  # fmt: skip
    told = {each.field for each in missing_to_save({}, Model.COI_2017)}
    assert told == {"issuing_body", "exporter", "product_lines"}


# ---- box 12


# « Dans ce cas, il faut cocher la case 'Pour mise en libre pratique par lots' »
def test_without_a_first_consignee_the_release_in_batches_must_be_ticked() -> None:
    content = certificate(first_consignee=None, release_by_batches=False)
    assert "neither_consignee_nor_batches" in errors(content, SUBMIT)
    assert content["country_of_destination"] is None


def test_first_consignee_and_batches_exclude_each_other() -> None:
    assert "consignee_and_batches" in errors(certificate(release_by_batches=True), SUBMIT)


def test_batches_are_opened_only_where_they_were_asked_for_and_verified_only_for_a_consignee() -> None:
    assert "batches_not_ticked" in errors(certificate(), BATCHES)
    assert "consignee_open" in errors(certificate(first_consignee=None, release_by_batches=True), VERIFY)


# ---- parties


# « Le statut de l'exportateur sélectionné doit être 'valide' afin de pouvoir signer le COI. »
# « L'importateur ainsi que le 1er Destinataire sélectionné doivent être 'valides' afin de pouvoir signer le COI. »
@pytest.mark.parametrize("partner", [EXPORTER, IMPORTER, CONSIGNEE])
def test_partners_must_be_valid_to_sign_and_are_warned_about_before(partner: str) -> None:
    known = facts(SIGNED, changed=otherwise(partner, status="NEW"))
    assert "partner_not_valid" in errors(certificate(), SIGN, known)
    assert "partner_not_valid" in warnings(certificate(), SUBMIT, replace(known, form=None))


# « À l'avenir, le système pourrait empêcher la sélection d'un opérateur avec une date caduque dans le COI. »
def test_an_activity_whose_date_is_over_stops_the_signature_and_warns_before() -> None:
    ended = otherwise(IMPORTER, activities=(Activity(ActivityType.ORG_IMPORTER, valid_to=YESTERDAY),))
    assert "partner_activity_ended" in errors(certificate(), SIGN, facts(SIGNED, changed=ended))
    assert "partner_activity_ended" in warnings(certificate(), SUBMIT, facts(changed=ended))


def test_an_activity_still_holds_on_its_last_day() -> None:
    last = otherwise(IMPORTER, activities=(Activity(ActivityType.ORG_IMPORTER, valid_to=NOW.date()),))
    assert errors(certificate(), SIGN, facts(SIGNED, changed=last)) == set()


def test_a_partner_without_the_activity_of_its_box_stops_the_signature() -> None:
    assert "partner_without_activity" in errors(certificate(importer=FORWARDER), SIGN)


# « Numéro EORI nécessaire pour les 'importateurs biologiques' (obligatoire sur le COI) »
@pytest.mark.parametrize(
    ("eori", "code"), [(None, "eori_missing"), ("X1", "eori_malformed"), ("MA123", "eori_malformed")]
)
def test_the_importer_needs_an_eori_number(eori: str | None, code: str) -> None:
    known = facts(SIGNED, changed=otherwise(IMPORTER, eori=eori))
    assert code in errors(certificate(), SIGN, known)


def test_the_guides_eori_number_is_well_formed() -> None:
    assert errors(certificate(), SIGN, facts(SIGNED, changed=otherwise(IMPORTER, eori="BED479168518"))) == set()


# « Dans la case 1 du COI, choisissez l'organisme ou l'autorité qui contrôle l'exportateur. »
def test_the_body_of_box_1_is_the_body_of_the_exporter() -> None:
    assert "body_not_of_exporter" in errors(certificate(issuing_body=EUROPEAN_BODY), SUBMIT)


def test_the_body_must_be_recognised_for_country_and_category() -> None:
    elsewhere = otherwise(BODY, recognitions=(Recognition("TN", ("a",)),))
    less = otherwise(BODY, recognitions=(Recognition("MA", ("d",)),))
    past = otherwise(BODY, recognitions=(Recognition("MA", ("a",), valid_to=YESTERDAY),))
    assert "body_not_recognised_there" in errors(certificate(), SIGN, facts(SIGNED, changed=elsewhere))
    assert "body_not_recognised_for" in errors(certificate(), SIGN, facts(SIGNED, changed=less))
    assert "body_not_recognised_for" in errors(certificate(), SIGN, facts(SIGNED, changed=past))
    assert "body_not_recognised_for" in warnings(certificate(), SUBMIT, facts(changed=less))


def test_two_categories_under_two_procedures_need_two_certificates() -> None:
    split = otherwise(BODY, recognitions=(Recognition("MA", ("a",), "COMPLIANCE"), Recognition("MA", ("d",))))
    content = certificate(product_lines=[line(), line(id="2", cn_code="15092000", lot="L-2")])
    assert "several_procedures" in errors(content, SIGN, facts(SIGNED, changed=split))


def test_an_organisation_that_nobody_knows_or_of_another_kind_is_refused() -> None:
    assert "unknown_organisation" in errors(certificate(importer=STRANGER), SUBMIT)
    assert "wrong_kind_of_organisation" in errors(certificate(importer=POST), SUBMIT)
    assert found(certificate(responsible_for_load=[FORWARDER, STRANGER]), SUBMIT)["unknown_organisation"].field == (
        "responsible_for_load[1]"
    )


def test_the_first_consignee_signs_only_while_valid() -> None:
    gone = facts({"in_order": True}, changed=otherwise(CONSIGNEE, status="SUSPENDED"))
    assert errors(certificate(), RECEIVE, gone) == {"consignee_not_valid"}


# ---- boxes 7 to 9


@pytest.mark.parametrize("country", sorted(NO_CERTIFICATE))
def test_goods_of_the_union_the_area_and_switzerland_need_no_certificate(country: str) -> None:
    with pytest.raises(Refused) as refusal:
        refuse_if_incomplete(certificate(countries_of_origin=[country]), SUBMIT, Model.COI_2017, facts())
    assert refusal.value.code == "no_certificate_needed"
    assert refusal.value.details["country"] == country


def test_the_authority_of_box_9_belongs_to_the_country_and_is_competent_for_organic_goods() -> None:
    assert "authority_elsewhere" in errors(certificate(entry_authority=BELGIAN_POST), SUBMIT)
    assert errors(certificate(entry_authority=BELGIAN_POST, clearance_country="BE"), SUBMIT) == set()
    plants = facts(changed=otherwise(POST, competences=("PLANTS",)))
    assert "authority_not_competent" in errors(certificate(), SUBMIT, plants)
    assert "clearance_outside_union" in errors(certificate(clearance_country="CH"), SUBMIT)


# « il n'est pas permis d'entrer plusieurs pays d'origine s'il n'y a qu'un seul lot provenant d'un seul producteur -
#   bien que TRACES NT ne vous en empêche pas »
def test_several_origins_of_one_lot_of_one_producer_are_warned_about() -> None:
    assert warnings(certificate(countries_of_origin=["MA", "TN"]), SUBMIT) == {"several_origins_of_one_lot"}
    two = [line(net_weight="500"), line(net_weight="500", id="2", lot="L-2")]
    assert warnings(certificate(countries_of_origin=["MA", "TN"], product_lines=two), SUBMIT) == set()


# ---- boxes 13 to 17


@pytest.mark.parametrize(("fields", "code"), [
    ({"net_weight": "0"}, "weight_not_positive"),
    ({"net_weight": "-1"}, "weight_not_positive"),
    ({"net_weight": "1.0001"}, "weight_too_fine"),
    ({"unit": "XYZ"}, "unknown_unit"),
    ({"packages": 0}, "packages_not_positive"),
    ({"package_type": "VQ"}, "packages_of_bulk"),
    ({"cn_code": "99999999"}, "unknown_commodity"),
])  # fmt: skip
def test_a_line_with_an_impossible_value_is_refused(fields: dict[str, Any], code: str) -> None:
    assert errors(certificate(product_lines=[line(**fields)]), SUBMIT) == {code}


def test_bulk_needs_no_number_of_packages() -> None:
    assert errors(certificate(product_lines=[line(package_type="VQ", packages=None)]), VERIFY) == set()


@pytest.mark.parametrize(("gross", "unit", "too_much"), [
    ("999.999", "KGM", True), ("1000", "KGM", False), ("0.999", "TNE", True), ("1", "TNE", False),
])  # fmt: skip
def test_net_weight_never_exceeds_gross_weight_once_signed(gross: str, unit: str, too_much: bool) -> None:
    content = certificate(gross_weight={"value": gross, "unit": unit})
    assert ("net_over_gross" in errors(content, SIGN)) is too_much
    assert ("net_over_gross" in warnings(content, SUBMIT)) is too_much


# « Cases 14 et 15 : si l'envoi se fait par bateau, vous devez indiquer le(s) numéro(s) de conteneur et leur scellé. »
def test_by_sea_goods_travel_in_sealed_containers_or_in_bulk() -> None:
    bare = certificate(containers=[], seals=[])
    assert "nothing_holds_goods_at_sea" in errors(bare, VERIFY)
    assert "nothing_holds_goods_at_sea" in warnings(bare, SIGN)
    assert errors({**bare, "bulk_no_container": True}, VERIFY) == set()
    assert errors({**bare, "transport": {"mode": "3", "identification": "AA-1"}}, VERIFY) == set()


def test_an_odd_container_number_is_only_warned_about() -> None:
    assert warnings(certificate(containers=["CSQU3054384"]), SUBMIT) == {"container_number_odd"}


def test_the_example_of_the_standard_has_its_check_digit() -> None:
    assert has_check_digit("CSQU3054383")
    assert not has_check_digit("CSQU3054384")
    assert not has_check_digit("lorry")


# ---- signatures


def test_box_18_is_signed_before_the_goods_leave_unless_it_is_declared() -> None:
    left = certificate(departure_at="2026-03-01T08:00:00+00:00")
    assert "goods_have_left" in errors(left, SIGN, facts(SIGNED))
    assert "goods_have_left" in warnings(left, SUBMIT)
    assert errors(left, SIGN, facts({**SIGNED, "goods_have_not_left": True})) == set()
    assert errors(left, VERIFY, facts(ENDORSED)) == set()


def test_the_day_of_departure_is_the_day_where_they_depart() -> None:
    late_in_agadir = certificate(departure_at="2026-03-01T23:30:00-10:00")  # there it is still the day before
    assert "goods_have_left" not in errors(late_in_agadir, SIGN, facts(SIGNED))


def test_without_a_departure_it_must_be_declared_that_the_goods_are_still_there() -> None:
    assert errors(certificate(departure_at=None), SIGN, facts(SIGNED)) == {"departure_unknown"}
    assert errors(certificate(departure_at=None), SIGN, facts({**SIGNED, "goods_have_not_left": True})) == set()


def test_goods_do_not_arrive_before_they_leave() -> None:
    assert "arrival_before_departure" in errors(certificate(arrival_at="2026-03-04T08:00:00+01:00"), SUBMIT)


@pytest.mark.parametrize("result", ["not_acceptable", "not_done"])
def test_box_18_needs_an_acceptable_documentary_check(result: str) -> None:
    assert errors(certificate(), SIGN, facts({**SIGNED, "documentary": result})) == {"papers_not_acceptable"}


@pytest.mark.parametrize(("answer", "code"), [
    ({"documentary": "not_done"}, "papers_not_checked"),
    ({"identity": "not_acceptable"}, "check_not_acceptable"),
    ({"laboratory": "pending"}, "laboratory_pending"),
])  # fmt: skip
def test_box_20_is_not_signed_as_organic_over_a_bad_or_missing_check(answer: dict[str, object], code: str) -> None:
    assert errors(certificate(), VERIFY, facts({**ENDORSED, **answer})) == {code}


@pytest.mark.parametrize("action", [Action.RELEASE_CONVENTIONAL, Action.REJECT])
def test_who_does_not_release_as_organic_says_why(action: Action) -> None:
    assert errors(certificate(), action, facts({"physical": "not_acceptable"})) == {"needed"}
    assert errors(certificate(), action, facts({"physical": "not_acceptable", "reason": "mould"})) == set()


def test_who_deletes_says_why_but_for_his_own_draft() -> None:
    known = replace(facts({}), status=Status.DESCRIPTION_COMPLETED)
    assert errors(certificate(), Action.DELETE, known) == {"needed"}
    assert errors({}, Action.DELETE, replace(known, status=Status.DRAFT)) == set()


def test_a_first_consignee_who_found_something_wrong_says_what() -> None:
    assert errors(certificate(), RECEIVE, facts({"in_order": False})) == {"remarks_needed"}
    assert errors(certificate(), RECEIVE, facts({"in_order": False, "remarks": "two cartons wet"})) == set()


def test_while_a_replacement_is_written_the_original_is_locked() -> None:
    known = replace(facts(ENDORSED), replacement_pending=True)
    assert "replacement_pending" in errors(certificate(), VERIFY, known)
    assert "replacement_pending" in errors(certificate(), AMEND, replace(known, form=None))


# ---- amendments obey the guards of the signature they touch


def test_an_amendment_may_not_name_an_invalid_consignee_after_box_18() -> None:
    known = facts(changed=otherwise(PRODUCER, status="NEW"))
    after = certificate(first_consignee=PRODUCER)
    brought = amendment_problems(certificate(), after, Status.ISSUED, Model.COI_2017, known)
    assert {each.code for each in brought} >= {"partner_not_valid", "outside_union"}


def test_an_amendment_is_not_refused_for_what_was_wrong_before_it() -> None:
    known = facts(changed=otherwise(EXPORTER, status="SUSPENDED"))
    after = certificate(arrival_at="2026-03-13T08:00:00+01:00")
    assert amendment_problems(certificate(), after, Status.ISSUED, Model.COI_2017, known) == ()


def test_an_amendment_after_departure_is_not_refused_because_the_goods_have_left() -> None:
    known = facts(now=NOW + timedelta(days=5))
    after = certificate(seals=["S-2"])
    assert amendment_problems(certificate(), after, Status.ISSUED, Model.COI_2017, known) == ()


def test_the_authority_may_switch_from_consignee_to_batches() -> None:
    after = certificate(first_consignee=None, release_by_batches=True)
    assert amendment_problems(certificate(), after, Status.ISSUED, Model.COI_2017, facts()) == ()
    both = certificate(release_by_batches=True)
    assert amendment_problems(certificate(), both, Status.ISSUED, Model.COI_2017, facts()) != ()


# ---- the table itself


def test_every_check_has_one_sentence_and_is_never_both_warning_and_refusal() -> None:
    assert len({check.code for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.code in SENTENCES
        assert check.warns | check.refuses, check.code
        assert not check.warns & check.refuses, check.code


JUNK: tuple[object, ...] = (None, True, False, 0, 1, "", "x", "acceptable", [], ["x"], {}, {"a": 1})


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([box.field for box in BOXES if "." not in box.field]), st.none()))
def test_holes_never_break_the_law(content: dict[str, Any]) -> None:
    for action in Action:
        problems(content, action, Model.COI_2017, Facts(NOW))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["documentary", "in_order", "remarks", "reason", "x"]), st.sampled_from(JUNK)))
def test_odd_answers_are_problems_and_never_accidents(form: dict[str, object] | None) -> None:
    for action in Action:
        problems(certificate(), action, Model.COI_2017, facts(form))
