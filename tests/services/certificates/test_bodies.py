"""Bad input at the HTTP door: a stable code, the field named, the reader's language, and nothing changed."""

import json
from collections.abc import AsyncIterator

import pytest

from shared.kit.http import BODY_LIMIT
from tests.services.certificates.asking import DEEP, DEEPER, LONE, new, problem, send
from tests.services.certificates.conftest import House
from tests.services.certificates.world import (
    STRANGER,
    boxes,
    identity,
    line,
)

# ── bodies that are no orders ─────────────────────────────────────────────────────────────────────────────────────

BODIES: dict[str, tuple[str | bytes, tuple[int, str, str | None]]] = {
    "nothing": ("", (422, "invalid", "body")),
    "no JSON": ("{", (400, "malformed", None)),
    "a list": ("[]", (422, "invalid", "body")),
    "a text": ('"sign"', (422, "invalid", "body")),
    "invalid UTF-8": (b'{"revision": 1, "changes": {"seals": ["\xff"]}, "content": {}}', (400, "malformed", None)),
    "UTF-16": ('{"revision": 1}'.encode("utf-16"), (422, "invalid", None)),
    "nested too deeply": (DEEPER, (400, "malformed", None)),
}


@pytest.mark.parametrize("what", BODIES)
async def test_a_body_that_is_no_order_is_refused_at_every_door(house: House, what: str) -> None:
    certificate = await house.draft()
    before = await house.digest()
    body, (status, code, field) = BODIES[what]
    for method, path in (
        ("POST", "/certificates"),
        ("PUT", f"/certificates/{certificate}/boxes"),
        ("POST", f"/certificates/{certificate}/actions"),
    ):
        answer = await send(house, method, path, body)
        told = problem(answer)
        assert (answer.status_code, told["code"]) == (status, code), (path, told)
        assert field is None or told["field"] == field
    assert await house.digest() == before


async def test_ten_megabytes_are_refused_before_they_are_read(house: House) -> None:
    certificate = await house.draft()
    before = await house.digest()
    big = new(boxes(national_reference="x" * 10_000_000))

    async def drop_by_drop() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 100_000):
            yield big[start : start + 100_000].encode()

    for method, path in (("POST", "/certificates"), ("PUT", f"/certificates/{certificate}/boxes")):
        for body in (big, drop_by_drop()):
            for language, word in (("en", "large"), ("fr", "volumineu")):
                if isinstance(body, str) or language == "en":
                    told = problem(await send(house, method, path, body, language=language))
                    assert (told["status"], told["code"], told["params"]) == (413, "too_large", {"limit": BODY_LIMIT})
                    assert word in told["title"]
    assert await house.digest() == before
    for length in ("-1", "many", "1e9"):
        answer = await send(house, "POST", "/certificates", b"{}", **{"Content-Length": length})
        assert problem(answer)["code"] == "too_large"


async def test_an_order_without_a_key_or_with_an_odd_one_is_refused(house: House) -> None:
    certificate = await house.draft()
    before = await house.digest()
    for method, path, body in (
        ("POST", "/certificates", new(boxes())),
        ("PUT", f"/certificates/{certificate}/boxes", json.dumps({"revision": 1, "changes": {"seals": ["S-2"]}})),
        ("POST", f"/certificates/{certificate}/actions", json.dumps({"action": "submit", "revision": 1})),
        ("POST", f"/certificates/{certificate}/copies", ""),
    ):
        told = problem(await send(house, method, path, body, key=None))
        assert (told["status"], told["code"], told["field"]) == (400, "key_missing", "Idempotency-Key")
        for odd in ("short", "x" * 65, "spaces are odd"):
            told = problem(await send(house, method, path, body, key=odd))
            assert (told["status"], told["code"], told["field"]) == (422, "invalid", "Idempotency-Key")
    assert await house.digest() == before


# ── values that are no contents ───────────────────────────────────────────────────────────────────────────────────

