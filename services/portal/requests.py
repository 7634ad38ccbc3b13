"""What roles, requests and steps are called on their pages, and how a form becomes a step.

One thing to remember: the pages know no rule. Which buttons there are is what the directory says may be done.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import Query
from starlette.datastructures import FormData

from services.portal import words
from services.portal.clients import Trouble
from services.portal.desk import Desk
from services.portal.visitor import House, Visitor
from services.portal.words import N_
from shared.contracts.directory import StepWish
from shared.rules.refusals import Refused

Short = Annotated[str, Query(max_length=40)]
Text = Annotated[str, Query(max_length=200)]

# ruff: noqa: E501
# fmt: off
STATUSES: Final = {
    "REQUESTED": (N_("Requested"), "blue"),
    "VALID":     (N_("Valid"),     "green"),
    "SUSPENDED": (N_("Suspended"), "amber"),
    "REFUSED":   (N_("Refused"),   "red"),
    "WITHDRAWN": (N_("Withdrawn"), "grey"),
    "EXPIRED":   (N_("Expired"),   "grey"),
}
_WHY: Final = N_("Reason (the person reads it)")
STEPS: Final = {
    # step:     its button,                   what was done,                     its look, what is typed beside it
    "validate":  (N_("Validate"),             N_("validated"),                     "main",   N_("A word to the applicant (optional)")),
    "refuse":    (N_("Refuse"),               N_("refused"),                       "danger", _WHY),
    "ask":       (N_("Ask a question"),       N_("asked"),                         "",       N_("Question (the clock stands still)")),
    "answer":    (N_("Answer"),               N_("answered"),                      "main",   N_("Answer")),
    "claim":     (N_("Take it on"),           N_("took it on"),                    "",       ""),
    "release":   (N_("Hand it back"),         N_("handed it back"),                "",       ""),
    "withdraw":  (N_("Withdraw"),             N_("withdrew"),                      "danger", ""),
    "suspend":   (N_("Suspend"),              N_("suspended"),                     "danger", _WHY),
    "reinstate": (N_("Reinstate"),            N_("reinstated"),                    "",       _WHY),
    "revoke":    (N_("Withdraw the role"),    N_("took the role away"),            "danger", _WHY),
    "appoint":   (N_("Make administrator"),   N_("made him administrator"),        "",       ""),
    "dismiss":   (N_("Administrator no more"), N_("ended his being administrator"), "",      _WHY),
}
"""What may be done about a role, as buttons."""
HAPPENED: Final = {
    **{step: told[1] for step, told in STEPS.items()},
    "request":            N_("asked for it"),
    "validator_reminded": N_("the time to answer has passed: whoever decides was reminded"),
    "escalated":          N_("the authority above was told that it waits"),
    "expired":            N_("nobody decided in time"),
    "unanswered":         N_("the question was not answered in time"),
    "operator_refused":   N_("the operator was not accepted"),
    "handed_back":        N_("it is everybody’s again: whoever had taken it on decides no more"),
    "applicant_gone":     N_("the applicant took his request back"),
}
THEN: Final = {
    "validator_reminded": N_("then whoever decides is reminded"),
    "escalated":          N_("then the authority above is told"),
    "expired":            N_("then the request expires and can be made again"),
    "unanswered":         N_("then the request expires and can be made again"),
    "operator_refused":   N_("the operator was refused, and this request with it"),
}
SECTIONS: Final = {
    "ORGANIC": N_("Organic"), "ANIMAL_BY_PRODUCTS": N_("Animal by-products"), "FEED": N_("Feed"),
    "FOOD": N_("Food"), "PLANTS": N_("Plants"), "SEMEN_AND_EMBRYO": N_("Semen and embryo"),
    "TIMBER": N_("Imported timber products"), "VETERINARY": N_("Veterinary"),
}
CHAPTERS: Final = {"ORGANIC": N_("Organic production and imports")}
REASONS: Final = {
    "EORI":                 N_("same EORI number"),
    "VAT":                  N_("same VAT number"),
    "NUMBER":               N_("same number"),
    "NAME_AND_POSTAL_CODE": N_("same name and postal code"),
    "SIMILAR_NAME":         N_("similar name"),
}
# fmt: on


def desk_of(house: House, visitor: Visitor) -> Desk:
    """The directory's desk on behalf of this visitor."""
    return Desk(house.clients.directory, visitor.caller)


def shown(**more: Any) -> dict[str, Any]:
    """The names all pages of this area speak with."""
    return {
        "role_statuses": STATUSES,
        "steps": STEPS,
        "happened": HAPPENED,
        "then": THEN,
        "sections": SECTIONS,
        "chapters": CHAPTERS,
        "reasons": REASONS,
        "key": uuid4().hex,
        **more,
    }


def said(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def explained(trouble: Trouble) -> str:
    """What a refusal says; where somebody else was faster, also who decided what, and when."""
    told = trouble.params
    if trouble.code == "already_decided" and told.get("at"):
        moment = words.parse_moment(str(told["at"]))
        step = HAPPENED.get(str(told.get("action")), "")
        return words._(
            "%(person)s (%(by)s) %(step)s on %(at)s, before you.",
            person=told.get("person") or "",
            by=told.get("by") or "",
            step=words._(step),
            at=words.moment(moment),
        )
    return trouble.text


def step_of(form: FormData) -> tuple[StepWish, str]:
    """The step a form asks for, and the reason typed into it."""
    reason = str(form.get("reason") or "").strip()[:2000]
    revision = str(form.get("revision") or "")
    if not revision.isdigit():
        raise Refused("invalid", field="revision")
    more = {name: str(form[name]) for name in ("into", "activity") if form.get(name)}
    said = {"reason": reason} if reason else {}
    return StepWish(action=str(form.get("action") or "")[:40], revision=int(revision), form={**more, **said}), reason


def key_of(form: FormData) -> str:
    key = str(form.get("key") or "")
    return key if key.isalnum() and len(key) == 32 else uuid4().hex
