"""The words: every letter in both languages as approved, HTML and text saying the same."""

import html
import re
from collections.abc import Callable

import pytest
from jinja2 import Environment

from services.notifications.batches import ABOUT_BATCHES
from services.notifications.letters import LETTERS, ORDERED
from services.notifications.paces import DIGEST
from services.notifications.questions import ABOUT_QUESTIONS
from services.notifications.roles import ABOUT_ROLES
from services.notifications.writing import LASTS, LOCALE, TEMPLATES, WITHIN, Reader, gist, headline, letter, nameless
from shared.words import catalogue
from tests.services.notifications.goldens import FOLDER, goldens

GOLDENS = list(goldens())


@pytest.mark.parametrize(("name", "language", "page"), GOLDENS, ids=[f"{g[0]}.{g[1]}" for g in GOLDENS])
def test_a_letter_reads_as_approved(name: str, language: str, page: str) -> None:
    """After a change: python -m tests.services.notifications.goldens, and read what git shows."""
    assert page == (FOLDER / f"{name}.{language}.txt").read_text()


def test_no_golden_is_left_over() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.{language}.txt" for name, language, _ in GOLDENS}


def test_every_folder_is_a_letter_and_every_letter_a_folder() -> None:
    folders = {folder.name for folder in TEMPLATES.iterdir() if folder.is_dir()}
    assert folders == {row.letter for row in LETTERS} | ORDERED | ABOUT_ROLES | ABOUT_BATCHES | ABOUT_QUESTIONS | {
        DIGEST
    }
    for folder in folders:
        assert {file.name for file in (TEMPLATES / folder).iterdir()} == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_ops_read_of_every_letter_which_it_is_and_nobodys_name(language: str) -> None:
    facts = {"number": "COI.MA.2026.0000001", "by": "atlas", "parties": {"ORGANISATION": ["atlas"]}, "reason": "why"}
    reader = Reader(language, "UTC")
    said = {name: nameless(name, facts, reader) for name in sorted({golden[0] for golden in GOLDENS})}
    assert not [name for name, line in said.items() if not line or ("-" in name and name in line) or "atlas" in line]
    assert not [line for line in said.values() if " 0 " in line or "why" in line]
    assert "…" in said[DIGEST]


def test_every_sentence_is_translated_and_no_translation_is_left_over() -> None:
    office = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    office.policies["ext.i18n.trimmed"] = True
    said = {
        sentence
        for file in TEMPLATES.rglob("*.*")
        for _, _, sentence in office.extract_translations(file.read_text())  # type: ignore[attr-defined]
        if isinstance(sentence, str)
    }
    french = catalogue(LOCALE / "fr.po")
    assert said | {"an organisation", "(no number yet)"} | {*LASTS.values(), *WITHIN.values()} == set(french)
    for english, words in french.items():
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", words))


@pytest.mark.parametrize(("name", "language", "page"), GOLDENS, ids=[f"{g[0]}.{g[1]}" for g in GOLDENS])
def test_the_page_says_what_the_text_says_and_has_one_link(name: str, language: str, page: str) -> None:
    text = page.split("\n\n", 1)[1].split("--- in-app ---")[0]
    drawn = page.split("=== HTML ===")[1]
    words = " ".join(
        html.unescape(re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", drawn, flags=re.S)).split()
    )
    for line in text.splitlines():
        if line and not line.startswith(("https://", "--")):
            assert re.sub(r"\s+", "", line) in re.sub(r"\s+", "", words)
    links = (
        3 if name.startswith(("account-requests", "requests-waiting", DIGEST)) else 1
    )  # to process all, and one for each user (guide 003)
    assert text.count("https://") == drawn.count("https://") == drawn.count("href=") == links


def test_an_unknown_language_is_english_and_an_unknown_zone_is_utc() -> None:
    facts = {"number": "N", "by": "a", "parties": {}, "ties": [], "until": "2026-11-20T12:00:00+00:00"}
    written = letter("submitted", facts, {}, Reader("de", "Mars/Olympus", "X", "b"), "https://x", "c@d.example")
    assert "20 November 2026, 12:00 (UTC)" in written.text
    assert "an organisation submitted certificate N" in written.text


def test_a_subject_is_one_short_line() -> None:
    facts = {"number": "N", "by": "a", "parties": {}, "ties": []}
    line = headline("issued", facts, {"a": "A\r\nBcc: x" + "y" * 400}, Reader("en", "UTC"))
    assert "\n" not in line
    assert "\r" not in line
    assert len(line) <= 200


def test_news_are_the_first_two_paragraphs() -> None:
    facts = {"number": "N", "by": "a", "parties": {}, "ties": ["CONSIGNEE"]}
    assert gist("verified", facts, {"a": "A"}, Reader("en", "UTC")) == (
        "A verified the consignment of certificate N and released it as organic."
        " Check the goods when you receive them, then sign the declaration of the first consignee."
    )


def test_changed_boxes_have_the_titles_of_the_certificates_form() -> None:
    facts = {"number": "N", "by": "a", "parties": {}, "ties": ["IMPORTER"], "boxes": ["transport", "transport.mode"]}
    for form, title in ((None, "Means of transport to the Union"), ("COI_2022", "Means of transport")):
        told = gist("amended", {**facts, "form_model": form}, {"a": "A"}, Reader("en", "UTC"))
        assert f"Changed: {title}, Mode of transport." in told


def test_a_letter_states_the_length_the_clock_has_here(otherwise: Callable[[str], None]) -> None:
    reader, french, body = Reader("en", "Europe/Paris"), Reader("fr", "Europe/Paris"), {"ties": ["ISSUER"]}
    otherwise("reply_overdue=45 arrival_near=1 inactivity=1")
    assert "measures within 45 days." in gist("irregularity", body, {}, reader)
    assert "dans un délai de 45 jours." in gist("irregularity", body, {}, french)
    assert "at least 1 working day ahead" in gist("announce-arrival", {}, {}, reader)
    assert "blocked after 1 month without" in gist("account-inactive", {}, {}, reader)
    assert "bloqués après 1 mois sans" in gist("account-inactive", {}, {}, french)
    otherwise("")
    assert "measures within 30 days." in gist("irregularity", body, {}, reader)


@pytest.mark.parametrize(
    ("name", "facts", "english", "french"),
    [
        ("account-link", {"minutes": 90}, "within 90 minutes and", "dans les 90 minutes et"),
        ("account-link", {"minutes": 1}, "within 1 minute and", "dans un délai de 1 minute et"),
        ("password-temporary", {"hours": 1}, "within 1 hour.", "dans un délai de 1 heure."),
        ("account-confirmation", {"days": 1}, "within 1 day to", "dans un délai de 1 jour pour"),
        ("activity-ending", {"days": 1}, "ends in 1 day.", "fin dans 1 jour."),
    ],
)
def test_a_letter_states_the_length_its_link_was_given(
    name: str, facts: dict[str, int], english: str, french: str
) -> None:
    assert english in gist(name, facts, {}, Reader("en", "UTC"))
    assert french in gist(name, facts, {}, Reader("fr", "UTC"))


def test_the_importer_is_asked_for_the_customs_reference_where_the_form_leaves_it_to_him() -> None:
    asked, reader = "customs reference into box 23", Reader("en", "Europe/Paris")
    for form, ties, told in (
        ("COI_2022", "IMPORTER", True),
        ("COI_2017", "IMPORTER", False),
        ("COI_2022", "RFL", False),
    ):
        assert (asked in gist("customs-procedure", {"ties": [ties], "form_model": form}, {}, reader)) == told
