"""How a sheet speaks: sentences, moments, numbers, countries and units in the language of the copy."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from services.certificates.print.words import CHOICES, WORDS
from shared.contracts.certificate_views import PartyView
from shared.reference import countries, units
from shared.words import catalogue, say

HERE: Final = Path(__file__).parent
ZONE: Final = ZoneInfo("Europe/Brussels")
"""Signatures are told on the clocks of the Union's seat, with their distance from UTC."""


@cache
def _catalogue(language: str) -> dict[str, str]:
    file = HERE / f"{language}.po"
    return catalogue(file) if file.exists() else {}


class Speech:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale.parse({"fr": "fr_FR", "en": "en_GB"}.get(language, language))

    def word(self, sentence: str, **params: object) -> str:
        """A sentence in the language of the copy."""
        own = _catalogue(self.language).get(sentence)
        return (own or sentence).format_map(params) if own or params else say(sentence, self.language)

    def _(self, name: str, **params: object) -> str:
        return self.word(WORDS[name], **params)

    def words(self) -> dict[str, str]:
        """The sheet's own words without holes, and how its pages are counted."""
        said = {name: self.word(sentence) for name, sentence in WORDS.items() if "{" not in sentence}
        return {**said, "page": _catalogue(self.language).get(WORDS["page"], WORDS["page"])}

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

    def weight(self, value: object, unit: str | None) -> str:
        """A weight with its unit; a dash for none."""
        return f"{self.number(value)} {self.unit(unit)}" if value else "–"

    def packages(self, number: object, kind: str | None) -> str:
        """How many packages of which kind."""
        known = units.package_types().get(kind or "")
        counted = [self.number(number)] if number is not None else []
        return " ".join([*counted, *([known.name(self.language)] if known else [])]) or "–"

    def answer(self, value: Any, parties: Mapping[str, PartyView]) -> str:
        """An answer in words."""
        if isinstance(value, bool):
            return self._("yes" if value else "no")
        if isinstance(value, list):
            return "\n".join(self.answer(each, parties) for each in value)
        if isinstance(value, str) and value in parties:
            return parties[value].name
        return self.word(CHOICES[value]) if value in CHOICES else str(value)
