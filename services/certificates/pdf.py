"""The printed certificate: what stands on the sheet, laid out like the form by ``print/certificate.typ``.

One thing to remember: the same revision gives the same bytes. Nothing is printed but what the copy brings; times are
those of the row, words those of the law and of ``print/<language>.po``, names those of the reference lists.
"""

import io
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import segno
import typst
from babel import Locale, dates, numbers

from shared.contracts.certificates import CertificateView, CommodityView, PartyView, SignatureView
from shared.reference import countries, transport, units
from shared.rules.boxes import BOX, BOXES, PRINTED, Box, Filled, Kind, Model
from shared.rules.forms import FORMS, box_signed_by
from shared.rules.status import Action, Status
from shared.words import catalogue, say

HERE: Final = Path(__file__).parent / "print"
ZONE: Final = ZoneInfo("Europe/Brussels")
"""Signatures are told on the clocks of the Union's seat, with their distance from UTC."""
WIDE: Final = frozenset(
    {"product_lines", "issuing_declaration", "customs_procedure", "entry_checks", "first_consignee_declaration"}
)
PARTS_OF: Final = {"transport": ("mode", "identification", "document")}
QUESTIONS: Final = {question.name: question.label for form in FORMS for question in form.questions}

_S, _A = Status, Action

# fmt: off
WATERMARKS: Final = {
    _S.DRAFT:                 "DRAFT",
    _S.DESCRIPTION_COMPLETED: "NOT ISSUED",
    _S.DELETED:               "DELETED",
    _S.REPLACED:              "REPLACED",
}
"""What is written across a copy that is no certificate yet, or no longer."""
STATUSES: Final = {
    _S.DRAFT:                  "Draft",
    _S.DESCRIPTION_COMPLETED:  "Description completed",
    _S.ISSUED:                 "Issuing body's declaration signed",
    _S.CONSIGNMENT_VERIFIED:   "Consignment verified",
    _S.FIRST_CONSIGNEE_SIGNED: "First consignee's declaration signed",
    _S.BASE_FOR_EXTRACT:       "Base for extract",
    _S.RELEASED_CONVENTIONAL:  "Released as a conventional product",
    _S.NOT_RELEASED:           "Not released",
    _S.OFIS_IRREGULARITY:      "OFIS irregularity",
    _S.DELETED:                "Deleted",
    _S.REPLACED:               "Replaced",
    _S.DEPLETED:               "Depleted",
}
CHOICES: Final = {
    "acceptable":        "acceptable",
    "not_acceptable":    "not acceptable",
    "not_done":          "not done",
    "pending":           "result pending",
    "organic":           "organic",
    "in_conversion":     "in conversion",
    "warehousing":       "customs warehousing",
    "inward_processing": "inward processing",
}
PROCEDURES: Final = {
    "COMPLIANCE":               "Compliance",
    "EQUIVALENT_THIRD_COUNTRY": "Equivalent third country",
    "EQUIVALENT_CONTROL_BODY":  "Equivalent control body",
    "TRADE_AGREEMENT":          "Trade agreement",
}
DECLARATIONS: Final = {
    _A.SIGN:
        "I declare, for the issuing body named in box 1, that I have examined this consignment's papers and what they "
        "rest on, and that the products described here were produced, prepared and controlled under the procedure "
        "named in box 2.",
    _A.VERIFY:
        "I declare, for the competent authority, that this consignment was verified as stated here, and that it may be "
        "released for free circulation as organic.",
    _A.OPEN_BATCHES:
        "I declare, for the competent authority, that this consignment was verified as stated here, and that it may be "
        "released for free circulation in batches, each with an extract.",
    _A.RELEASE_CONVENTIONAL:
        "I declare, for the competent authority, that this consignment may be released for free circulation only "
        "without any reference to organic production.",
    _A.REJECT:
        "I declare, for the competent authority, that this consignment is not released for free circulation.",
    _A.RECEIVE:
        "I declare, for the first consignee, that on reception the packaging or container and, where needed, the "
        "certificate of inspection were checked, with the result stated here.",
}
"""What the signer of a box declared; our own wording, as on the screen."""
WORDS: Final = {
    "title":        "Certificate of inspection for import of organic products into the European Union",
    "draft":        "Draft without a number",
    "form_21":      "Form with 21 boxes, Regulation (EC) No 1235/2008",
    "form_31":      "Form with 31 boxes, Delegated Regulation (EU) 2021/2306",
    "revision":     "Revision",
    "as_of":        "As of",
    "code":         "Verification code",
    "qr":           "Square code that leads to the page where this copy is checked",
    "qr_signed":    "Square code with a signed statement, for checks without network",
    "not_signed":   "Not signed yet.",
    "not_used":     "Not used here yet.",
    "total_net":    "Total net weight",
    "trade_name":   "Trade name and lot",
    "packages":     "Packages",
    "over":         "over revision {revision}",
    "later":        "Changed on {at}, after the issuing body had signed",
    "replaces":     "Replaces {number}",
    "replaced_by":  "Replaced by {number}",
    "check":        "Checking this copy",
    "check_how":    "Read the first square code with a telephone, or open {address} and give number and code. The page "
                    "says what the certificate's status is now and whether this copy is of its current revision.",
    "check_offline": "The second square code carries number, revision and status, signed with the key of {by} "
                    "({key}). It is checked without network against the published signing keys.",
    "check_file":   "Attached to this file: the record of this revision, and every document under a signature, byte "
                    "for byte. “bordereau verify” checks them without network.",
    "counts":       "When paper and electronic record differ, only the electronic record counts "
                    "(Regulation (EU) 2020/479).",
    "seal":         "The file bears an electronic seal (advanced) of {by}.",
    "no_seal":      "This copy bears no seal.",
    "fingerprint":  "Fingerprint of the record (SHA-256)",
    "page":         "Page {page} of {pages}",
    "demo":         "Demonstration, without legal effect",
    "yes":          "yes",
    "no":           "no",
}
# fmt: on


