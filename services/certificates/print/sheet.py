"""A sheet as the template reads it: head, boxes two in a row, signatures, and how the copy is checked.

One thing to remember: nothing is printed but what the copy brings, so the same revision gives the same bytes.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

import segno

from services.certificates.print.speech import Speech
from services.certificates.print.words import STATUSES, WATERMARKS
from shared.contracts.certificate_views import CertificateView, CommodityView, ExtractView, PartyView, SignatureView
from shared.reference.categories import categories
from shared.rules.boxes import Model
from shared.rules.forms import MOMENTS
from shared.rules.status import Action
from shared.words import say

LINE: Final = 60
LONG: Final = 2400
"""Signs in a box beyond which it may go on on the next page: any other stays whole."""
View = TypeVar("View", bound=CertificateView | ExtractView)
Item = dict[str, Any]


@dataclass(frozen=True)
class Attached:
    """A file within the file."""

    name: str
    text: str
    says: str
    kind: str = "application/json"


@dataclass(frozen=True)
class Copy(Generic[View]):
    """All that one copy of a certificate or an extract is printed from."""

    view: View
    goods: Mapping[str, CommodityView]
    fingerprint: str
    address: str
    """The page where this copy is checked, with its code."""
    page: str
    """The same page without number and code, to be typed."""
    code: str
    later: Mapping[str, datetime] = field(default_factory=dict)
    """Fields changed after a box was signed, though its signature does not cover the change."""
    statement: str = ""
    """The signed statement for checks without network; empty before the first signature."""
    statement_key: str = ""
    statement_by: str = ""
    sealed_by: str = ""
    """The organisation whose seal the file will bear."""
    sealed_id: str = ""
    sealed_country: str = ""
    attached: tuple[Attached, ...] = ()
    demo: bool = False


@dataclass(frozen=True)
class Printed:
    """One box on the sheet."""

    number: int | None
    title: str
    items: list[Item]
    wide: bool = False

    def told(self) -> Item:
        """The same for the template."""
        return {"number": self.number, "title": self.title, "items": self.items, "long": self.length > LONG}

    @property
    def length(self) -> int:
        """Signs in the box, each party and each line of text counted as a line of its own."""
        return sum(LINE + len(str(each.get("text", ""))) for each in self.items)


class Sheet(ABC, Generic[View]):
    """One copy in one language."""

    title: ClassVar[str] = "title"
    """The word that heads the sheet."""

    def __init__(self, copy: Copy[View], language: str) -> None:
        self.copy, self.view, self.language = copy, copy.view, language
        self.model = Model(copy.view.form_model)
        self.speech = Speech(language)
        self._ = self.speech._

    @abstractmethod
    def form(self) -> str:
        """Which printed form this is."""

    @abstractmethod
    def over(self) -> bool:
        """Whether nothing is signed any more."""

    @abstractmethod
    def links(self) -> list[str]:
        """What this sheet says of others: replaces, replaced by, extract of."""

    @abstractmethod
    def boxes(self) -> Iterator[Printed]:
        """The boxes in printed order."""

    def page(self) -> dict[str, Any]:
        """Everything the template needs, in words."""
        copy, view = self.copy, self.view
        mark = WATERMARKS.get(view.status)
        words = self.speech.words()
        return {
            "language": self.language,
            "words": words,
            "title": words[self.title],
            "page_of": words["page"],
            "form": self.form(),
            "number": view.number,
            "status": self.speech.word(STATUSES[view.status]),
            "revision": str(view.revision),
            "as_of": self.speech.moment(view.updated_at),
            "watermark": self.speech.word(mark) if mark else None,
            "links": self.links(),
            "code": copy.code,
            "qr": square(copy.address) if copy.code else None,
            "qr_signed": square(copy.statement, "l") if copy.statement else None,
            "check": self._check(),
            "fingerprint": copy.fingerprint,
            "seal": self._("seal", by=copy.sealed_by) if copy.sealed_by else self._("no_seal"),
            "rows": self.rows(),
            "demo": copy.demo,
        }

    def _check(self) -> list[str]:
        copy = self.copy
        said = [self._("check_how", address=copy.page)] if copy.code else []
        if copy.statement:
            said.append(self._("check_offline", by=copy.statement_by, key=copy.statement_key))
        return [*said, self._("check_file"), self._("counts")]

    def rows(self) -> list[list[Item]]:
        """The boxes two in a row; one that would stand alone takes the whole row."""
        rows: list[list[Item]] = []
        waiting: Item | None = None
        for each in self.boxes():
            box = each.told()
            if each.wide:
                rows += [[waiting]] if waiting else []
                rows.append([box])
                waiting = None
            elif waiting:
                rows.append([waiting, box])
                waiting = None
            else:
                waiting = box
        return [*rows, [waiting]] if waiting else rows

    # ---- what stands in boxes ---------------------------------------------------------------------------------

    def parties(self, ids: Iterable[str]) -> list[Item]:
        """Organisations with their code, address and country."""
        return [self._party(self.view.parties[each]) for each in ids if each in self.view.parties]

    def _party(self, party: PartyView) -> Item:
        place = [party.address] if party.address else []
        return {
            "kind": "party",
            "name": party.name,
            "code": party.code or "",
            "place": "\n".join([*place, self.speech.country(party.country)]),
        }

    def goods(self, code: str, rows: Iterable[Mapping[str, Any]], lines: list[list[str]]) -> Item:
        """Lines under their commodity: its code, the way down to its name, and the category on the form that has it."""
        known = self.copy.goods.get(code)
        named = [" › ".join(known.path)] if known else []
        if self.model is Model.COI_2022:
            kinds = dict.fromkeys(str(row["category"]) for row in rows if row.get("category"))
            named += [f"{kind}) {categories()[kind].name(self.language)}" for kind in kinds if kind in categories()]
        return {"code": f"{code[:4]} {code[4:6]} {code[6:]}".strip(), "name": " · ".join(named), "lines": lines}

    def answers(self, said: Mapping[str, Any] | None, labels: Mapping[str, str]) -> list[Item]:
        """What a signed form says, in the order of its questions."""
        order = list(labels)
        names = sorted(said or {}, key=lambda each: order.index(each) if each in order else len(order))
        told = ((name, (said or {})[name]) for name in names)
        return [
            fact(
                say(labels.get(name, name), self.language),
                self.speech.moment(datetime.fromisoformat(value), None, "medium")
                if name in MOMENTS
                else self.speech.answer(value, self.view.parties),
            )
            for name, value in told
            if value not in (None, "", [])
        ]

    def declaration(
        self, box: str, said: Mapping[str, Any] | None, labels: Mapping[str, str], declared: Mapping[Action, str]
    ) -> list[Item]:
        """A signed box: what was declared, what was answered, who signed when."""
        signature = self.signature(box)
        found = []
        if signature is not None and Action(signature.action) in declared:
            found.append(text(self.speech.word(declared[Action(signature.action)]), "declaration"))
        found += self.answers(said, labels)
        unsigned = "–" if self.over() else self._("not_signed")
        return [*found, self._signature(signature) if signature else text(unsigned, "faint")]

    @abstractmethod
    def signers(self, box: str) -> set[str]:
        """The actions that sign a box."""

    def signature(self, box: str) -> SignatureView | None:
        """The newest signature under a box; an amendment renews the seal, but does not sign anew."""
        signers = self.signers(box)
        return next((each for each in reversed(self.view.signatures) if each.action in signers), None)

    def _signature(self, signature: SignatureView) -> Item:
        by = signature.organisation
        return {
            "kind": "signature",
            "person": signature.person,
            "organisation": " ".join(each for each in (by.name, by.code) if each),
            "at": self.speech.moment(signature.at),
            "over": self._("over", revision=signature.revision),
            "fingerprint": signature.fingerprint,
        }


def text(said: str, tone: str = "") -> Item:
    """A text in a box."""
    return {"kind": "text", "text": said, "tone": tone}


def fact(label: str, said: str) -> Item:
    """A labelled text in a box."""
    return {"kind": "fact", "label": label, "text": said}


def square(said: str, error: str = "m") -> str:
    """A text as a square code, drawn as SVG."""
    drawn = io.BytesIO()
    segno.make(said, error=error, micro=False, boost_error=False).save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()
