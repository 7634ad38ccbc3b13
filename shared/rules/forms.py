"""What an order must say besides its name: checks, a declaration, a reason.

One thing to remember: the form of a signature becomes the box it signs. What is not a row of FORMS is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.rules.boxes import BOX, Kind, Model, Problem, problem
from shared.rules.shape import wrong
from shared.rules.status import Action, Status


@dataclass(frozen=True)
class Question:
    """One field of an order's form."""

    name: str
    kind: Kind
    label: str
    needed: bool = False
    choices: tuple[str, ...] = ()
    only: Model | None = None
    """The one form that asks it; None: both do."""

    def is_on(self, model: Model) -> bool:
        """Whether this form asks it."""
        return self.only in (model, None)


@dataclass(frozen=True)
class Form:
    """What one action asks, and the box its answers become."""

    action: Action
    at: Status | None
    """The status in which this form is the action's; None: in every other."""
    box: str | None
    """The field of the certificate that keeps the answers; None: the journal alone keeps them."""
    questions: tuple[Question, ...] = ()


_S, _A, _K, _2017, _2022 = Status, Action, Kind, Model.COI_2017, Model.COI_2022
NEEDED: Final = True
CHECKED: Final = ("acceptable", "not_acceptable", "not_done")
TESTED: Final = (*CHECKED, "pending")
RELEASES: Final = ("organic", "in_conversion")
CUSTOMS: Final = ("warehousing", "inward_processing")
AS_BEFORE: Final = "as_before"
"""An irregularity that turned out to be none: the certificate goes back to where it stood."""
DECISIONS: Final = (AS_BEFORE, _S.RELEASED_CONVENTIONAL, _S.NOT_RELEASED)

# fmt: off
_DONE     = Question("documentary",          _K.CHOICE,       "Documentary check",             NEEDED, CHECKED)
_PAPERS   = Question("documentary",          _K.CHOICE,       "Documentary check",             False,  CHECKED)
_IDENTITY = Question("identity",             _K.CHOICE,       "Identity check",                False,  CHECKED)
_PHYSICAL = Question("physical",             _K.CHOICE,       "Physical check",                False,  CHECKED)
_LABTEST  = Question("laboratory",           _K.CHOICE,       "Laboratory test",               False,  TESTED)
_RELATED  = Question("related_certificates", _K.TEXTS,        "Related certificates")
_REMARKS  = Question("remarks",              _K.TEXT,         "Remarks")
_REASON   = Question("reason",               _K.TEXT,         "Reason",                        NEEDED)
_IF_ANY   = Question("reason",               _K.TEXT,         "Reason")
_ONWARD   = Question("onward_transfer",      _K.YES_NO,       "Onward transfer to the control point", only=_2022)
_REACHED  = Question("control_point_reached", _K.MOMENT,      "Control point reached",         only=_2022)
_AFTER    = Question("transport_after",      _K.TEXT,         "Means of transport after the border post")
_RELEASE  = Question("release_as",           _K.CHOICE,       "Released as",                   False,  RELEASES, _2022)
_GOODS    = Question("physical",             _K.CHOICE,       "Physical check",                NEEDED, CHECKED)
_STAYING  = Question("goods_have_not_left",  _K.YES_NO,       "The goods have not left yet")
_IN_ORDER = Question("in_order",             _K.YES_NO,       "The goods arrived in order",    NEEDED)
_TYPE     = Question("type",                 _K.CHOICE,       "Customs procedure",             NEEDED, CUSTOMS)
_OPERATOR = Question("operator",             _K.ORGANISATION, "Operator",                      NEEDED)
_CUSTOMS  = Question("reference",            _K.TEXT,         "Customs declaration",           NEEDED, only=_2017)
_FOLLOWS  = Question("reference",            _K.TEXT,         "Customs declaration",           only=_2022)
_AGAIN    = Question("verified_again",       _K.YES_NO,       "Verified again after the customs procedure")
_DECISION = Question("decision",             _K.CHOICE,       "Decision",                      NEEDED, DECISIONS)
_FINDINGS = Question("conclusion",           _K.TEXT,         "Conclusion",                    NEEDED)
_RESULTS  = Question("results",              _K.TEXT,         "Results of the inquiry",        NEEDED)
_REMEDIES = Question("measures",             _K.TEXT,         "Measures taken",                NEEDED)

_CHECKS   = (_ONWARD, _REACHED, _AFTER, _IDENTITY, _PHYSICAL, _LABTEST, _RELATED, _REMARKS)
_NOTICE   = (
    # the model of the notification of irregularities: Implementing Regulation (EU) 2021/279, annex
    Question("notice_reference",  _K.TEXT,   "Reference of the notice",             NEEDED),
    Question("notice_contact",    _K.TEXT,   "Contact at the notifying authority"),
    Question("notice_category",   _K.TEXT,   "Product category",                    NEEDED),
    Question("notice_trade_name", _K.TEXT,   "Trade name",                          NEEDED),
    Question("notice_origin",     _K.TEXT,   "Country of origin",                   NEEDED),
    Question("notice_label",      _K.TEXT,   "Description and label"),
    Question("notice_lots",       _K.TEXT,   "Lot identification",                  NEEDED),
    Question("notice_other",      _K.TEXT,   "Other particulars"),
    Question("chain_producer",    _K.TEXT,   "Producer, with his control body"),
    Question("chain_processor",   _K.TEXT,   "Processor or seller, with his control body"),
    Question("chain_importer",    _K.TEXT,   "Importer, with his control body"),
    Question("chain_wholesaler",  _K.TEXT,   "Wholesaler, with his control body"),
    Question("chain_retailer",    _K.TEXT,   "Retailer, with his control body"),
    Question("nature",            _K.TEXT,   "Nature of the irregularity",          NEEDED),
    Question("legal_aspect",      _K.TEXT,   "Legal aspect",                        NEEDED),
    Question("detected_at",       _K.MOMENT, "Detected on"),
    Question("analysis",          _K.TEXT,   "Samples and analyses"),
    Question("quantity",          _K.TEXT,   "Quantity concerned"),
    Question("precautions",       _K.TEXT,   "Precautionary measures"),
    _REMARKS,
)

