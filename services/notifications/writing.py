"""How a letter is written: facts and names become a subject, a text and a page, in the reader's language and time zone.

What people typed (names of organisations, reasons) is foreign: in HTML it is escaped, in text it stays on its line, and
nowhere does it become a second link.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime, get_timezone_location
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.rules.boxes import BOX, Model
from shared.rules.deadlines import Unit
from shared.rules.lengths import length_of
from shared.words import LANGUAGES, catalogue, say

TEMPLATES: Final = Path(__file__).parent / "templates"
LOCALE: Final = Path(__file__).parent / "locale"
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
ENCLOSED: Final[dict[str, Any]] = {
    "minutes": 0, "hours": 0, "days": 0, "count": 0, "username": "", "password": "", "validator": "", "cause": "",
    "full_name": "", "address": "", "requests": [],
}  # fmt: skip
"""What only identity knows, and hands out while one of its letters is written."""
_OPEN: Final = ("number", "count", "days")
"""What of a letter's facts anybody may read who only looks whether it arrived."""
_UNSAID: Final = {"by": "-", "count": "…", "days": "…"}
LASTS: Final = {
    (Unit.MINUTES, True): "%(number)s minute",
    (Unit.MINUTES, False): "%(number)s minutes",
    (Unit.HOURS, True): "%(number)s hour",
    (Unit.HOURS, False): "%(number)s hours",
    (Unit.DAYS, True): "%(number)s day",
    (Unit.DAYS, False): "%(number)s days",
    (Unit.WORKING_DAYS, True): "%(number)s working day",
    (Unit.WORKING_DAYS, False): "%(number)s working days",
    (Unit.MONTHS, True): "%(number)s month",
    (Unit.MONTHS, False): "%(number)s months",
}
WITHIN: Final = {
    (Unit.MINUTES, True): "within %(number)s minute",
    (Unit.MINUTES, False): "within %(number)s minutes",
    (Unit.HOURS, True): "within %(number)s hour",
    (Unit.HOURS, False): "within %(number)s hours",
    (Unit.DAYS, True): "within %(number)s day",
    (Unit.DAYS, False): "within %(number)s days",
}
"""A length said with its preposition, which in French depends on the number."""
_MOMENT: Final = {"en": "d MMMM y, HH:mm", "fr": "d MMMM y 'à' HH:mm"}


@dataclass(frozen=True)
class Reader:
    """Whoever reads: his language, his time zone and the organisation in whose name he does."""

    language: str
    time_zone: str
    name: str = ""
    organisation_id: str | None = None


@dataclass(frozen=True)
class Written:
    """A letter, ready for the envelope."""

    subject: str
    text: str
    html: str


def letter(
    name: str, facts: Mapping[str, Any], names: Mapping[str, str], reader: Reader, link: str, contact: str
) -> Written:
    """The whole letter."""
    language = _known(reader.language)
    subject = headline(name, facts, names, reader)
    speech = _speech(facts, names, reader) | {
        "link": link,
        "contact": contact,
        "subject": subject,
        "language": language,
    }
    office = _office(language)
    return Written(
        subject,
        re.sub(r"\n{3,}", "\n\n", office.get_template(f"{name}/body.txt").render(speech)).strip() + "\n",
        office.get_template(f"{name}/body.html").render(_marked(speech)).strip() + "\n",
    )


def headline(name: str, facts: Mapping[str, Any], names: Mapping[str, str], reader: Reader) -> str:
    """The subject line: one line, whatever the names in it contain."""
    office = _office(_known(reader.language))
    return one_line(office.get_template(f"{name}/subject.txt").render(_speech(facts, names, reader)))[:200]


def nameless(name: str, facts: Mapping[str, Any], reader: Reader) -> str:
    """The subject line as it would be if nobody had a name: which letter it is, and about which number."""
    known = {each: facts[each] for each in _OPEN if facts.get(each)}
    return headline(name, _UNSAID | known, {}, reader)


def gist(name: str, facts: Mapping[str, Any], names: Mapping[str, str], reader: Reader) -> str:
    """What happened and what is to be done, as in-app news say it: two blocks of the letter's text."""
    template = _office(_known(reader.language)).get_template(f"{name}/body.txt")
    page = template.new_context(_speech(facts, names, reader))
    said = (one_line("".join(template.blocks[block](page))) for block in ("what", "todo") if block in template.blocks)
    return " ".join(sentence for sentence in said if sentence)


def one_line(foreign: str) -> str:
    """Words as they may stand in a line: no line break, no control character, nothing that becomes a link."""
    return _CONTROL.sub(" ", foreign).replace("://", ": //").strip()


