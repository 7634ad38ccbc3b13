"""The words of the law in French: all of them, and nothing else."""

import re
from string import Formatter

import pytest
from babel.messages import Message
from babel.messages.pofile import read_po

from shared.rules.sentences import SENTENCES, msgids
from shared.words import FOLDER, LANGUAGES, best_language, say

WRONG_SPACES = re.compile(r"[^\u202f][;!?]|[^\u00a0]:|«[^\u00a0]|[^\u00a0]»|'|\.\.\.| {2}")
CODED = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:+]+")
"""A moment as programs write it: its colons are no punctuation."""


def catalogue() -> list[Message]:
    with (FOLDER / "fr.po").open("rb") as source:
        return [message for message in read_po(source, locale="fr", abort_invalid=True) if message.id]


FRENCH = {str(message.id): str(message.string) for message in catalogue()}


def parameters(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


def test_every_sentence_of_the_law_is_translated() -> None:
    assert [sentence for sentence in msgids() if not FRENCH.get(sentence, "").strip()] == []


def test_no_translation_is_left_over() -> None:
    with (FOLDER / "fr.po").open("rb") as source:
        assert not read_po(source).obsolete
    assert sorted(set(FRENCH) - set(msgids())) == []


def test_no_translation_is_a_guess() -> None:
    assert [message.id for message in catalogue() if message.fuzzy] == []


def test_nothing_is_translated_twice() -> None:
    text = (FOLDER / "fr.po").read_text(encoding="utf-8")
    assert len(re.findall(r"^msgid ", text, re.MULTILINE)) == len(FRENCH) + 1  # the head of the file


@pytest.mark.parametrize("sentence", msgids())
def test_both_languages_have_the_same_parameters(sentence: str) -> None:
    assert parameters(FRENCH[sentence]) == parameters(sentence)


@pytest.mark.parametrize("sentence", msgids())
def test_french_is_set_as_french_is(sentence: str) -> None:
    assert WRONG_SPACES.search(CODED.sub("", FRENCH[sentence])) is None, FRENCH[sentence]


@pytest.mark.parametrize("code", SENTENCES)
def test_every_refusal_and_problem_says_in_french_what_to_do(code: str) -> None:
    assert "veuillez" in FRENCH[SENTENCES[code]].lower()


def test_a_label_within_a_sentence_is_translated_with_it() -> None:
    assert say(SENTENCES["needed"], "fr", label="Lot number") == "Veuillez remplir\u00a0: Numéro de lot."


def test_an_unknown_language_hears_english() -> None:
    assert say("First consignee", "pt") == "First consignee"


def test_the_reader_gets_the_language_he_likes_best() -> None:
    assert LANGUAGES == ("fr", "en")
    assert best_language("de, en;q=0.8, fr;q=0.4") == "en"
    assert best_language("de") == "fr"
