"""The sheet of an extract: its boxes, and of its certificate what every reader of the batch may see."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from services.certificates.print.sheet import Item, Printed, Sheet, text
from services.certificates.print.words import BATCH_DECLARATIONS, CHOICES, PROCEDURES
from shared.contracts.certificate_views import ExtractView
from shared.rules.boxes import Kind, Model
from shared.rules.extracts import EXTRACT_BOXES, EXTRACT_FORMS, SIGNS, ExtractBox, ExtractStatus, is_extract_over
from shared.words import say

QUESTIONS: Final = {question.name: question.label for form in EXTRACT_FORMS for question in form.questions}
COLUMNS: Final = (("2.5fr", "left"), ("1.4fr", "right"), ("1.4fr", "right"), ("1.4fr", "right"), ("1.4fr", "right"))


class ExtractSheet(Sheet[ExtractView]):
    """One copy of an extract."""

    title = "title_batch"

    def form(self) -> str:
        return self._("form_13" if self.model is Model.COI_2022 else "form_14")

    def over(self) -> bool:
        return is_extract_over(ExtractStatus(self.view.status))

    def links(self) -> list[str]:
        return [self._("extract_of", number=self.view.parent.number)] if self.view.parent.number else []

    def signers(self, box: str) -> set[str]:
        return {action.value for action, signed in SIGNS.items() if signed == box}

    def boxes(self) -> Iterator[Printed]:
        shown = (box for box in EXTRACT_BOXES if box.number(self.model) is not None)
        for number, fields in groupby(shown, lambda box: box.number(self.model)):
            together = list(fields)
            title = " · ".join(say(each.title, self.language) for each in together)
            items = [item for each in together for item in self.field(each)] or [text("–", "faint")]
            wide = any(each.kind in (Kind.LINES, Kind.SIGNED) for each in together)
            yield Printed(number, title, items, wide)

    def value(self, box: ExtractBox) -> Any:
        """What stands in a box: the certificate's, or the extract's own."""
        if box.field == "number":
            return self.view.parent.number
        return (self.view.parent.content if box.copied else self.view.content).get(box.field)

    def field(self, box: ExtractBox) -> list[Item]:
        """One field, by what it holds."""
        value = self.value(box)
        if box.kind is Kind.SIGNED:
            return self.declaration(box.field, value, QUESTIONS, BATCH_DECLARATIONS)
        if not value:
            return []
        if box.kind is Kind.ORGANISATION:
            return self.parties([value])
        if box.kind is Kind.LINES:
            return [self.lines(value)]
        if box.kind is Kind.NUMBER:
            return [text(str(value), "number")]
        if box.kind in (Kind.COUNTRY, Kind.COUNTRIES):
            listed = [value] if box.kind is Kind.COUNTRY else value
            return [text("\n".join(self.speech.country(each) for each in listed))]
        return [text(self.speech.word(PROCEDURES.get(value, value)))]

    def lines(self, rows: Sequence[Mapping[str, Any]]) -> Item:
        """The products of the batch under their commodity, beside what they are a part of."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            groups.setdefault(str(row.get("cn_code") or ""), []).append(row)
        return {
            "kind": "lines",
            "columns": COLUMNS,
            "head": [
                self._("trade_name"),
                self._("packages"),
                self._("batch_net"),
                f"{self._('packages')}\n{self._('original_net')}",
                f"{say('Net weight', self.language)}\n{self._('original_net')}",
            ],
            "groups": [self.goods(code, each, [self._line(row) for row in each]) for code, each in groups.items()],
            "total": [],
        }

    def _line(self, row: Mapping[str, Any]) -> list[str]:
        organic = self.speech.word(CHOICES[row["organic"]]) if row.get("organic") in CHOICES else ""
        kind, unit = row.get("package_type"), row.get("unit")
        return [
            "\n".join(each for each in (str(row.get("trade_name") or "–"), str(row.get("lot") or ""), organic) if each),
            self.speech.packages(row.get("packages"), kind),
            self.speech.weight(row.get("net_weight"), unit),
            self.speech.packages(row.get("original_packages"), kind),
            self.speech.weight(row.get("original_net_weight"), unit),
        ]