def sentences() -> list[str]:
    """Every sentence that is printed beside the words of the law."""
    tables: tuple[Mapping[Any, str], ...] = (WATERMARKS, STATUSES, CHOICES, PROCEDURES, DECLARATIONS, WORDS)
    return list(dict.fromkeys(sentence for table in tables for sentence in table.values()))


@dataclass(frozen=True)
class Attached:
    """A file within the file."""

    name: str
    text: str
    says: str


@dataclass(frozen=True)
class Copy:
    """All that one copy of a certificate is printed from."""

    view: CertificateView
    goods: Mapping[str, CommodityView]
    fingerprint: str
    address: str
    """The page where this copy is checked, with its code."""
    page: str
    """The same page without number and code, to be typed."""
    code: str
    later: Mapping[str, datetime] = field(default_factory=dict)
    """Fields changed after the issuing body signed, though its signature does not cover the change."""
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


def printed(copy: Copy, language: str) -> bytes:
    """The copy as PDF/A-3a and PDF/UA-1 in a language."""
    page = _plain(Sheet(copy, language).page())
    return typst.compile(
        str(HERE / "certificate.typ"),
        root=str(HERE),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={
            "page": json.dumps(page, ensure_ascii=False),
            "attached": json.dumps([vars(each) for each in copy.attached], ensure_ascii=False),
        },
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(copy.view.updated_at.timestamp()),
    )


