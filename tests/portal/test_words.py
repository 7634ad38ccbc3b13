"""Both languages are complete, say the same, and write dates and numbers as their readers do."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from deploy.local.programs import ROOT
from services.certificates.rules import AWAITS
from services.portal import catalogue, names, words
from services.portal.forms import sheet
from services.portal.look import HERE, browser
from services.portal.words import Reader
from shared.rules.boxes import Model
from shared.rules.forms import FORMS
from shared.rules.permissions import Tie
from shared.rules.status import Action, Status

HOLES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


def _holes(text: str) -> set[str]:
    return {one or other for one, other in HOLES.findall(text)}


def test_every_code_of_the_law_has_a_name_on_the_screen() -> None:
    choices = {choice for form in FORMS for question in form.questions for choice in question.choices or ()}
    sources = "".join(file.read_text() for file in (ROOT / "workflows").glob("*.py"))
    processes = set(re.findall(r"@workflow\.defn.*\nclass (\w+)", sources))
    for codes, table in (
        (set(Status), names.STATUSES), (set(Action), names.ACTIONS), ({each.value for each in Action}, names.EVENTS),
        ({each.value for each in Tie}, names.TIES), ({row.code for row in AWAITS}, names.AWAITED),
        (choices, names.CHOICES), (processes, names.PROCESSES),
    ):  # fmt: skip
        assert codes <= set(table), codes - set(table)


def test_every_sentence_is_in_french() -> None:
    french = catalogue.read("fr")
    for message, places in catalogue.messages().items():
        found = french.get(message)
        assert found is not None, f"{message!r} ({places[0]}): run python -m services.portal.catalogue, then translate"
        said = [found.string] if isinstance(found.string, str) else list(found.string or ())
        assert all(said), f"{message!r} has no French"
        assert not found.fuzzy, f"{message!r} is marked fuzzy"


def test_no_french_sentence_is_left_over() -> None:
    said = set(catalogue.messages())
    for message in catalogue.read("fr"):
        assert not message.id or message.id in said, f"{message.id!r} is said nowhere any more"


def test_a_translation_has_the_holes_of_its_sentence() -> None:
    for message in catalogue.read("fr"):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for text in said:
            assert _holes(text) == set().union(*(_holes(each) for each in ids)), message.id


def test_help_has_the_same_sections_in_both_languages() -> None:
    english, french = (
        re.findall(r'<section id="([\w-]+)">', (HERE / "templates" / "help" / f"{language}.html").read_text())
        for language in ("en", "fr")
    )
    assert english == french
    for language in ("en", "fr"):
        text = (HERE / "templates" / "help" / f"{language}.html").read_text()
        assert set(re.findall(r'href="#([\w-]+)"', text)) <= set(english)
        explained = re.findall(r'call about\(texts, "([\w.]+)"\)', text)
        assert sorted(explained) == sorted({box.fields[0].field for model in Model for box in sheet(model)})


def test_the_compiled_catalogue_speaks_french() -> None:
    with words.read_by(Reader("fr")):
        assert words._("Draft") == "Brouillon"
        assert words.plural("%(num)s entry found", "%(num)s entries found", 1) == "1 entrée trouvée"
        assert words.plural("%(num)s entry found", "%(num)s entries found", 1200) == "1\u202f200 entrées trouvées"
        assert words.law("Exporter") == "Exportateur"


@pytest.mark.parametrize(
    ("language", "zone", "expected"),
    [
        ("en", "Europe/Paris", "3 May 2026, 16:05"),
        ("fr", "Europe/Paris", "3 mai 2026, 16:05"),
        ("fr", "Africa/Casablanca", "3 mai 2026, 15:05"),
        ("en", "Nowhere/Atlantis", "3 May 2026, 16:05"),
    ],
)
def test_a_moment_is_told_on_the_readers_clock(language: str, zone: str, expected: str) -> None:
    with words.read_by(Reader(language, zone)):
        assert words.moment(datetime(2026, 5, 3, 14, 5, tzinfo=UTC), "long") == expected


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        (datetime(2026, 5, 3, 16, 5, tzinfo=UTC), "in 2 hours"),
        (datetime(2026, 5, 6, 23, 30, tzinfo=UTC), "in 4 days"),  # in Paris that is the 7th
        (datetime(2026, 5, 9, 14, 0, tzinfo=UTC), "in 6 days"),
        (datetime(2026, 4, 30, 22, 30, tzinfo=UTC), "2 days ago"),
        (datetime(2026, 5, 31, 14, 0, tzinfo=UTC), "in 4 weeks"),
    ],
)
def test_how_far_a_day_is_agrees_with_its_date(then: datetime, expected: str) -> None:
    with words.read_by(Reader("en", "Europe/Paris")):
        assert words.distance(then, datetime(2026, 5, 3, 14, 5, tzinfo=UTC)) == expected


def test_dates_and_numbers_follow_the_language() -> None:
    with words.read_by(Reader("fr")):
        assert words.number(Decimal("1250.5")) == "1\u202f250,5"
        assert words.number("0.125") == "0,125"
        assert words.day(date(2026, 5, 3)) == "3 mai 2026"
        assert words.country("MA") == "Maroc"
        assert words.country("XI") == "Irlande du Nord"
    with words.read_by(Reader("en")):
        assert words.number(Decimal("1250.5")) == "1,250.5"
        assert words.country("XK") == "Kosovo"


@pytest.mark.parametrize(
    ("language", "typed", "kept"),
    [
        ("fr", "1 250,5", "1250.5"),
        ("fr", "1\u202f250,5", "1250.5"),
        ("fr", "3,610", "3.610"),
        ("en", "3,610", "3610"),
        ("en", "1,250.5", "1250.5"),
        ("en", "1250.5", "1250.5"),
        ("fr", "1.250,5", "1250.5"),
        ("fr", "3.610", "3.610"),
        ("en", "a lot", "a lot"),
        ("en", "", ""),
        ("en", "1,25", "1.25"),
    ],
)
def test_a_number_is_read_as_it_was_meant(language: str, typed: str, kept: str) -> None:
    with words.read_by(Reader(language)):
        assert words.typed_number(typed) == kept


def test_a_browser_is_told_in_two_words() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
    assert browser(chrome) == "Chrome, Linux"
    assert browser("curl/8.5") == "curl/8.5"
    assert browser(None) == ""


def test_what_the_page_writes_into_a_field_is_read_back_unchanged() -> None:
    for language in words.LANGUAGES:
        with words.read_by(Reader(language)):
            for value in ("3610", "3610.25", "0.125", "1250000.5", "999", "1234567"):
                assert words.typed_number(words.number(value)) == value
                assert words.typed_number(words.number(value, grouped=False)) == value


def test_a_moment_typed_on_the_readers_clock_keeps_its_zone() -> None:
    with words.read_by(Reader("en", "Africa/Casablanca")):
        typed = words.from_input("2026-11-24T06:00")
        assert typed is not None
        assert typed.isoformat() == "2026-11-24T06:00:00+01:00"
        assert words.for_input(typed) == "2026-11-24T06:00"
