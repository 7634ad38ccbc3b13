"""Every field, its place on each form, its shape, and what the system fills in."""

from itertools import product
from typing import Any, Final

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.boxes import BOX, BOXES, LABELS, PRINTED, Filled, Kind, Model
from shared.rules.content import (
    blank,
    copied,
    derive,
    fill_in,
    named,
    organisations_in,
    places_of,
    seen_by,
    sees,
    ties_of,
)
from shared.rules.countries import COUNTRIES, NO_CERTIFICATE, UNION
from shared.rules.forms import FORMS, box_signed_by, check_form, form_of, told_in
from shared.rules.parties import Procedure, Recognition, may_create
from shared.rules.permissions import Tie
from shared.rules.shape import PARTS, check_shape
from shared.rules.status import CONTENT, Action, Status
from tests.rules.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EUROPEAN_BODY,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    NOW,
    PARTIES,
    POST,
    PRODUCER,
    STRANGER,
    certificate,
    facts,
    found,
    identity,
    line,
    otherwise,
)

# ---- the two forms


@pytest.mark.parametrize(("model", "last"), [(Model.COI_2017, 21), (Model.COI_2022, 31)])
def test_each_form_has_its_boxes_once_and_in_order(model: Model, last: int) -> None:
    assert [row.number for row in PRINTED if row.model is model] == list(range(1, last + 1))


@pytest.mark.parametrize("model", Model)
def test_every_printed_box_has_a_field_but_those_of_onward_transfer(model: Model) -> None:
    held = {box.number(model) for box in BOXES}
    assert {row.number for row in PRINTED if row.model is model} - held <= {27, 28}


@pytest.mark.parametrize("model", Model)
def test_every_field_on_a_form_has_a_title_and_a_label(model: Model) -> None:
    for box in BOXES:
        if box.is_on(model):
            assert box.title(model)
            assert box.label(model)


def test_only_titles_nobody_has_read_in_the_annex_are_provisional() -> None:
    assert {row.number for row in PRINTED if row.provisional} == {21, 22, *range(25, 30)}
    assert BOX["control_point"].is_provisional(Model.COI_2022)
    assert not BOX["exporter"].is_provisional(Model.COI_2022)


# The numbers of the 2017 form, typed from guide 002 §3.1.
@pytest.mark.parametrize(("field", "number"), [
    ("issuing_body", 1), ("procedure", 2), ("national_reference", 3), ("exporter", 4), ("producers", 5),
    ("producers_control_bodies", 6), ("countries_of_origin", 7), ("country_of_export", 8), ("entry_authority", 9),
    ("country_of_destination", 10), ("importer", 11), ("first_consignee", 12), ("product_lines.lot", 13),
    ("containers", 14), ("seals", 15), ("gross_weight", 16), ("transport", 17), ("issuing_declaration", 18),
    ("customs_procedure", 19), ("entry_checks", 20), ("first_consignee_declaration", 21),
    ("responsible_for_load", None),
])  # fmt: skip
def test_the_2017_form_has_the_numbers_of_the_guide(field: str, number: int | None) -> None:
    assert BOX[field].number(Model.COI_2017) == number
    assert BOX[field].is_on(Model.COI_2017)


def test_fields_are_unique_and_labels_belong_to_fields() -> None:
    assert len(BOX) == len(BOXES)
    assert set(LABELS) <= set(BOX)


def test_every_part_that_may_be_sent_is_a_field() -> None:
    for group, parts in PARTS.items():
        known = {"id", "value", "unit"} if group != "transport" else set()
        assert all(f"{group}.{part}" in BOX or part in known for part in parts)


# ---- shape

TYPED = (Filled.BY_HAND, Filled.FILLED_IN)


def test_what_the_law_calls_in_order_has_the_right_shape() -> None:
    typed = {name: value for name, value in certificate().items() if BOX[name].filled in TYPED}
    assert check_shape(typed) == ()


def test_an_emptied_box_has_the_right_shape() -> None:
    typed = [box.field for box in BOXES if "." not in box.field and box.filled in TYPED]
    assert check_shape(dict.fromkeys(typed), Model.COI_2022) == ()