@cache
def _fonts() -> typst.Fonts:
    """The fonts that are shipped, and no other: what is printed does not depend on the machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])


@cache
def _catalogue(language: str) -> dict[str, str]:
    file = HERE / f"{language}.po"
    return catalogue(file) if file.exists() else {}


def _plain(value: Any) -> Any:
    """The same with every sign that no font of ours has replaced by the sign for that."""
    if isinstance(value, str):
        return "".join(sign if _has(sign) else "\ufffd" for sign in value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return value


def _has(sign: str) -> bool:
    return sign == "\n" or (ord(sign) < 0xFFFE and unicodedata.category(sign) not in ("Cc", "Cn", "Co", "Cs"))


def square(text: str, error: str = "m") -> str:
    """A text as a square code, drawn as SVG."""
    drawn = io.BytesIO()
    segno.make(text, error=error, micro=False, boost_error=False).save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()


class Sheet:
    """One copy in one language, as the template reads it."""

    def __init__(self, copy: Copy, language: str) -> None:
        self.copy, self.view, self.language = copy, copy.view, language
        self.model = Model(copy.view.form_model)
        self.locale = Locale.parse({"fr": "fr_FR", "en": "en_GB"}.get(language, language))

    # ---- words ------------------------------------------------------------------------------------------------

    def word(self, sentence: str, **params: object) -> str:
        """A sentence in the language of the copy."""
        own = _catalogue(self.language).get(sentence)
        return (own or sentence).format_map(params) if own or params else say(sentence, self.language)

    def _(self, name: str, **params: object) -> str:
        return self.word(WORDS[name], **params)

    def moment(self, at: datetime, zone: ZoneInfo | None = ZONE, length: str = "long") -> str:
        """A moment with its distance from UTC: 20 November 2026, 13:00 (UTC+1)."""
        there = at.astimezone(zone) if zone else at
        minutes = int((there.utcoffset() or there - there).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        away = f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"
        day = dates.format_date(there, format=length, locale=self.locale)
        return f"{day}, {dates.format_time(there, format='short', locale=self.locale)} ({away})"

    def number(self, value: object) -> str:
        """A number as the language writes it, exactly; what is none, as it stands."""
        try:
            exact = Decimal(str(value))
        except InvalidOperation:
            return str(value)
        if not exact.is_finite():
            return str(value)
        return numbers.format_decimal(exact, locale=self.locale, decimal_quantization=False)

    def country(self, code: str) -> str:
        """A country by name, with its code."""
        known = countries.countries().get(code)
        return f"{known.name(self.language)} ({code})" if known else code

    def unit(self, code: str | None) -> str:
        """The symbol of a unit."""
        known = units.units().get(code or units.DEFAULT_UNIT)
        return known.symbol if known else str(code)

    def label(self, name: str) -> str:
        """What a field is called on this form."""
        return say(BOX[name].label(self.model), self.language)

    # ---- the page ---------------------------------------------------------------------------------------------

    def page(self) -> dict[str, Any]:
        """Everything the template needs, in words."""
        copy, view = self.copy, self.view
        status = Status(view.status)
        mark = WATERMARKS.get(status)
        return {
            "language": self.language,
            "words": {name: self.word(sentence) if "{" not in sentence else "" for name, sentence in WORDS.items()},
            "page_of": _catalogue(self.language).get(WORDS["page"], WORDS["page"]),
            "form": self._("form_31" if self.model is Model.COI_2022 else "form_21"),
            "number": view.number,
            "status": self.word(STATUSES[status]),
            "revision": str(view.revision),
            "as_of": self.moment(view.updated_at),
            "watermark": self.word(mark) if mark else None,
            "links": [*self._link("replaces"), *self._link("replaced_by")],
            "code": copy.code,
            "qr": square(copy.address) if copy.code else None,
            "qr_signed": square(copy.statement, "l") if copy.statement else None,
            "check": self._check(),
            "fingerprint": copy.fingerprint,
            "seal": self._("seal", by=copy.sealed_by) if copy.sealed_by else self._("no_seal"),
            "rows": self.rows(),
            "demo": copy.demo,
        }

    def _link(self, name: str) -> list[str]:
        link = getattr(self.view, name)
        return [self._(name, number=link.number)] if link is not None and link.number else []

    def _check(self) -> list[str]:
        copy = self.copy
        said = [self._("check_how", address=copy.page)] if copy.code else []
        if copy.statement:
            said.append(self._("check_offline", by=copy.statement_by, key=copy.statement_key))
        return [*said, self._("check_file"), self._("counts")]

    def rows(self) -> list[list[dict[str, Any]]]:
        """The boxes in printed order, two in a row; one that would stand alone takes the whole row."""
        rows: list[list[dict[str, Any]]] = []
        waiting: dict[str, Any] | None = None
        for fields, number, title in _boxes(self.model):
            box = {"number": number, "title": say(title, self.language), "items": self.items(fields)}
            if any(each.field in WIDE for each in fields):
                rows += [[waiting]] if waiting else []
                rows.append([box])
                waiting = None
            elif waiting:
                rows.append([waiting, box])
                waiting = None
            else:
                waiting = box
        return [*rows, [waiting]] if waiting else rows

    def items(self, fields: Sequence[Box]) -> list[dict[str, Any]]:
        """What stands in one box."""
        if all(each.filled is Filled.LATER for each in fields):
            return [_text(self._("not_used"), "faint")]
        found = [item for each in fields for item in self.field(each)]
        found += [
            _text(self._("later", at=self.moment(self.copy.later[each.field])), "note")
            for each in fields
            if each.field in self.copy.later
        ]
        return found or [_text("–", "faint")]

    # ---- fields -----------------------------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """What stands in a field of the content."""
        root, _, part = name.partition(".")
        value = self.view.content.get(root)
        return (value or {}).get(part) if part else value

    def field(self, box: Box) -> list[dict[str, Any]]:
        """One field, by what it holds."""
        value = self.value(box.field)
        if box.kind is Kind.NUMBER:
            return [_text(self.view.number or self._("draft"), "number" if self.view.number else "faint")]
        if box.kind is Kind.SIGNED:
            return self.declaration(box, value)
        if value in (None, "", [], {}, False):
            return []
        if box.kind is Kind.ORGANISATION:
            return self.parties([value])
        if box.kind is Kind.ORGANISATIONS:
            return self.parties(value)
        if box.kind is Kind.LINES:
            return [self.lines(value)]
        if box.kind is Kind.GROUP:
            return self.group(box.field, value)
        if box.field == "national_reference" or box.kind is Kind.MOMENT or "." in box.field:
            return [_fact(self.label(box.field), self.plain(box, value))]
        if box.kind is Kind.YES_NO:
            return [_text(f"☒ {self.label(box.field)}")]
        if box.kind in (Kind.TEXTS, Kind.COUNTRIES):
            each_in_words = [self.country(each) if box.kind is Kind.COUNTRIES else str(each) for each in value]
            return [_text("\n".join(each_in_words))]
        return [_text(self.plain(box, value))]

    def plain(self, box: Box, value: Any) -> str:
        """A simple value in words."""
        if box.kind is Kind.COUNTRY:
            return self.country(value)
        if box.kind is Kind.WEIGHT:
            return f"{self.number(value.get('value'))} {self.unit(value.get('unit'))}"
        if box.kind is Kind.MOMENT:
            try:
                return self.moment(datetime.fromisoformat(value), None, "medium")
            except ValueError:
                return str(value)
        if box.field == "procedure":
            return self.word(PROCEDURES.get(value, value))
        return self.answer(value)

    def parties(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Organisations with their code, address and country."""
        return [_party(self.view.parties[each], self) for each in ids if each in self.view.parties]

    def group(self, name: str, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The parts of a group: mode, identification and document of the transport."""
        found = []
        for part in PARTS_OF.get(name, ()):
            if value.get(part):
                mode = transport.modes().get(value[part]) if part == "mode" else None
                found.append(
                    _fact(self.label(f"{name}.{part}"), mode.name(self.language) if mode else str(value[part]))
                )
        return found

    def lines(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Box 13: the lines under their commodity, and the sum of their weights."""
        groups: dict[str, list[list[str]]] = {}
        sums: dict[str, Decimal] = {}
        for row in rows:
            groups.setdefault(str(row.get("cn_code") or ""), []).append(self._line(row))
            weight, unit = row.get("net_weight"), str(row.get("unit") or units.DEFAULT_UNIT)
            try:
                sums[unit] = sums.get(unit, Decimal(0)) + Decimal(str(weight))
            except InvalidOperation:
                continue
        return {
            "kind": "lines",
            "head": [
                self._("trade_name"),
                self._("packages"),
                self.label("product_lines.net_weight"),
                self.label("product_lines.producer"),
                self.label("product_lines.producer_control_body"),
            ],
            "groups": [
                {"code": f"{code[:4]} {code[4:6]} {code[6:]}".strip(), "name": self._good(code), "lines": lines}
                for code, lines in groups.items()
            ],
            "total": [self._("total_net"), "\n".join(f"{self.number(v)} {self.unit(u)}" for u, v in sums.items())],
        }

    def _good(self, code: str) -> str:
        good = self.copy.goods.get(code)
        return " › ".join(good.path) if good else ""

    def _line(self, row: Mapping[str, Any]) -> list[str]:
        kind = units.package_types().get(str(row.get("package_type") or ""))
        packages = [self.number(row["packages"])] if row.get("packages") is not None else []
        named = [self.view.parties.get(str(row.get(name) or "")) for name in ("producer", "producer_control_body")]
        organic = self.word(CHOICES[row["organic"]]) if row.get("organic") in CHOICES else ""
        weight = row.get("net_weight")
        return [
            "\n".join(each for each in (str(row.get("trade_name") or "–"), str(row.get("lot") or ""), organic) if each),
            " ".join([*packages, *([kind.name(self.language)] if kind else [])]) or "–",
            f"{self.number(weight)} {self.unit(row.get('unit'))}" if weight else "–",
            *("\n".join(each for each in (party.name, party.code) if each) if party else "–" for party in named),
        ]

    # ---- signatures -------------------------------------------------------------------------------------------

    def declaration(self, box: Box, said: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """A signed box: what was declared, what was answered, who signed when."""
        if "." in box.field:
            return [_fact(self.label(box.field), self.answer(said))] if said else []
        signature = self._signature(box)
        found = []
        if signature is not None and Action(signature.action) in DECLARATIONS:
            found.append(_text(self.word(DECLARATIONS[Action(signature.action)]), "declaration"))
        order = list(QUESTIONS)
        for name in sorted(said or {}, key=lambda each: order.index(each) if each in order else len(order)):
            value = (said or {})[name]
            if value not in (None, "", []):
                found.append(_fact(say(QUESTIONS.get(name, name), self.language), self.answer(value)))
        if signature is None:
            return [*found, _text(self._("not_signed"), "faint")]
        return [*found, self._signed(signature)]

    def _signature(self, box: Box) -> SignatureView | None:
        """The newest signature under a box; an amendment renews the seal, but does not sign anew."""
        signers = {action.value for action in Action if box_signed_by(action) == box.field}
        return next((each for each in reversed(self.view.signatures) if each.action in signers), None)

    def _signed(self, signature: SignatureView) -> dict[str, Any]:
        return {
            "kind": "signature",
            "person": signature.person,
            "organisation": " ".join(
                each for each in (signature.organisation.name, signature.organisation.code) if each
            ),
            "at": self.moment(signature.at),
            "over": self._("over", revision=signature.revision),
            "fingerprint": signature.fingerprint,
        }

    def answer(self, value: Any) -> str:
        """An answer in words."""
        if isinstance(value, bool):
            return self._("yes" if value else "no")
        if isinstance(value, list):
            return "\n".join(self.answer(each) for each in value)
        if isinstance(value, str) and value in self.view.parties:
            return self.view.parties[value].name
        return self.word(CHOICES[value]) if value in CHOICES else str(value)


def _boxes(model: Model) -> list[tuple[list[Box], int | None, str]]:
    """The boxes of a form in printed order: their fields, number and title; those without a number beside them."""
    found: list[tuple[list[Box], int | None, str]] = [
        ([box for box in BOXES if box.number(model) == row.number and _alone(box, model)], row.number, row.title)
        for row in PRINTED
        if row.model is model
    ]
    for place, box in enumerate(BOXES):
        if box.is_on(model) and box.number(model) is None and box.filled is not Filled.LATER:
            before = {each.field for each in BOXES[:place]}
            after = max(n for n, (fields, _, _) in enumerate(found) if any(one.field in before for one in fields))
            found.insert(after + 1, ([box], None, box.title(model)))
    return found


def _alone(box: Box, model: Model) -> bool:
    """Whether a field is printed as a box's own: a root, or a part printed elsewhere than its root."""
    root = BOX[box.field.split(".")[0]]
    return box is root or box.number(model) != root.number(model)


def _text(text: str, tone: str = "") -> dict[str, Any]:
    return {"kind": "text", "text": text, "tone": tone}


def _fact(label: str, text: str) -> dict[str, Any]:
    return {"kind": "fact", "label": label, "text": text}


def _party(party: PartyView, sheet: Sheet) -> dict[str, Any]:
    place = [party.address] if party.address else []
    return {
        "kind": "party",
        "name": party.name,
        "code": party.code or "",
        "place": "\n".join([*place, sheet.country(party.country)]),
    }