def _speech(facts: Mapping[str, Any], names: Mapping[str, str], reader: Reader) -> dict[str, Any]:
    """The words the templates speak with; every one is there for every letter."""
    language = _known(reader.language)
    words = _words(language)

    def counted(unit: str, number: object, said: Mapping[tuple[Unit, bool], str] = LASTS) -> str:
        sentence = said[Unit(unit), number == 1]
        return words.get(sentence, sentence) % {"number": number}

    def lasts(clock: str) -> str:
        length = length_of(clock)
        return counted(length.unit, abs(length.amount))

    someone = words.get("an organisation", "an organisation")

    def called(ids: list[str]) -> str:
        return ", ".join(one_line(names.get(each) or someone) for each in ids)

    parties: Mapping[str, list[str]] = facts.get("parties") or {}
    by = facts.get("by")
    return {
        "number": one_line(facts.get("number") or words.get("(no number yet)", "(no number yet)")),
        "by": called([by]) if by else "Bordereau",
        "you": called([reader.organisation_id]) if reader.organisation_id else "",
        "name": one_line(reader.name),
        "ties": facts.get("ties") or [],
        "issuer": called(parties.get("ISSUER") or []) or someone,
        "consignee": called(parties.get("CONSIGNEE") or []) or someone,
        "where": called(parties.get("ORGANISATION") or []) or someone,
        "authority": called(parties.get("ENTRY_AUTHORITY") or []) or someone,
        "status": facts.get("status") or "",
        "clock": facts.get("clock") or "",
        "form": facts.get("form_model") or "",
        "lasts": lasts,
        "span": counted,
        "within": lambda unit, number: counted(unit, number, WITHIN),
        "reason": one_line(facts.get("reason") or ""),
        "until": _moment(facts.get("until"), language, reader.time_zone),
        "arrival": _moment(facts.get("arrival"), language, reader.time_zone),
        "said": one_line(facts.get("said") or ""),
        "box": _box(facts.get("field"), facts.get("form_model"), language),
        "boxes": _boxes(facts.get("boxes") or (), facts.get("form_model"), language),
    } | {name: _enclosed(facts.get(name, nothing)) for name, nothing in ENCLOSED.items()}


def _enclosed(said: Any) -> Any:
    """A fact of identity's: a number stays one, words stay on their line, requests keep their links."""
    if isinstance(said, str):
        return one_line(said)
    if isinstance(said, list):
        return [{"name": one_line(each["name"]), "url": each["url"]} for each in said]
    return said


def _marked(speech: dict[str, Any]) -> dict[str, Any]:
    """For HTML: the certificate's number stands out."""
    number = Markup('<strong style="white-space:nowrap">{}</strong>').format(speech["number"])
    return speech | {"number": number}


def _boxes(fields: Iterable[str], form: str | None, language: str) -> str:
    """Several boxes, each once, by what they are called on the certificate's form."""
    rows = [(field, BOX.get(field) or BOX.get(field.partition(".")[0])) for field in fields]
    titles = (say(row.label(_form(form)), language) if row else field for field, row in rows)
    return ", ".join(dict.fromkeys(titles))


def _box(field: str | None, form: str | None, language: str) -> str:
    """The one box a letter is about, by its number and title on the certificate's form."""
    row = BOX.get(field or "")
    if row is None:
        return ""
    model = _form(form)
    number, title = row.number(model), say(row.label(model), language)
    return f"{number} · {title}" if number else title


def _form(name: str | None) -> Model:
    """The printed form of this name; that of the guides where nothing is said."""
    return Model(name) if name in set(Model) else Model.COI_2017


def _moment(iso: str | None, language: str, zone: str) -> str:
    if not iso:
        return ""
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        there = ZoneInfo("UTC")
    at = datetime.fromisoformat(iso).astimezone(there)
    city = "UTC" if there.key == "UTC" else get_timezone_location(at, locale=language, return_city=True)
    return f"{format_datetime(at, _MOMENT[language], tzinfo=there, locale=language)} ({city})"


def _known(language: str) -> str:
    return language if language in LANGUAGES else "en"


@lru_cache
def _words(language: str) -> dict[str, str]:
    file = LOCALE / f"{language}.po"
    return catalogue(file) if file.exists() else {}


@lru_cache
def _office(language: str) -> Environment:
    """Templates that speak one language; a word nobody gave is an error, not a hole."""
    office = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    office.policies["ext.i18n.trimmed"] = True
    words = _words(language)

    def translated(sentence: str) -> str:
        return words.get(sentence, sentence)

    def counted(one: str, many: str, number: int) -> str:
        return translated(one if number == 1 else many)

    office.install_gettext_callables(translated, counted, newstyle=True)  # type: ignore[attr-defined]
    return office
