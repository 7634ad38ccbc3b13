"""Words, dates and numbers of a page, in the reader's language and time zone.

One thing to remember: a msgid is the English sentence. French is compiled from the .po files in memory when the
process starts; nothing compiled is kept in the repository.
"""

import gettext as standard
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel import dates as babel_dates
from babel import lists as babel_lists
from babel import numbers as babel_numbers
from babel.messages import mofile, pofile
from babel.support import Translations

from shared.rules.deadlines import Unit
from shared.rules.lengths import length_of
from shared.words import say

LANGUAGES: Final = {"en": "English", "fr": "Français"}
CATALOGUES: Final = (Path(__file__).parent / "locale",)
DEFAULT_ZONE: Final = "Europe/Paris"


@dataclass(frozen=True)
class Reader:
    """Who reads: his language and his time zone."""

    language: str = "en"
    zone: str = DEFAULT_ZONE

    @property
    def locale(self) -> Locale:
        """The locale his dates and numbers are written in: day before month in both languages."""
        return Locale.parse({"en": "en_GB", "fr": "fr_FR"}[self.language])

    @property
    def timezone(self) -> ZoneInfo:
        """His time zone, or that of Paris when his is unknown."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(DEFAULT_ZONE)


_NOBODY: Final = Reader()
_READER: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def reader() -> Reader:
    """Who reads the page that is being written."""
    return _READER.get()


def write_for(somebody: Reader) -> None:
    """Write for this reader for the rest of this request; each request has a context of its own."""
    _READER.set(somebody)


@contextmanager
def read_by(somebody: Reader) -> Iterator[None]:
    """Write for this reader inside the block."""
    token = _READER.set(somebody)
    try:
        yield
    finally:
        _READER.reset(token)


# ---- sentences ------------------------------------------------------------------------------------------------


@cache
def catalogue(language: str) -> standard.NullTranslations:
    """The sentences of one language, those of all areas in one; English is its own translation."""
    found: standard.NullTranslations = standard.NullTranslations()
    for folder in CATALOGUES:
        for file in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
            compiled = BytesIO()
            with file.open("rb") as source:
                mofile.write_mo(compiled, pofile.read_po(source, locale=language))
            compiled.seek(0)
            words = Translations(compiled)
            found = found.merge(words) if isinstance(found, Translations) else words
    return found


def _(message: str, **parameters: object) -> str:
    """The sentence in the reader's language, with its parameters filled in."""
    text = catalogue(reader().language).gettext(message) if message else ""
    return text % parameters if parameters else text


def plural(one: str, many: str, count: int, **parameters: object) -> str:
    """The sentence for this number of things."""
    return catalogue(reader().language).ngettext(one, many, count) % {"num": number(count), **parameters}


def lasts(clock: str) -> str:
    """How long a clock runs in this installation, in words."""
    length = length_of(clock)
    match length.unit, abs(length.amount):
        case Unit.MINUTES, amount:
            return plural("%(num)s minute", "%(num)s minutes", amount)
        case Unit.HOURS, amount:
            return plural("%(num)s hour", "%(num)s hours", amount)
        case Unit.WORKING_DAYS, amount:
            return plural("%(num)s working day", "%(num)s working days", amount)
        case Unit.MONTHS, amount:
            return plural("%(num)s month", "%(num)s months", amount)
        case _, amount:
            return plural("%(num)s day", "%(num)s days", amount)


def N_(message: str) -> str:
    """Mark a sentence of a table for translation; it is translated where it is shown."""
    return message


def lower_first(text: str) -> str:
    """A sentence that goes on inside another."""
    return text[:1].lower() + text[1:]


def law(sentence: str, **parameters: object) -> str:
    """A sentence or a title of the law in the reader's language, with its {parameters} filled in."""
    own = catalogue(reader().language).gettext(sentence) if sentence else ""
    if own != sentence:
        return own.format_map(parameters) if parameters else own
    return say(sentence, reader().language, **parameters)


# ---- dates and times ------------------------------------------------------------------------------------------


