"""Everything that is wrong with a certificate before an action, all at once.

One thing to remember: a check is a row of CHECKS. It says for which actions its finding is only a warning and for which
it refuses; how it is found stands in findings.py.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.rules import findings as find
from shared.rules.boxes import BOXES, Model, Problem, bare, problem
from shared.rules.content import holders
from shared.rules.deadlines import completion_days
from shared.rules.findings import BULK, Finder, Row
from shared.rules.forms import check_form
from shared.rules.parties import Facts
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status


@dataclass(frozen=True)
class Check:
    """One rule about content: what it finds has this code, warns before these actions and refuses those."""

    code: str
    find: Finder
    warns: frozenset[Action]
    refuses: frozenset[Action]


_A = Action
NEVER: Final = frozenset[Action]()
SUBMIT: Final = frozenset({_A.SUBMIT})
SIGN: Final = frozenset({_A.SIGN})
ENDORSE: Final = frozenset({_A.VERIFY, _A.OPEN_BATCHES})
BATCHES: Final = frozenset({_A.OPEN_BATCHES})
VERIFY: Final = frozenset({_A.VERIFY})
RECEIVE: Final = frozenset({_A.RECEIVE})
ISSUED: Final = frozenset({_A.SIGN, _A.AMEND})
"""To sign box 18, and whatever is amended afterwards: an amendment obeys the guards of the signature it touches."""
NOTICE: Final = frozenset({_A.REPLY_IRREGULARITY})
DEPLETE: Final = frozenset({_A.DEPLETE})
CUSTOMS: Final = frozenset({_A.START_CUSTOMS_PROCEDURE})
AMEND: Final = frozenset({_A.AMEND})
ACCEPT: Final = frozenset({_A.ACCEPT_REPLACEMENT})
LOCKED: Final = ENDORSE | CUSTOMS | {_A.AMEND, _A.REPLACE, _A.RECORD_CHECKS, _A.RELEASE_CONVENTIONAL, _A.REJECT}
"""What has to wait while a certificate that replaces this one is being written."""
FROM_SIGN: Final = ISSUED | ENDORSE
FROM_SUBMIT: Final = SUBMIT | FROM_SIGN

# fmt: off
CHECKS: Final = (
    #     code                             what finds it                         warns before       refuses
    # parties: while the description is written a warning is enough; a signature needs them valid
    Check("unknown_organisation",          find.unknown_organisations,           NEVER,             FROM_SUBMIT | CUSTOMS),
    Check("wrong_kind_of_organisation",    find.wrong_kinds,                     NEVER,             FROM_SUBMIT),
    Check("partner_not_valid",             find.partners_not_valid,              SUBMIT | ENDORSE,  ISSUED),
    Check("partner_without_activity",      find.partners_without_activity,       SUBMIT | ENDORSE,  ISSUED),
    Check("partner_activity_ended",        find.partners_activity_ended,         SUBMIT | ENDORSE,  ISSUED),
    Check("consignee_not_valid",           find.consignee_not_valid,             NEVER,             RECEIVE),
    Check("organisation_not_valid",        find.others_not_valid,                FROM_SUBMIT,       NEVER),
    Check("eori_missing",                  find.eori_missing,                    SUBMIT,            FROM_SIGN),
    Check("eori_malformed",                find.eori_malformed,                  SUBMIT,            FROM_SIGN),
    Check("exporter_not_abroad",           find.exporter_not_abroad,             NEVER,             FROM_SUBMIT),
    Check("outside_union",                 find.outside_union,                   NEVER,             FROM_SUBMIT),
    # box 1 and the procedure of box 2
    Check("body_not_of_exporter",          find.body_not_of_exporter,            NEVER,             FROM_SUBMIT),
    Check("body_not_recognised_there",     find.body_not_recognised_there,       SUBMIT,            ISSUED),
    Check("body_not_recognised_for",       find.body_not_recognised_for,         SUBMIT,            ISSUED),
    Check("several_procedures",            find.several_procedures,              SUBMIT,            ISSUED),
    # boxes 7 to 9
    Check("no_certificate_needed",         find.no_certificate_needed,           NEVER,             FROM_SUBMIT),
    Check("several_origins_of_one_lot",    find.several_origins_of_one_lot,      FROM_SUBMIT,       NEVER),
    Check("clearance_outside_union",       find.clearance_outside_union,         NEVER,             FROM_SUBMIT),
    Check("authority_elsewhere",           find.authority_elsewhere,             NEVER,             FROM_SUBMIT),
    Check("authority_not_competent",       find.authority_not_competent,         NEVER,             FROM_SUBMIT),
    # box 12
    Check("neither_consignee_nor_batches", find.neither_consignee_nor_batches,   NEVER,             FROM_SUBMIT),
    Check("consignee_and_batches",         find.consignee_and_batches,           NEVER,             FROM_SUBMIT),
    Check("consignee_open",                find.consignee_open,                  NEVER,             VERIFY),
    Check("batches_not_ticked",            find.batches_not_ticked,              NEVER,             BATCHES),
    # boxes 13 to 16
    Check("unknown_commodity",             find.unknown_commodities,             NEVER,             FROM_SUBMIT),
    Check("producer_of_other_body",        find.producers_of_other_body,         FROM_SUBMIT,       NEVER),
    Check("weight_not_positive",           find.weights_not_positive,            NEVER,             FROM_SUBMIT),
    Check("weight_too_fine",               find.weights_too_fine,                NEVER,             FROM_SUBMIT),
    Check("unknown_unit",                  find.unknown_units,                   NEVER,             FROM_SUBMIT),
    Check("weight_half_filled",            find.gross_weight_without_unit,       NEVER,             FROM_SUBMIT),
    Check("packages_not_positive",         find.packages_not_positive,           NEVER,             FROM_SUBMIT),
    Check("packages_of_bulk",              find.packages_of_bulk,                NEVER,             FROM_SUBMIT),
    Check("net_over_gross",                find.net_over_gross,                  SUBMIT,            FROM_SIGN),
    Check("nothing_holds_goods_at_sea",    find.nothing_to_hold_goods_at_sea,    SUBMIT | ISSUED,   ENDORSE),
    Check("container_number_odd",          find.container_numbers_odd,           FROM_SUBMIT,       NEVER),
    # departure and arrival
    Check("goods_have_left",               find.goods_have_left,                 SUBMIT,            SIGN),
    Check("departure_unknown",             find.departure_unknown,               NEVER,             SIGN),
    Check("arrival_before_departure",      find.arrival_before_departure,        NEVER,             FROM_SUBMIT),
    # the documents that go with the form of 2022
    Check("needed_in_ten_days",            find.documents_to_enclose,            SIGN,              NEVER),
    Check("needed",                        find.documents_to_enclose,            NEVER,             ENDORSE),
    # the signatures themselves
    Check("papers_not_acceptable",         find.papers_not_acceptable,           NEVER,             SIGN),
    Check("papers_not_checked",            find.papers_not_checked,              NEVER,             ENDORSE),
    Check("check_not_acceptable",          find.checks_not_acceptable,           NEVER,             ENDORSE),
    Check("laboratory_pending",            find.laboratory_pending,              NEVER,             ENDORSE),
    Check("customs_procedure_incomplete",  find.customs_procedure_incomplete,    NEVER,             ENDORSE),
    Check("no_customs_procedure",          find.no_customs_procedure,            NEVER,             AMEND),
    Check("not_verified_again",            find.not_verified_again,              NEVER,             ENDORSE),
    Check("remarks_needed",                find.nothing_said_of_damage,          NEVER,             RECEIVE),
    # one certificate in the place of another
    Check("replacement_pending",           find.replacement_pending,             NEVER,             LOCKED),
    Check("nothing_to_accept",             find.nothing_to_accept,               NEVER,             ACCEPT),
    Check("replacement_lapsed",            find.replacement_lapsed,              NEVER,             SUBMIT | SIGN),
    Check("replacement_not_accepted",      find.replacement_not_accepted,        NEVER,             SIGN),
    # irregularities and extracts
    Check("notice_answered",               find.notice_answered,                 NEVER,             NOTICE),
    Check("quantity_left",                 find.quantity_left,                   NEVER,             DEPLETE),
    Check("extracts_open",                 find.extracts_open,                   NEVER,             DEPLETE),
)
# fmt: on
"""Every rule about content beside "this box is needed", which is a column of BOXES."""

NEEDS: Final = {
    Action.SUBMIT: SUBMIT,
    Action.SIGN: SUBMIT | SIGN,
    Action.AMEND: SUBMIT | SIGN,
    Action.VERIFY: SUBMIT | SIGN | VERIFY,
    Action.OPEN_BATCHES: SUBMIT | SIGN | VERIFY,
}
"""Action -> the actions whose boxes must be filled for it."""


def problems(content: Row, action: Action, model: Model, facts: Facts) -> tuple[Problem, ...]:
    """All that is wrong before this action, errors and warnings, in the order of the boxes.

    With AMEND it tells what must still hold of a certificate whose box 18 is signed.
    """
    found = [*_holes(content, action, model), *_findings(content, action, model, facts)]
    if facts.form is not None:
        found += check_form(action, facts.form, model, facts.status)
    return tuple(sorted(found, key=_position))


def amendment_problems(before: Row, after: Row, status: Status, model: Model, facts: Facts) -> tuple[Problem, ...]:
    """The errors an amendment would bring in: it obeys the guards of the signatures that are already there."""
    if status is Status.DRAFT:
        return ()
    guards = Action.SUBMIT if status is Status.DESCRIPTION_COMPLETED else Action.AMEND
    old = problems(before, guards, model, facts)
    return tuple(each for each in problems(after, guards, model, facts) if each.is_error and each not in old)


def missing_to_save(content: Row, model: Model) -> tuple[Problem, ...]:
    """What a draft must have to be kept: products, boxes 1 and 4 (guide 002 §3.1: from box 4 on it can be saved)."""
    first = ("issuing_body", "exporter", "product_lines", "product_lines.cn_code")
    return tuple(hole for hole in _holes(content, Action.SUBMIT, model) if bare(hole.field) in first)


def is_complete(content: Row, model: Model, to_enclose: Collection[str] = ()) -> bool:
    """Whether everything that may follow within ten days of box 18 is there (box 13 packages, 16, 17, documents)."""
    return not to_enclose and not any(hole.is_error for hole in _holes(content, Action.VERIFY, model))


def refusal_for(found: Iterable[Problem]) -> str:
    """The code of the refusal these errors amount to."""
    codes = {each.code for each in found}
    return "no_certificate_needed" if "no_certificate_needed" in codes else "incomplete"


def refuse_if_incomplete(content: Row, action: Action, model: Model, facts: Facts) -> None:
    """Refuse an action whose boxes or form have errors, with all of them."""
    errors = [each for each in problems(content, action, model, facts) if each.is_error]
    if errors:
        countries = [each.params["country"] for each in errors if each.code == "no_certificate_needed"]
        raise Refused(refusal_for(errors), problems=errors, **({"country": countries[0]} if countries else {}))


def _holes(content: Row, action: Action, model: Model) -> Iterator[Problem]:
    """Fields that are needed and empty; before box 18 is signed, a warning about those that must follow in ten days."""
    for box in BOXES:
        needed = box.needed(model)
        at_once = needed in NEEDS.get(action, NEVER)
        soon = action is Action.SIGN and needed is Action.VERIFY
        if not (needed and (at_once or soon)):
            continue
        for place, holder in holders(box.field, content):
            if _is_hole(box.field.split(".")[-1], holder):
                code, severity = ("needed", "error") if at_once else ("needed_in_ten_days", "warning")
                params = {"label": box.label(model)} | ({} if at_once else {"days": completion_days()})
                yield problem(place, code, model, params, severity)


def _is_hole(name: str, holder: Row) -> bool:
    """Whether a needed field is empty; bulk has no packages to be counted."""
    return holder.get(name) in (None, "", [], {}) and not (name == "packages" and holder.get("package_type") in BULK)


def _findings(content: Row, action: Action, model: Model, facts: Facts) -> Iterator[Problem]:
    for check in CHECKS:
        if action in check.refuses or action in check.warns:
            severity = "error" if action in check.refuses else "warning"
            for place, params in check.find(content, facts):
                yield problem(place, check.code, model, params, severity)


def _position(found: Problem) -> tuple[int, str]:
    return (_ORDER.get(bare(found.field).split(".")[0], len(_ORDER)), found.field)


_ORDER: Final = {box.field: position for position, box in enumerate(BOXES)}