FORMS: Final = (
    #    action                      at        becomes                        asks
    Form(_A.SUBMIT,                  None,     None),
    Form(_A.SIGN,                    None,     "issuing_declaration",         (_DONE, _GOODS, _STAYING, _REMARKS)),
    Form(_A.DELETE,                  _S.DRAFT, None,                          (_IF_ANY,)),
    Form(_A.DELETE,                  None,     None,                          (_REASON,)),
    Form(_A.START_CUSTOMS_PROCEDURE, None,     "customs_procedure",           (_TYPE, _OPERATOR, _CUSTOMS, _FOLLOWS)),
    Form(_A.REPLACE,                 None,     None,                          (_REASON,)),
    Form(_A.ACCEPT_REPLACEMENT,      None,     None,                          (_REMARKS,)),
    Form(_A.RECORD_CHECKS,           None,     "entry_checks",                (_PAPERS, *_CHECKS)),
    Form(_A.VERIFY,                  None,     "entry_checks",                (_DONE, *_CHECKS, _AGAIN, _RELEASE, _IF_ANY)),
    Form(_A.OPEN_BATCHES,            None,     "entry_checks",                (_DONE, *_CHECKS, _AGAIN, _RELEASE, _IF_ANY)),
    Form(_A.RELEASE_CONVENTIONAL,    None,     "entry_checks",                (_PAPERS, *_CHECKS, _REASON)),
    Form(_A.REJECT,                  None,     "entry_checks",                (_PAPERS, *_CHECKS, _REASON)),
    Form(_A.RECEIVE,                 None,     "first_consignee_declaration", (_IN_ORDER, _REMARKS)),
    Form(_A.SIGNAL_IRREGULARITY,     None,     None,                          _NOTICE),
    Form(_A.REPLY_IRREGULARITY,      None,     None,                          (_RESULTS, _REMEDIES, _REMARKS)),
    Form(_A.CONCLUDE_IRREGULARITY,   None,     None,                          (_DECISION, _FINDINGS)),
    Form(_A.DEPLETE,                 None,     None,                          (_REMARKS,)),
)
# fmt: on
"""Every action that is an order, with what it asks; amending, extracting and copying are content."""

MOMENTS: Final = frozenset(each.name for row in FORMS for each in row.questions if each.kind is _K.MOMENT)
"""The answers that are a date and time."""
SIGNED: Final = {row.action: row.box for row in FORMS if row.box}
"""Action -> the box its form becomes."""


_UNSIGNED: Final = frozenset({_A.RECORD_CHECKS})
SIGNATURES: Final = frozenset(SIGNED) - _UNSIGNED
"""The actions whose box is sealed, over the whole content that was shown before; checks in progress are only noted."""


def box_signed_by(action: Action) -> str | None:
    """The box that an action's form becomes, if it becomes one."""
    return SIGNED.get(action)


def told_in(box: str, model: Model) -> dict[str, str]:
    """What a signed box says itself, in the order it is asked: label by name, less what has a box of its own."""
    asked = {each.name: each.label for row in FORMS if row.box == box for each in row.questions}
    own = {name for name in asked if (part := BOX.get(f"{box}.{name}")) and part.is_on(model)}
    elsewhere = {name for name in own if BOX[f"{box}.{name}"].number(model) != BOX[box].number(model)}
    return {name: label for name, label in asked.items() if name not in elsewhere}


def form_of(action: Action, status: Status | None = None) -> Form | None:
    """The form of this action in this status; None for what is not an order."""
    rows = [row for row in FORMS if row.action is action and row.at in (status, None)]
    return next((row for row in rows if row.at is status), next((row for row in rows if row.at is None), None))


def check_form(
    action: Action, answers: Mapping[str, Any], model: Model = Model.COI_2017, status: Status | None = None
) -> tuple[Problem, ...]:
    """Everything that is wrong with what an order says, strictly: unknown answers too."""
    form = form_of(action, status)
    asked = {question.name: question for question in form.questions if question.is_on(model)} if form else {}
    place = f"{form.box}." if form and form.box else ""
    unknown = [problem(place + name, "unknown_field", model, {"name": name}) for name in answers if name not in asked]
    found = [
        problem(place + name, code, model, {"label": question.label, **params})
        for name, question in asked.items()
        for code, params in _wrong(question, answers.get(name))
    ]
    return (*unknown, *found)


def _wrong(question: Question, answer: object) -> list[tuple[str, dict[str, object]]]:
    """What is wrong with one answer."""
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return [("needed", {})] if question.needed else []
    if question.kind is Kind.CHOICE:
        return [] if answer in question.choices else [("not_a_choice", {"choices": ", ".join(question.choices)})]
    return [(code, params) for _, code, params in wrong(question.kind, answer)]
