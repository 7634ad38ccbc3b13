"""How names and numbers are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory import rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pyrénées Bio Import", ["pyrenees", "bio", "import"]),
        ("L'Isle-Jourdain", ["l", "isle", "jourdain"]),
        ("CŒUR D’ÉPEAUTRE", ["coeur", "d", "epeautre"]),
        ("Straße", ["strasse"]),
        ("ΒΙΟΛΟΓΙΚΆ ΠΡΟΪΌΝΤΑ", ["βιολογικα", "προιοντα"]),
        ("شركة الأطلس", ["شركة", "الاطلس"]),
        ("ﬁn_de-siècle", ["fin", "de", "siecle"]),
        ("", []),
        ("--- ' \" \\ & | ! :*", []),
    ],
)
def test_case_accents_and_marks_make_no_difference(text: str, expected: list[str]) -> None:
    assert rules.words(text) == expected


@pytest.mark.parametrize("text", ["MA-BIO-154", "ma bio 154", "MABIO154", " Ma.Bio/154 "])
def test_a_code_is_known_however_it_is_written(text: str) -> None:
    assert rules.number(text) == "mabio154"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert rules.words(" ".join(rules.words(text))) == rules.words(text)