def _local(moment: datetime) -> datetime:
    return moment.astimezone(reader().timezone)


def day(value: date | datetime | None, length: str = "long") -> str:
    """A date: 3 May 2026."""
    if value is None:
        return ""
    when = _local(value).date() if isinstance(value, datetime) else value
    return babel_dates.format_date(when, format=length, locale=reader().locale)


def moment(value: datetime | None, length: str = "medium") -> str:
    """A date with its time of day in the reader's zone: 3 May 2026, 14:05."""
    if value is None:
        return ""
    here = _local(value)
    time = babel_dates.format_time(here, format="short", locale=reader().locale)
    return f"{babel_dates.format_date(here, format=length, locale=reader().locale)}, {time}"


def zone_name() -> str:
    """The city whose clocks the reader goes by: Paris, Casablanca."""
    key = reader().timezone.key
    named = reader().locale.time_zones.get(key, {}).get("city")
    return str(named or key.rpartition("/")[2].replace("_", " "))


def distance(value: datetime, now: datetime) -> str:
    """How far away: in 3 days, 2 hours ago; from a day on by the reader's calendar, as the date beside it."""
    span: timedelta = value - now
    if abs(span) < timedelta(days=1):
        return babel_dates.format_timedelta(span, add_direction=True, locale=reader().locale)
    days = _local(value).date() - _local(now).date()
    return babel_dates.format_timedelta(days, threshold=2, add_direction=True, locale=reader().locale)


def parse_moment(text: str) -> datetime | None:
    """A moment as contents keep it (ISO 8601), or nothing where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def for_input(value: datetime | None) -> str:
    """What an <input type=datetime-local> wants: the reader's own clock, without a zone."""
    return _local(value).strftime("%Y-%m-%dT%H:%M") if value else ""


def from_input(text: str) -> datetime | None:
    """What the reader typed into an <input type=datetime-local>, on his own clock."""
    if not text.strip():
        return None
    return datetime.fromisoformat(text.strip()).replace(tzinfo=reader().timezone)


# ---- numbers, places, lists -----------------------------------------------------------------------------------


def number(value: Decimal | int | str | None, grouped: bool = True) -> str:
    """A number as the reader writes it; what is no number is shown as it was typed."""
    if value is None or value == "":
        return ""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not exact.is_finite():
        return str(value)
    return babel_numbers.format_decimal(
        exact, locale=reader().locale, decimal_quantization=False, group_separator=grouped
    )


def typed_number(text: str) -> str:
    """A number as the reader typed it, in the one form we keep; what is no number comes back as it is.

    1 250,5 and 1250.5 are the same to everybody; 3,610 is three and a bit in French, three thousand in English.
    """
    plain = "".join(sign for sign in text if not sign.isspace())
    commas, dots = plain.count(","), plain.count(".")
    grouped = _THOUSANDS.fullmatch(plain) and babel_numbers.get_group_symbol(reader().locale)
    if commas and dots:
        group = "," if plain.rfind(".") > plain.rfind(",") else "."
        plain = plain.replace(group, "").replace(",", ".")
    elif commas > 1 or (commas and grouped == ","):
        plain = plain.replace(",", "")
    elif dots > 1 or (dots and grouped == "."):
        plain = plain.replace(".", "")
    else:
        plain = plain.replace(",", ".")
    return plain if _NUMBER.fullmatch(plain) else text.strip()


_NUMBER: Final = re.compile(r"-?[0-9]+([.][0-9]+)?")
_THOUSANDS: Final = re.compile(r"-?[0-9]{1,3}([,.][0-9]{3})+")


def country(code: str | None) -> str:
    """The name of a country; also XI and XK, which ISO does not list."""
    if not code:
        return ""
    if code == "XI":
        return _("Northern Ireland")
    return str(reader().locale.territories.get(code, code))


def sortable(text: str) -> str:
    """A name as dictionaries sort it: without accents and capitals."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()


def listing(items: Sequence[str]) -> str:
    """Several words in one sentence: a, b and c."""
    return babel_lists.format_list(list(items), locale=reader().locale) if items else ""