VALUES: dict[str, tuple[str, str, str]] = {
    "unknown box": ('{"colour": "red"}', "invalid", "colour"),
    "box of the other form": (f'{{"trader_without_handling": "{STRANGER}"}}', "invalid", "trader_without_handling"),
    "box that is derived": ('{"procedure": "COMPLIANCE"}', "invalid", "procedure"),
    "box that is signed": ('{"entry_checks": {"documentary": "acceptable"}}', "invalid", "entry_checks"),
    "number instead of a text": ('{"national_reference": 5}', "invalid", "national_reference"),
    "text instead of a list": ('{"seals": "S-1"}', "invalid", "seals"),
    "list instead of a group": ('{"transport": []}', "invalid", "transport"),
    "text instead of yes or no": ('{"release_by_batches": "yes"}', "invalid", "release_by_batches"),
    "1 instead of yes or no": ('{"release_by_batches": 1}', "invalid", "release_by_batches"),
    "weight as a number": ('{"gross_weight": {"value": 1100.5, "unit": "KGM"}}', "invalid", "gross_weight.value"),
    "weight without end": ('{"gross_weight": {"value": "1e999", "unit": "KGM"}}', "invalid", "gross_weight.value"),
    "packages as a fraction": ('{"product_lines": [{"packages": 1.5}]}', "invalid", "product_lines[0].packages"),
    "packages without end": ('{"product_lines": [{"packages": 1e400}]}', "malformed", ""),
    "packages beyond counting": (
        '{"product_lines": [{"packages": 99999999999999999999}]}',
        "invalid",
        "product_lines[0].packages",
    ),
    "no number": ('{"product_lines": [{"packages": NaN}]}', "malformed", ""),
    "no number where none belongs": ('{"seals": Infinity}', "malformed", ""),
    "unknown part of a line": ('{"product_lines": [{"colour": "red"}]}', "invalid", "product_lines[0].colour"),
    "line that is none": ('{"product_lines": ["dates"]}', "invalid", "product_lines[0]"),
    "two lines of one id": ('{"product_lines": [{"id": "1"}, {"id": "1"}]}', "invalid", "product_lines"),
    "no organisation": ('{"importer": "Pyrénées"}', "invalid", "importer"),
    "organisation nobody knows": (f'{{"importer": "{identity(404)}"}}', "invalid", "importer"),
    "no country": ('{"countries_of_origin": ["MA", "ZZ"]}', "invalid", "countries_of_origin[1]"),
    "no time zone": ('{"departure_at": "2026-12-01T08:00:00"}', "invalid", "departure_at"),
    "no time": ('{"arrival_at": "tomorrow"}', "invalid", "arrival_at"),
    "time beyond time": ('{"arrival_at": "9999-12-31T23:59:59-14:00"}', "invalid", "arrival_at"),
    "time as a number": ('{"arrival_at": 1795000000}', "invalid", "arrival_at"),
    "very long text": (json.dumps({"national_reference": "x" * 251}), "invalid", "national_reference"),
    "very long name of a box": (json.dumps({"x" * 100_000: 1}), "invalid", "x" * 40),
    "very many lines": (json.dumps({"product_lines": [{}] * 501}), "invalid", "product_lines"),
    "NUL": ('{"national_reference": "a\\u0000b"}', "invalid", "national_reference"),
    "NUL in a list": ('{"containers": ["\\u0000"]}', "invalid", "containers[0]"),
    "NUL in the name of a box": ('{"se\\u0000als": []}', "invalid", "se\x00als"),
    "half a sign": (f'{{"national_reference": {LONE}}}', "malformed", ""),
    "half a sign as a box": (f"{{{LONE}: 1}}", "malformed", ""),
    "half a sign in a line": (f'{{"product_lines": [{{"lot": {LONE}}}]}}', "malformed", ""),
    "nested deeply": (f'{{"transport": {DEEP}}}', "malformed", ""),
    "nested deeply in an unknown": (f'{{"x": {DEEP}}}', "malformed", ""),
}


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_what_does_not_fit_into_a_box_is_named_and_changes_nothing(house: House, language: str) -> None:
    certificate = await house.draft()
    before = await house.digest()
    base = json.dumps(boxes(product_lines=[line()]))[:-1]
    for what, (changes, code, field) in VALUES.items():
        edit = f'{{"revision": 1, "changes": {changes}}}'
        birth = f'{{"content": {base}, {changes[1:]}}}'
        for method, path, body in (
            ("PUT", f"/certificates/{certificate}/boxes", edit),
            ("POST", "/certificates", birth),
        ):
            told = problem(await send(house, method, path, body, language=language))
            if what.startswith("nested deeply") and told["code"] == "invalid":
                continue  # it may be read as well: then it is no content of ours
            assert (told["code"], told.get("field", "")) == (code, field), (what, path, told)
            for each in told.get("problems", ()):
                assert {"field", "code", "message"} <= each.keys()
                assert "{label}" not in each["message"]
                english = "lease" in each["message"] or "There is" in each["message"] or "This" in each["message"]
                assert english == (language == "en"), each
    assert await house.digest() == before


async def test_every_wrong_box_is_named_at_once(house: House) -> None:
    content = boxes(seals="S-1", colour="red", gross_weight={"value": 3}, product_lines=[line(lot=5, packages="many")])
    told = problem(await send(house, "POST", "/certificates", new(content)))
    assert {each["field"] for each in told["problems"]} == {
        "seals",
        "colour",
        "gross_weight.value",
        "product_lines[0].lot",
        "product_lines[0].packages",
    }


ENVELOPES = {
    "unknown field": ('{"content": {}, "colour": "red"}', "invalid", "colour"),
    "half a sign as a field": (f'{{"content": {{}}, {LONE}: 1}}', "invalid", None),
    "no content": ("{}", "invalid", "content"),
    "content that is a list": ('{"content": []}', "invalid", "content"),
    "form nobody prints": (new(boxes(), form_model="COI_1999"), "invalid", "form_model"),
    "form that is a number": (new(boxes(), form_model=2017), "invalid", "form_model"),
    "form that is half a sign": ('{"content": {}, "form_model": "\\ud800"}', "malformed", None),
}


async def test_an_envelope_that_is_not_understood_is_refused(house: House) -> None:
    before = await house.digest()
    for what, (body, code, field) in ENVELOPES.items():
        told = problem(await send(house, "POST", "/certificates", body))
        assert told["code"] == code, what
        assert field is None or told["field"] == field, what
    assert await house.digest() == before
