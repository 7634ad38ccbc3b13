"""Everything that is wrong with an extract before an action, all at once: its shape, its boxes, what an order says.

One thing to remember: with a submission also what is not left any more on the certificate.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from shared.rules.boxes import Kind, Model, Problem
from shared.rules.content import decimal, lines
from shared.rules.countries import UNION
from shared.rules.extracts import EXTRACT_BOX, EXTRACT_FORM, TYPED, left, quantity
from shared.rules.findings import BULK, RECEIVES
from shared.rules.forms import Question
from shared.rules.parties import Facts
from shared.rules.roles import Competence, RoleType
from shared.rules.shape import wrong
from shared.rules.status import Action

Row = Mapping[str, Any]
NEEDED: Final = ("operator", "clearance_country", "entry_authority", "consignee", "product_lines")
LINE_PARTS: Final = {"id": Kind.TEXT, "packages": Kind.COUNT, "net_weight": Kind.DECIMAL}
KINDS: Final = {
    "operator": RoleType.OPERATOR, "entry_authority": RoleType.AUTHORITY, "consignee": RoleType.OPERATOR,
}  # fmt: skip


def found(
    field: str, code: str, model: Model, params: Mapping[str, object] | None = None, severity: str = "error"
) -> Problem:
    """A problem of an extract, with number and title of its box as printed."""
    box = EXTRACT_BOX.get(field.split("[")[0].split(".")[0])
    return Problem(field, box.number(model) if box else None, box.title if box else "", code, params or {}, severity)


def check_extract_shape(changes: Row, model: Model = Model.COI_2017) -> tuple[Problem, ...]:
    """Everything that is wrong with the shape of these changes."""
    return tuple(_misshapen(changes, model))


def _misshapen(changes: Row, model: Model) -> Iterator[Problem]:
    for name, value in changes.items():
        if name in TYPED:
            label = EXTRACT_BOX[name].title
            yield from (
                found(name, code, model, {"label": label, **more}) for _, code, more in wrong(TYPED[name], value)
            )
        elif name != "product_lines":
            yield found(str(name)[:40], "unknown_field", model, {"name": str(name)[:40]})
        elif not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            yield found(name, "not_list", model, {"label": EXTRACT_BOX[name].title})
        else:
            for place, line in enumerate(value):
                yield from _misshapen_line(place, line, model)
            ids = [line.get("id") for line in value]
            if len(set(map(repr, ids))) < len(ids):
                yield found(name, "twice", model, {"label": EXTRACT_BOX[name].title})


def _misshapen_line(place: int, line: Row, model: Model) -> Iterator[Problem]:
    for part, value in line.items():
        where = f"product_lines[{place}].{str(part)[:40]}"
        if part not in LINE_PARTS:
            yield found(where, "unknown_field", model, {"name": str(part)[:40]})
            continue
        label = EXTRACT_BOX["product_lines"].title
        yield from (
            found(where, code, model, {"label": label, **more}) for _, code, more in wrong(LINE_PARTS[part], value)
        )


def check_extract_form(action: Action, answers: Row, model: Model = Model.COI_2017) -> tuple[Problem, ...]:
    """Everything that is wrong with what an order says."""
    form = EXTRACT_FORM.get(action)
    asked = {question.name: question for question in form.questions if question.is_on(model)} if form else {}
    place = f"{form.box}." if form and form.box else ""
    unknown = [found(place + name, "unknown_field", model, {"name": name}) for name in answers if name not in asked]
    told = [
        found(place + name, code, model, {"label": question.label, **more})
        for name, question in asked.items()
        for code, more in _unfit(question, answers.get(name))
    ]
    damaged = answers.get("in_order") is False and not str(answers.get("remarks") or "").strip()
    return (*unknown, *told, *([found(place + "remarks", "remarks_needed", model)] if damaged else ()))


def _unfit(question: Question, answer: object) -> list[tuple[str, dict[str, object]]]:
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return [("needed", {})] if question.needed else []
    if question.kind is Kind.CHOICE:
        return [] if answer in question.choices else [("not_a_choice", {"choices": ", ".join(question.choices)})]
    return [(code, params) for _, code, params in wrong(question.kind, answer)]


def extract_problems(
    content: Row, certificate: Row, booked: Row, action: Action, model: Model, facts: Facts
) -> tuple[Problem, ...]:
    """All that is wrong before this action; with SUBMIT also what is not left any more on the certificate."""
    problems: list[Problem] = []
    if action in (Action.SUBMIT, Action.VERIFY):
        problems += _incomplete(content, certificate, model, facts)
    if action is Action.SUBMIT:
        problems += _beyond(content, certificate, booked, model)
    consignee = facts.party(content.get("consignee"))
    stands = consignee and consignee.is_valid() and consignee.holding(RECEIVES, facts.now.date())
    if action in (Action.VERIFY, Action.RECEIVE) and consignee and not stands:
        problems.append(found("consignee", "consignee_not_valid", model, {"name": consignee.name}))
    if facts.form is not None:
        problems += check_extract_form(action, facts.form, model)
    return tuple(problems)


def _incomplete(content: Row, certificate: Row, model: Model, facts: Facts) -> Iterator[Problem]:
    for name in NEEDED:
        box = EXTRACT_BOX[name]
        if not content.get(name) and not (name == "operator" and box.number(model) is None):
            yield found(name, "needed", model, {"label": box.title})
    for name, kind in KINDS.items():
        party = facts.party(content.get(name))
        if content.get(name) and party is None:
            yield found(name, "unknown_organisation", model)
        elif party and party.kind != kind:
            yield found(name, "wrong_kind_of_organisation", model, {"name": party.name})
    consignee, country = facts.party(content.get("consignee")), content.get("clearance_country")
    if consignee and consignee.country not in UNION:
        yield found("consignee", "outside_union", model, {"name": consignee.name, "country": consignee.country})
    if country and country not in UNION:
        yield found("clearance_country", "clearance_outside_union", model, {"country": country})
    authority = facts.party(content.get("entry_authority"))
    if authority and authority.kind == RoleType.AUTHORITY:
        if country and authority.country != country:
            yield found("entry_authority", "authority_elsewhere", model, {"name": authority.name, "country": country})
        if Competence.ORGANIC not in authority.competences:
            yield found("entry_authority", "authority_not_competent", model, {"name": authority.name})
    known = {str(line.get("id")): line for line in lines(certificate)}
    for place, line in enumerate(lines(content)):
        yield from _line_problems(f"product_lines[{place}]", line, known.get(str(line.get("id"))), model)


def _line_problems(place: str, line: Row, whole: Row | None, model: Model) -> Iterator[Problem]:
    if whole is None:
        yield found(f"{place}.id", "unknown_line", model)
        return
    weight, counted = decimal(line.get("net_weight")), line.get("packages")
    if weight is None:
        yield found(f"{place}.net_weight", "needed", model, {"label": "Net weight"})
    elif weight <= 0:
        yield found(f"{place}.net_weight", "weight_not_positive", model)
    elif weight != round(weight, 3):
        yield found(f"{place}.net_weight", "weight_too_fine", model, {"decimals": 3})
    bulk = whole.get("package_type") in BULK
    if counted is None and whole.get("packages") is not None:
        yield found(f"{place}.packages", "needed", model, {"label": "Number of packages"})
    elif counted is not None and (bulk or whole.get("packages") is None):
        yield found(f"{place}.packages", "packages_of_bulk", model, {"package_type": whole.get("package_type") or ""})
    elif counted is not None and counted < 1:
        yield found(f"{place}.packages", "packages_not_positive", model)


def _beyond(content: Row, certificate: Row, booked: Row, model: Model) -> Iterator[Problem]:
    rest = left(certificate, booked)
    for place, line in enumerate(lines(content)):
        there = rest.get(str(line.get("id")))
        if there is None or there.holds(quantity(line)):
            continue
        part = "packages" if there.net_weight >= quantity(line).net_weight else "net_weight"
        still = str(there.packages) if part == "packages" else f"{max(there.net_weight, Decimal(0)):f}"
        yield found(f"product_lines[{place}].{part}", "more_than_left", model, {"left": still})
