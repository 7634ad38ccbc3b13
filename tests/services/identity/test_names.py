"""Names and addresses of all the world, through the rules of registration and the classic form."""

import re
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.activities import Paper
from services.identity.api_registrations import LONGEST_NAME, name_problems, refuse_wrong, tidied
from services.identity.rules import Wearer, email_key, is_address, missing
from shared.contracts.identity import Registration
from shared.rules.refusals import Refused
from tests.services.identity.conftest import House
from tests.services.identity.territory import Territory

GREEK: Final = st.characters(min_codepoint=0x391, max_codepoint=0x3C9, categories=("Ll", "Lu"))
ARABIC: Final = st.characters(min_codepoint=0x621, max_codepoint=0x63A)
LATIN: Final = st.characters(min_codepoint=0x41, max_codepoint=0x17E, categories=("Ll", "Lu"))
LETTERS: Final = st.one_of(GREEK, ARABIC, LATIN)
JOINTS: Final = st.sampled_from(["'", "’", "-", " ", ". "])
NAMES: Final = st.builds(
    lambda first, rest: first + "".join(joint + part for joint, part in rest),
    st.text(LETTERS, min_size=1, max_size=20),
    st.lists(st.tuples(JOINTS, st.text(LETTERS, min_size=1, max_size=20)), max_size=3),
)
LOCAL: Final = st.from_regex(r"[a-z0-9]{1,20}([.+'_-][a-z0-9]{1,10}){0,3}", fullmatch=True)
DOMAINS: Final = st.sampled_from(["tarn.example", "sub.tarn.example", "ελιά.example", "xn--tdkasar-q4ad.example"])


def form(**said: str) -> Registration:
    known = {"first_name": "Ann", "last_name": "Li", "email": "a@tarn.example", "email_again": "a@tarn.example"}
    return Registration(**{**known, **said}, language="fr", privacy=True, proof="x" * 20)


@settings(max_examples=40)
@given(NAMES)
def test_a_name_of_letters_is_taken_as_it_is_written(name: str) -> None:
    assert name_problems("first_name", tidied(name)) == []
    assert tidied(tidied(name)) == tidied(name)
    assert unicodedata.is_normalized("NFC", tidied(name))


@settings(max_examples=40)
@given(st.text(LETTERS, min_size=LONGEST_NAME + 1, max_size=LONGEST_NAME + 200))
def test_a_name_too_long_says_how_long_it_may_be(name: str) -> None:
    (problem,) = name_problems("last_name", unicodedata.normalize("NFC", name) + "a" * LONGEST_NAME)
    assert (problem["code"], problem["params"]) == ("field_too_long", {"longest": LONGEST_NAME})


@settings(max_examples=40)
@given(LOCAL, DOMAINS)
def test_an_address_is_taken_and_compared_without_capitals(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    assert is_address(address)
    refuse_wrong(form(email=address, email_again=address))
    assert email_key(address.upper()) == email_key(address)
    assert email_key(email_key(address)) == email_key(address)


@settings(max_examples=40)
@given(LOCAL, st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))
def test_a_plus_address_is_an_address_of_its_own(local: str, tag: str) -> None:
    assert is_address(f"{local}+{tag}@tarn.example")
    assert email_key(f"{local}+{tag}@tarn.example") != email_key(f"{local}@tarn.example")


@settings(max_examples=40)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_typed_is_taken_or_refused_and_never_a_bug(first: str, last: str, email: str) -> None:
    typed = form(first_name=tidied(first), last_name=tidied(last), email=tidied(email), email_again=tidied(email))
    try:
        refuse_wrong(typed)
    except Refused:
        return
    assert "\0" not in typed.email + typed.first_name + typed.last_name
    assert len(typed.first_name) <= LONGEST_NAME


@settings(max_examples=40)
@given(NAMES, LOCAL)
def test_a_password_that_holds_ones_name_or_address_is_refused(name: str, local: str) -> None:
    longest = max(re.split(r"[\W_]+", name), key=len)
    wearer = Wearer(f"{local}@tarn.example", (name,))
    if len(longest) >= 3:
        assert "password_personal" in missing(f"X1!{longest}?9Z", wearer)
    assert "password_personal" in missing("X1!Tarn?9Z#kW", wearer), "the house of the address"


# fmt: off
STRANGE: Final = (
    ("Zoë",          "O'Brien-Πέτρου",   "zoe+coi@tarn.example"),
    ("عائشة",         "بن يوسف",           "aicha.o'neil@tarn.example"),
    ("Ελένη",        "Παπαδοπούλου",      "eleni@ελιά.example"),
    ("Ann",          "x" * LONGEST_NAME,  f"{'l' * 64}@{'d' * 60}.{'e' * 60}.example"),
)
# fmt: on


@pytest.mark.parametrize(("first", "last", "email"), STRANGE)
async def test_what_was_typed_is_what_is_kept(house: House, first: str, last: str, email: str) -> None:
    proof = await Territory(house, Paper(house.around)).worked()
    said = {"first_name": first, "last_name": last, "email": email, "email_again": email, "language": "fr"}
    answer = await house.client.post(
        "/registrations", json={**said, "privacy": True, "proof": proof}, headers={"Idempotency-Key": "a-key-of-a-form"}
    )
    assert answer.status_code == 202, answer.text
    kept = "SELECT first_name || '|' || last_name || '|' || email FROM registration"
    assert await house.one(kept) == f"{first}|{last}|{email}"