@pytest.mark.parametrize(("changes", "field", "code"), [
    ({"exportr": None}, "exportr", "unknown_field"),
    ({"product_lines.lot": "L"}, "product_lines.lot", "unknown_field"),
    ({"trader_without_handling": EXPORTER}, "trader_without_handling", "not_on_this_form"),
    ({"procedure": "COMPLIANCE"}, "procedure", "box_derived"),
    ({"number": "COI.MA.2026.0000001"}, "number", "box_derived"),
    ({"issuing_declaration": {}}, "issuing_declaration", "box_signed"),
    ({"documents": []}, "documents", "box_later"),
    ({"exporter": "Atlas"}, "exporter", "not_organisation"),
    ({"exporter": 7}, "exporter", "not_organisation"),
    ({"responsible_for_load": EXPORTER}, "responsible_for_load", "not_list"),
    ({"responsible_for_load": [None]}, "responsible_for_load[0]", "not_organisation"),
    ({"responsible_for_load": [EXPORTER, EXPORTER]}, "responsible_for_load", "twice"),
    ({"country_of_export": "ZZ"}, "country_of_export", "not_country"),
    ({"country_of_export": ["MA"]}, "country_of_export", "not_country"),
    ({"countries_of_origin": ["MA", "ma"]}, "countries_of_origin[1]", "not_country"),
    ({"national_reference": "x" * 251}, "national_reference", "too_long"),
    ({"national_reference": "a\x00b"}, "national_reference", "unprintable"),
    ({"national_reference": "\ud800"}, "national_reference", "unprintable"),
    ({"national_reference": 7}, "national_reference", "not_text"),
    ({"release_by_batches": "yes"}, "release_by_batches", "not_yes_no"),
    ({"gross_weight": {"value": 5}}, "gross_weight.value", "not_decimal"),
    ({"gross_weight": {"value": "1e9"}}, "gross_weight.value", "not_decimal"),
    ({"gross_weight": {"value": "١"}}, "gross_weight.value", "not_decimal"),
    ({"gross_weight": "5 kg"}, "gross_weight", "not_group"),
    ({"transport": {"mode": "9"}}, "transport.mode", "not_mode"),
    ({"transport": {"captain": "Nemo"}}, "transport.captain", "unknown_field"),
    ({"departure_at": "2026-03-05T08:00:00"}, "departure_at", "not_moment"),
    ({"departure_at": "soon"}, "departure_at", "not_moment"),
    ({"departure_at": "0001-01-01T00:00:00+14:00"}, "departure_at", "not_moment"),
    ({"containers": [""]}, "containers[0]", "empty_entry"),
    ({"containers": ["x" * 41]}, "containers[0]", "too_long"),
    ({"product_lines": [{"lot": "x" * 101}]}, "product_lines[0].lot", "too_long"),
    ({"product_lines": [{"packages": True}]}, "product_lines[0].packages", "not_count"),
    ({"product_lines": [{"packages": 1.5}]}, "product_lines[0].packages", "not_count"),
    ({"product_lines": [{"cn_code": "0804"}]}, "product_lines[0].cn_code", "not_commodity"),
    ({"product_lines": [{"organic": "very"}]}, "product_lines[0].organic", "not_a_choice"),
    ({"product_lines": [{"id": "1"}, {"id": "1"}]}, "product_lines", "twice"),
    ({"product_lines": [{}] * 501}, "product_lines", "too_many"),
    ({"product_lines": ["dates"]}, "product_lines[0]", "not_group"),
])  # fmt: skip
def test_what_has_the_wrong_shape_is_named_with_its_field(changes: dict[str, Any], field: str, code: str) -> None:
    assert [(each.field, each.code) for each in check_shape(changes)] == [(field, code)]


def test_the_2022_form_has_the_trader_and_in_conversion() -> None:
    assert check_shape({"trader_without_handling": EXPORTER}, Model.COI_2022) == ()
    assert check_shape({"product_lines": [line(organic="in_conversion")]}, Model.COI_2022) == ()


