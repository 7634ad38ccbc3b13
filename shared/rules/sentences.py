"""The English sentence for every code the law answers with: what is wrong and what to do about it.

One thing to remember: the sentence is the key of its translation. The law itself never speaks; the edge looks the code
up here, translates the sentence and fills in the parameters. A parameter `label` is itself a sentence to translate.
"""

from typing import Final

from shared.rules.boxes import LABELS, PRINTED
from shared.rules.deadlines import CLOCKS
from shared.rules.documents import DOCUMENT_FIELDS, DOCUMENT_TYPES
from shared.rules.extracts import EXTRACT_BOXES, EXTRACT_CLOCKS, EXTRACT_FORMS
from shared.rules.forms import FORMS
from shared.rules.questions import LABELS as QUESTION_LABELS
from shared.rules.refusals import REFUSALS
from shared.rules.secret_questions import SECRET_QUESTIONS

# fmt: off
PROBLEMS: Final = {
    # accounts and passwords
    "field_needed":
        "Please fill this in.",
    "field_too_long":
        "Please shorten this to {longest} characters.",
    "not_an_address":
        "Please give an e-mail address such as name@company.example.",
    "addresses_differ":
        "The two addresses differ. Please type the same address twice.",
    "not_in_list":
        "Please choose one from the list.",
    "privacy_unread":
        "Please read the privacy statement and tick the box.",
    "person_unproved":
        "Please let the check that a person sits here finish, then send the form again.",
    "password_short":
        "Please use at least {least} characters.",
    "password_upper":
        "Please use at least one upper-case letter.",
    "password_digit":
        "Please use at least one digit.",
    "password_special":
        "Please use at least one special character, such as ! or %.",
    "password_personal":
        "Please choose a password that contains neither your name nor your address.",
    "password_common":
        "Please choose a password that is not on the lists guessers try first.",
    "password_used":
        "Please choose a password other than the present one.",
    "nothing_changed":
        "Nothing would change. Please type another name or address.",
    "answer_wrong":
        "The question and the answer are not those of this account. Please type the answer exactly as you gave it.",
    "postal_code_wrong":
        "Please give the five digits of the French postal code: they tell which authority validates the account.",
    "passwords_differ":
        "The two passwords differ. Please type the same password twice.",
    # something is missing
    "needed":
        "Please fill in: {label}.",
    "needed_in_ten_days":
        "Still empty: {label}. Please have it filled in within {days} days, or the border cannot endorse the certificate.",
    "weight_half_filled":
        "Please give both the weight and its unit.",
    "neither_consignee_nor_batches":
        "Please name the first consignee, or tick the release in batches.",
    "consignee_open":
        "Please have the first consignee named first, or release the consignment in batches.",
    "batches_not_ticked":
        "Please have the release in batches ticked first, or verify for the first consignee.",
    "departure_unknown":
        "Please fill in the departure, or declare that the goods have not left yet.",
    "remarks_needed":
        "Please say in the remarks what was not in order.",
    # the record of an organisation
    "not_a_country":
        "Please choose a country from the list.",
    "contact_needed":
        "Please give at least one of phone, fax, e-mail or web site.",
    "not_coordinates":
        "Please give degrees as a number: latitude from -90 to 90, longitude from -180 to 180.",
    "not_eori":
        "Please check the EORI number: two letters of a country, then up to fifteen letters or digits.",
    "eori_needed":
        "An organic importer has an EORI number. Please add it.",
    "not_vat":
        "Please check the VAT number: its digits do not fit together.",
    "not_siret":
        "Please check the SIRET or SIREN number: its digits do not fit together.",
    "one_activity":
        "Please choose one activity. Others can be added once the operator is valid.",
    "not_activity":
        "Please choose each activity from the list, and only once.",
    "body_needed":
        "Please choose the control body that certifies the company.",
    "not_body_code":
        "Please give the code in the form MA-BIO-154.",
    "code_taken":
        "Another organisation has this code already. Please check it.",
    "not_basis":
        "Please say for each country the categories of products and the legal basis.",
    "not_superior":
        "Please choose a valid authority of the same country, or the Commission, that does not itself stand below.",
    "not_territory":
        "Please give the country, or the country and the first digits of the postal codes, as FR or FR-31.",
    "not_calendar":
        "Please give a country or a part of one whose public holidays are known, as FR or FR-57.",
    "dates_crossed":
        "Please let the validity end after it begins.",
    # the shape of what was sent
    "field_missing":
        "{name} is missing. Please send it.",
    "not_one_of":
        "{name}: please send one of {expected}.",
    "named_twice":
        "This line is named twice. Please name each line once.",
    "not_public":
        "Please give an address with https that is open to the internet.",
    "unknown_field":
        "There is no field called {name}. Please leave it out.",
    "not_on_this_form":
        "{label}: this form does not have that box. Please leave it out.",
    "box_derived":
        "{label} is filled in by the system. Please leave it out and change the boxes it follows from.",
    "box_signed":
        "{label} is filled in by whoever signs it. Please leave it out.",
    "box_later":
        "{label} cannot be filled in here yet. Please leave it out.",
    "not_organisation":
        "{label}: please choose an organisation from the directory.",
    "not_country":
        "{label}: please choose a country from the list.",
    "not_text":
        "{label}: please send text.",
    "not_yes_no":
        "{label}: please answer yes or no.",
    "not_a_choice":
        "{label}: please choose one of {choices}.",
    "not_count":
        "{label}: please send a whole number.",
    "not_decimal":
        "{label}: please send a number such as 1250.5.",
    "not_unit":
        "{label}: please send a unit code such as KGM.",
    "not_package_type":
        "{label}: please send a package code of two signs, such as BG.",
    "not_commodity":
        "{label}: please send a commodity code of eight digits.",
    "not_category":
        "{label}: please send a category from a to g.",
    "not_mode":
        "{label}: please choose a mode of transport from the list.",
    "not_moment":
        "{label}: please send date, time and zone, such as 2026-03-01T08:00:00+01:00.",
    "not_a_day":
        "{label}: please give a day such as 2026-03-31.",
    "not_list":
        "{label}: please send a list.",
    "not_group":
        "{label}: please send an object with its fields.",
    "too_long":
        "{label}: please shorten it to {longest} characters.",
    "too_many":
        "{label}: please send no more than {most} entries.",
    "empty_entry":
        "{label}: please fill in each entry or remove it.",
    "twice":
        "{label}: an entry is there twice. Please remove one.",
    "unprintable":
        "{label}: please remove the signs that cannot be printed.",
    # parties
    "unknown_organisation":
        "This organisation is not in the directory. Please choose another, or have it created.",
    "wrong_kind_of_organisation":
        "{name} is not the kind of organisation this box is for. Please choose another.",
    "partner_not_valid":
        "{name} is not valid. Box 18 can be signed once it is; please ask who validates it, or choose another.",
    "partner_without_activity":
        "{name} has no valid organic activity for this box. Please have it validated, or choose another.",
    "partner_activity_ended":
        "The organic activity of {name} ended on {until}. Please have it renewed, or choose another.",
    "consignee_not_valid":
        "{name} is not valid at the moment. Please have it validated; then sign.",
    "organisation_not_valid":
        "{name} is not valid. Please check whether it is the right one.",
    "eori_missing":
        "{name} has no EORI number. Please have the importer add it in the directory.",
    "eori_malformed":
        "The EORI number {eori} of {name} is not right. Please have the importer correct it in the directory.",
    "exporter_not_abroad":
        "{name} sits in {country}. Please choose an exporter from a third country.",
    "outside_union":
        "{name} sits in {country}. Please choose an organisation in the Union.",
    # boxes 1 and 2
    "body_not_of_exporter":
        "The body of box 1 does not certify {name}. Please choose the control body of the exporter.",
    "body_not_recognised_there":
        "{name} is not recognised for {country}. Please choose another body, or correct the country of export.",
    "body_not_recognised_for":
        "{name} is not recognised for category {category} in {country}. Please choose another body or product.",
    "several_procedures":
        "Categories {categories} fall under different procedures. Please make one certificate for each.",
    # boxes 7 to 9
    "several_origins_of_one_lot":
        "One lot of one producer has one country of origin. Please check the countries.",
    "clearance_outside_union":
        "{country} is not in the Union. Please choose the member state of clearance.",
    "authority_elsewhere":
        "{name} is not in {country}. Please choose an authority of the country of clearance.",
    "authority_not_competent":
        "{name} is not competent for organic products. Please choose another authority.",
    # box 12
    "consignee_and_batches":
        "A first consignee is named and the release in batches is ticked. Please keep one of the two.",
    # boxes 13 to 16
    "unknown_commodity":
        "The code {cn_code} is not in this year's nomenclature. Please choose the product again.",
    "producer_of_other_body":
        "{name} is certified by another control body. Please check the control body of the producer.",
    "weight_not_positive":
        "Please give a weight above zero.",
    "weight_too_fine":
        "Please give the weight with no more than {decimals} decimals.",
    "unknown_unit":
        "The unit {unit} is not used here. Please choose one of {units}.",
    "packages_not_positive":
        "Please give at least one package.",
    "packages_of_bulk":
        "Bulk ({package_type}) has no number of packages. Please clear the number or correct the package type.",
    "net_over_gross":
        "The net weight ({net} kg) is more than the gross weight ({gross} kg). Please correct one of them.",
    "nothing_holds_goods_at_sea":
        "The goods travel by sea: please give containers and seals, or tick that it is bulk without container.",
    "container_number_odd":
        "{container} is not a usual container number. Please check it.",
    # departure and arrival
    "goods_have_left":
        "The goods left on {departure}, before box 18 was signed. Please correct the date, or declare them still there.",
    "arrival_before_departure":
        "The goods arrive before they leave. Please correct one of the dates.",
    # lines from a sheet
    "unknown_column":
        "The heading “{heading}” is not known. Please use the headings of the template, or remove the column.",
    "column_twice":
        "The heading “{heading}” is there twice. Please keep one of the two columns.",
    "column_missing":
        "The column {label} is missing. Please add it.",
    "organisation_not_found":
        "Nobody in the directory is called {name}. Please give the exact name, or the code.",
    "several_organisations":
        "Several organisations are called {name}. Please give the code, or choose it by hand afterwards.",
    "sps_unknown":
        "The element {element} has no place here. Please remove it, or use version 17 of the SPS certificate.",
    "sps_missing":
        "The element {element} is missing here. Please add it; it may be empty.",
    "sps_twice":
        "The element {element} may stand here once. Please remove the others.",
    "sps_order":
        "The element {element} stands after {other}, and belongs before it. Please keep the order of the standard.",
    "sps_value":
        "The element {element} holds something of another kind. Please correct it.",
    "sps_type":
        "This is a certificate of type {code}. Please send a certificate of inspection, type 856.",
    # the signatures
    "papers_not_acceptable":
        "Box 18 needs an acceptable documentary check. Please correct the description, or delete the certificate.",
    "papers_not_checked":
        "Every consignment needs a documentary check. Please carry it out first.",
    "check_not_acceptable":
        "A check was not acceptable. Please release the goods as conventional, or do not release them.",
    "laboratory_pending":
        "The laboratory result is still awaited. Please decide when it is there.",
    "customs_procedure_incomplete":
        "The customs procedure is filled in half. Please have the rest of it filled in first.",
    "no_customs_procedure":
        "No customs procedure was started here. Please ask the border authority to start it first.",
    "not_verified_again":
        "A customs procedure was carried out. Please verify the goods again after it, and say so here.",
    # one certificate in the place of another
    "replacement_pending":
        "A certificate that replaces this one is being written. Please wait for it, or have it withdrawn.",
    "nothing_to_accept":
        "No replacement awaits to be accepted here. Please reload the page.",
    "replacement_lapsed":
        "The certificate this one should replace no longer waits for it. Please begin a new replacement there.",
    "replacement_not_accepted":
        "The authority of the member state has not accepted this replacement yet. Please wait for it.",
    # irregularities and extracts
    "notice_answered":
        "This notice was answered already. Please reload the page to read the answer.",
    "more_than_left":
        "Of this line only {left} is left. Please take no more than that.",
    "nothing_left":
        "Nothing of this certificate is left for another extract. Please look at its extracts.",
    "unknown_line":
        "The certificate has no such product line. Please choose one of its lines.",
    "quantity_left":
        "Something of this consignment is in no extract yet. Please have it extracted first.",
    "extracts_open":
        "An extract of this certificate is not decided yet. Please wait for it, or have it deleted.",
}
# fmt: on
"""Code of a problem -> its sentence."""

SENTENCES: Final = {**{row.code: row.says for row in REFUSALS}, **PROBLEMS}
"""Every code, of refusals and of problems -> its English sentence."""


def msgids() -> tuple[str, ...]:
    """Every English sentence, title and label of the law: what a catalogue has to translate."""
    questions = (question for form in (*FORMS, *EXTRACT_FORMS) for question in form.questions)
    return tuple(
        dict.fromkeys(
            [
                *SENTENCES.values(),
                *(row.title for row in PRINTED),
                *LABELS.values(),
                *(question.label for question in questions),
                *(row.then for row in CLOCKS),
                *(row.title for row in EXTRACT_BOXES),
                *(row.then for row in EXTRACT_CLOCKS),
                *(row.name for row in DOCUMENT_TYPES),
                *(row.label for row in DOCUMENT_FIELDS),
                *QUESTION_LABELS.values(),
                *(row.says for row in SECRET_QUESTIONS),
            ]
        )
    )