JUNK: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "\x00",
    [],
    [None],
    [[]],
    {},
    {"value": []},
    [{"id": []}],
    [{"packages": "3"}],
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([*BOX, "nonsense", ""]), st.sampled_from(JUNK)))
def test_whatever_is_sent_is_judged_and_what_passes_can_be_derived_and_asked_about(changes: dict[str, Any]) -> None:
    for model in Model:
        if not check_shape(changes, model):
            derive({**blank(), **fill_in(blank(), changes, facts())}, facts())


# ---- what the system fills in


# « La procédure applicable est automatiquement sélectionnée en fonction du produit et de l'organisme de contrôle »
def test_the_procedure_follows_from_product_and_body() -> None:
    assert certificate()["procedure"] == Procedure.EQUIVALENT_CONTROL_BODY
    assert certificate(issuing_body=None)["procedure"] is None
    assert certificate(country_of_export="TN")["procedure"] is None


_DATES, _OIL = "08041000", "15092000"  # categories a and d
_P, _TWO, _NOT = Procedure, "several_procedures", "body_not_recognised_for"
# fmt: off
BOX_2: Final[tuple[tuple[dict[str, str], tuple[str, ...], Procedure | None, str | None], ...]] = (
    # what the body is recognised for in Morocco              the goods       box 2                        what is wrong
    ({_P.COMPLIANCE: "ad"},                                   (_DATES, _OIL), _P.COMPLIANCE,               None),
    ({_P.EQUIVALENT_THIRD_COUNTRY: "ad"},                     (_DATES, _OIL), _P.EQUIVALENT_THIRD_COUNTRY, None),
    ({_P.EQUIVALENT_CONTROL_BODY: "ad"},                      (_DATES, _OIL), _P.EQUIVALENT_CONTROL_BODY,  None),
    ({_P.TRADE_AGREEMENT: "ad"},                              (_DATES, _OIL), _P.TRADE_AGREEMENT,          None),
    ({_P.TRADE_AGREEMENT: "d", _P.COMPLIANCE: "a"},           (_OIL,),        _P.TRADE_AGREEMENT,          None),
    ({_P.TRADE_AGREEMENT: "d", _P.COMPLIANCE: "a"},           (_DATES,),      _P.COMPLIANCE,               None),
    ({_P.EQUIVALENT_CONTROL_BODY: "ad", _P.COMPLIANCE: "a"},  (_DATES, _OIL), _P.EQUIVALENT_CONTROL_BODY,  None),
    ({_P.EQUIVALENT_CONTROL_BODY: "ad", _P.COMPLIANCE: "a"},  (_DATES,),      _P.COMPLIANCE,               None),
    ({_P.TRADE_AGREEMENT: "d", _P.COMPLIANCE: "a"},           (_DATES, _OIL), None,                        _TWO),
    ({_P.COMPLIANCE: "a"},                                    (_OIL,),        None,                        _NOT),
    ({"UNION": "ad"},                                         (_DATES,),      None,                        _NOT),
)
# fmt: on


def test_each_of_the_four_procedures_is_reached_on_both_forms() -> None:
    assert {row[2] for row in BOX_2} == {*Procedure, None}
    for (bases, goods, procedure, wrong), model, kind in product(BOX_2, Model, ("organic", "in_conversion")):
        body = otherwise(BODY, recognitions=tuple(Recognition("MA", tuple(bases[each]), each) for each in bases))
        rows = [line(id=str(at), cn_code=code, organic=kind) for at, code in enumerate(goods)]
        content = derive(certificate(product_lines=rows), facts(changed=body))
        told = set(found(content, Action.SUBMIT, facts(changed=body), model))
        assert content["procedure"] == procedure, (bases, goods)
        assert told & {_TWO, _NOT} == ({wrong} if wrong else set()), (bases, goods)


# « Les cases 5 et 6 ne peuvent pas être modifiées, les informations sont automatiquement affichées »
def test_boxes_5_and_6_follow_from_box_13() -> None:
    content = certificate(product_lines=[line(), line(id="2"), line(id="3", producer=EXPORTER)])
    assert content["producers"] == [PRODUCER, EXPORTER]
    assert content["producers_control_bodies"] == [BODY]


# « Le pays de destination dans la case 10 sera automatiquement renseigné en fonction du Pays du 1er destinataire. »
def test_the_destination_is_the_country_of_the_first_consignee() -> None:
    assert certificate()["country_of_destination"] == "FR"
    assert certificate(first_consignee=None)["country_of_destination"] is None


# « Le pays d'exportation est automatiquement renseigné … Cependant, ce champ est toujours modifiable. »
def test_the_country_of_export_follows_the_exporter_but_can_be_changed() -> None:
    assert fill_in({}, {"exporter": EXPORTER}, facts())["country_of_export"] == "MA"
    chosen = {"exporter": EXPORTER, "country_of_export": "ES"}
    assert fill_in({}, chosen, facts())["country_of_export"] == "ES"
    assert "country_of_export" not in fill_in({"exporter": EXPORTER}, {"seals": []}, facts())


# « Si vous êtes un exportateur biologique, la case est automatiquement complétée »
@pytest.mark.parametrize(("creator", "field"), [(EXPORTER, "exporter"), (IMPORTER, "importer"), (BODY, "issuing_body")])
def test_the_creators_own_organisation_stands_in_its_own_box(creator: str, field: str) -> None:
    assert fill_in({}, {}, facts(), PARTIES[creator])[field] == creator
    cleared = fill_in({}, {field: None}, facts(), PARTIES[creator])
    assert cleared[field] is None


def test_the_body_of_the_exporter_and_of_the_producer_are_suggested() -> None:
    changes = {"exporter": EXPORTER, "product_lines": [{"producer": PRODUCER}]}
    filled = fill_in({}, changes, facts())
    assert filled["issuing_body"] == BODY
    assert filled["product_lines"] == [{"id": "1", "producer": PRODUCER, "unit": "KGM", "producer_control_body": BODY}]


def test_new_lines_get_ids_that_are_free() -> None:
    filled = fill_in({}, {"product_lines": [{}, {"id": "1"}, {}]}, facts())
    assert [each["id"] for each in filled["product_lines"]] == ["2", "1", "3"]


def test_a_copy_keeps_parties_and_products_and_loses_what_belongs_to_one_consignment() -> None:
    copy = copied(certificate())
    assert copy["exporter"] == EXPORTER
    assert copy["product_lines"][0]["lot"] is None
    assert copy["product_lines"][0]["trade_name"] == "Dates"
    for lost in (
        "containers",
        "seals",
        "transport",
        "gross_weight",
        "departure_at",
        "arrival_at",
        "national_reference",
    ):
        assert not copy[lost]


def test_importers_exporters_and_control_bodies_may_start_a_certificate() -> None:
    may = {each for each, party in PARTIES.items() if may_create(party, NOW.date())}
    assert may == {EXPORTER, IMPORTER, BODY, EUROPEAN_BODY}
    assert not may_create(otherwise(EXPORTER, status="NEW"), NOW.date())


# ---- who is bound


def superior(authority: str) -> str | None:
    return PARTIES[authority].superior if authority in PARTIES else None


def test_each_box_that_names_somebody_binds_him() -> None:
    tie = ties_of(certificate(), EXPORTER, superior)
    assert tie(EXPORTER) == {Tie.CREATOR, Tie.EXPORTER}
    assert tie(BODY) == {Tie.ISSUER}
    assert tie(IMPORTER) == {Tie.IMPORTER}
    assert tie(CONSIGNEE) == {Tie.CONSIGNEE}
    assert tie(FORWARDER) == {Tie.RFL}
    assert tie(POST) == {Tie.ENTRY_AUTHORITY}
    assert tie(CENTRE) == {Tie.CENTRAL_AUTHORITY}
    assert tie(STRANGER) == tie(PRODUCER) == frozenset()


def test_an_empty_certificate_binds_its_creator_alone() -> None:
    assert named(blank(), EXPORTER, superior) == {Tie.CREATOR: [EXPORTER]}


def test_every_organisation_is_found_with_its_place() -> None:
    content = certificate()
    assert {BODY, EXPORTER, IMPORTER, CONSIGNEE, POST, FORWARDER, PRODUCER} == organisations_in(content)
    assert set(places_of(PRODUCER, content)) == {"producers", "product_lines[0].producer"}


def test_the_parties_and_those_behind_them_see_a_submitted_certificate_and_only_the_creator_a_draft() -> None:
    content = certificate()
    assert sees(content, EXPORTER, Status.DRAFT, False, PARTIES) == {EXPORTER}
    assert sees(content, EXPORTER, Status.ISSUED, True, PARTIES) == {
        BODY, EXPORTER, IMPORTER, CONSIGNEE, POST, CENTRE, FORWARDER, PRODUCER, EUROPEAN_BODY,
    }  # fmt: skip


def test_a_producer_sees_his_own_lines_only() -> None:
    content = certificate(product_lines=[line(), line(id="2", producer=EXPORTER)])
    seen = seen_by(PRODUCER, frozenset(), content)
    assert [each["id"] for each in seen["product_lines"]] == ["1"]
    assert seen["producers"] == [PRODUCER]
    assert seen_by(IMPORTER, frozenset({Tie.IMPORTER}), content) == content


# ---- forms of orders


def test_every_action_that_is_an_order_has_a_form() -> None:
    assert {row.action for row in FORMS} == set(Action) - CONTENT
    assert {box_signed_by(action) for action in Action} - {None} == {
        box.field for box in BOXES if box.kind is Kind.SIGNED
    }


def test_a_form_depends_on_the_status_only_where_it_says_so() -> None:
    own = form_of(Action.DELETE, Status.DRAFT)
    assert own is not None
    assert not own.questions[0].needed
    assert form_of(Action.DELETE, Status.ISSUED) is form_of(Action.DELETE)


def test_a_signed_box_says_what_has_no_box_of_its_own_in_the_order_it_is_asked() -> None:
    apart = {"documentary", "identity", "physical", "laboratory", "onward_transfer", "control_point_reached"}
    old, new = (told_in("entry_checks", model) for model in Model)
    assert old.keys() - new.keys() == apart | {"transport_after"}
    assert list(new) == ["related_certificates", "remarks", "verified_again", "release_as", "reason"]
    assert list(told_in("first_consignee_declaration", Model.COI_2022)) == ["in_order", "remarks"]


@pytest.mark.parametrize(("action", "answers", "told"), [
    (Action.SIGN, {}, {("issuing_declaration.documentary", "needed"), ("issuing_declaration.physical", "needed")}),
    (Action.SIGN, {"documentary": "fine", "physical": "not_done"},
     {("issuing_declaration.documentary", "not_a_choice")}),
    (Action.RECEIVE, {"in_order": "yes"}, {("first_consignee_declaration.in_order", "not_yes_no")}),
    (Action.SUBMIT, {"hurry": True}, {("hurry", "unknown_field")}),
    (Action.REJECT, {"reason": "  "}, {("entry_checks.reason", "needed")}),
    (Action.START_CUSTOMS_PROCEDURE, {"type": "warehousing", "operator": identity(1)},
     {("customs_procedure.reference", "needed")}),
])  # fmt: skip
def test_what_an_order_says_is_checked_with_the_box_it_becomes(
    action: Action, answers: dict[str, Any], told: set[tuple[str, str]]
) -> None:
    assert {(each.field, each.code) for each in check_form(action, answers)} == told


def test_a_form_names_the_box_of_the_certificates_own_form() -> None:
    problem = check_form(Action.SIGN, {"physical": "not_done"}, Model.COI_2022)[0]
    assert (problem.box, problem.title) == (18, "Declaration of the issuing control authority or control body")


# ---- countries


def test_countries_are_those_of_iso_and_two_more() -> None:
    assert {country.alpha_2 for country in pycountry.countries} | {"XI", "XK"} == COUNTRIES
    assert len(UNION) == 28
    assert NO_CERTIFICATE <= COUNTRIES
