"""Orders at the HTTP door: those that cannot be carried out, keys, the guide's story, and who asks."""

import json
from typing import Any

import pytest

from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.asking import DEEP, LONE, new, problem, send
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.world import (
    BODY,
    CONSIGNEE,
    EXPORTER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    STRANGER,
    boxes,
    identity,
    line,
)

# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────

WISHES: dict[str, tuple[dict[str, Any] | str, int, str, str | None]] = {
    "no action": ({"action": None}, 422, "invalid", "action"),
    "unknown action": ({"action": "explode"}, 422, "unknown_action", "action"),
    "action that is half a sign": ('{"action": "\\ud800", "revision": 2}', 422, "unknown_action", "action"),
    "action with NUL": ({"action": "sign\x00"}, 422, "unknown_action", "action"),
    "content is no order": ({"action": "amend"}, 422, "unknown_action", "action"),
    "a copy is no order": ({"action": "copy"}, 422, "unknown_action", "action"),
    "revision 0": ({"revision": 0}, 422, "invalid", "revision"),
    "revision of old": ({"revision": 1}, 409, "stale_revision", None),
    "revision to come": ({"revision": 99}, 409, "stale_revision", None),
    "revision beyond counting": ({"revision": 10**30}, 409, "stale_revision", None),
    "revision in words": ({"revision": "two"}, 422, "invalid", "revision"),
    "revision yes": ({"revision": True}, 422, "invalid", "revision"),
    "no form": ({"form": None}, 422, "invalid", "form"),
    "form of a list": ({"form": []}, 422, "invalid", "form"),
    "form without answers": ({"form": {}}, 422, "incomplete", None),
    "form with unknown answers": ({"form": {**world.SIGNED, "colour": "red"}}, 422, "incomplete", None),
    "form with NUL": ({"form": {**world.SIGNED, "remarks": "a\x00b"}}, 422, "incomplete", None),
    "form with NUL in a name": ({"form": {**world.SIGNED, "a\x00b": 1}}, 422, "incomplete", None),
    "form without end": ({"form": {**world.SIGNED, "remarks": "x" * 900_000}}, 413, "too_large", None),
    "form with a long text": ({"form": {**world.SIGNED, "remarks": "x" * 2001}}, 422, "incomplete", None),
    "fingerprint of nothing": ({"fingerprint": None}, 409, "stale_revision", "fingerprint"),
    "fingerprint of another": ({"fingerprint": "0" * 64}, 409, "stale_revision", "fingerprint"),
    "fingerprint in numbers": ({"fingerprint": 5}, 422, "invalid", "fingerprint"),
    "unknown field": ({"colour": "red"}, 422, "invalid", "colour"),
    "wrong status": ({"action": "verify", "form": world.ENDORSED}, 409, "wrong_status", None),
    "step without a form": ({"action": "deplete"}, 409, "wrong_status", None),
    "not his": ({"action": "submit"}, 409, "wrong_status", None),
    "no number in the form": (
        '{"action": "sign", "revision": 2, "form": {"documentary": NaN}}',
        400,
        "malformed",
        None,
    ),
    "half a sign in the form": (
        f'{{"action": "sign", "revision": 2, "form": {{"remarks": {LONE}}}}}',
        400,
        "malformed",
        None,
    ),
    "form nested deeply": (
        f'{{"action": "sign", "revision": 2, "form": {{"remarks": {DEEP}}}}}',
        400,
        "malformed",
        None,
    ),
}


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_an_order_that_cannot_be_carried_out_changes_nothing(house: House, language: str) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    before = await house.digest()
    order = await house.order(certificate, "sign", BODY)
    right = {"action": "sign", "revision": 2, "form": world.SIGNED, "fingerprint": order.fingerprint}
    titles = set()
    for what, (wish, status, code, field) in WISHES.items():
        body = wish if isinstance(wish, str) else json.dumps({**right, **wish})
        path = f"/certificates/{certificate}/actions"
        told = problem(await send(house, "POST", path, body, by=BODY, language=language))
        assert (told["status"], told["code"]) == (status, code), (what, told)
        assert field is None or told.get("field") == field, (what, told)
        titles.add((told["code"], told["title"]))
    assert await house.digest() == before
    french = sum(1 for _, title in titles if "euillez" in title or "é" in title or "vous" in title)
    assert (french > len(titles) / 2) == (language == "fr")
    answer = await send(house, "POST", f"/certificates/{certificate}/actions", json.dumps(right), by=BODY)
    assert (answer.status_code, answer.json()["status"]) == (200, "ISSUED")


async def test_an_order_on_a_certificate_of_others_hears_that_there_is_none(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    before = await house.digest()
    orders: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PUT", "/boxes", {"revision": 3, "changes": {"seals": []}}),
        ("POST", "/actions", {"action": "verify", "revision": 3, "form": world.ENDORSED}),
        ("POST", "/copies", {}),
    )
    for method, path, body in orders:
        for wrong in (certificate, identity(999), "1", "%00"):
            told = problem(await send(house, method, f"/certificates/{wrong}{path}", json.dumps(body), by=STRANGER))
            assert (told["status"], told["code"]) == (404, "not_found")
    told = problem(await house.act(IMPORTER, certificate, "verify"))
    assert (told["status"], told["code"]) == (403, "not_permitted")
    assert await house.digest() == before
    assert house.pen.asked == ["verify"]


async def test_a_field_beyond_ones_rights_is_named(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    before = await house.digest()
    changes = {"first_consignee": IMPORTER, "seals": [], "containers": []}
    body = json.dumps({"revision": 3, "changes": changes})
    told = problem(await send(house, "PUT", f"/certificates/{certificate}/boxes", body, by=IMPORTER, language="fr"))
    assert (told["status"], told["code"], told["field"]) == (403, "not_permitted", "containers")
    assert told["params"]["fields"] == ["containers", "seals"]
    told = problem(await send(house, "PUT", f"/certificates/{certificate}/boxes", body, by=EXPORTER))
    assert (told["status"], told["code"]) == (403, "not_permitted")
    assert await house.digest() == before


async def test_what_is_still_missing_is_told_with_box_and_title_of_the_form(house: House) -> None:
    certificate = await house.draft(importer=None, first_consignee=None)
    before = await house.digest()
    told = problem(await house.act(EXPORTER, certificate, "submit"))
    assert (told["status"], told["code"]) == (422, "incomplete")
    shown = {(each["field"], each["box"], each["title"], each["code"]) for each in told["problems"]}
    assert ("importer", 11, "Importer", "needed") in shown
    assert ("first_consignee", 12, "First consignee", "neither_consignee_nor_batches") in shown
    assert await house.digest() == before
    european = await house.draft(countries_of_origin=["FR"])
    told = problem(await house.act(EXPORTER, european, "submit"))
    assert (told["code"], told["params"]) == ("no_certificate_needed", {"country": "FR"})
    assert "FR" in told["title"]


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_order_sent_again_is_answered_without_asking_anybody(house: House) -> None:
    certificate = await house.draft()
    key, order = fresh(), {"revision": 1, "form": {}, "fingerprint": None}
    first = await house.act(EXPORTER, certificate, "submit", key=key, **order)
    assert (first.status_code, first.json()["number"]) == (200, "COI.MA.2026.0000001")
    again = await house.act(EXPORTER, certificate, "submit", key=key, **order)
    assert (again.status_code, again.json()) == (200, first.json())
    assert house.pen.asked == ["submit"]
    state = await house.get(EXPORTER, f"/orders/{key}")
    assert (state["state"], state["certificate_id"], state["status"]) == ("done", certificate, "DESCRIPTION_COMPLETED")


async def test_a_key_used_again_for_something_else_is_refused_before_anybody_is_asked(house: House) -> None:
    certificate, other = await house.draft(), await house.draft()
    key = fresh()
    assert (await house.act(EXPORTER, certificate, "submit", key=key)).status_code == 200
    before = await house.digest()
    answers = [
        await house.act(EXPORTER, certificate, "submit", key=key, revision=2),
        await house.act(EXPORTER, certificate, "delete", key=key, revision=1, form={"reason": "x"}),
        await house.act(EXPORTER, other, "submit", key=key),
        await house.act(BODY, certificate, "sign", key=key),
        await send(house, "POST", "/certificates", new(boxes()), key=key),
        await send(house, "POST", f"/certificates/{other}/copies", "", key=key),
        await send(house, "PUT", f"/certificates/{other}/boxes", '{"revision": 1, "changes": {"seals": []}}', key=key),
    ]
    for answer in answers:
        told = problem(answer)
        assert (told["status"], told["code"], told["field"]) == (422, "key_reused", "Idempotency-Key")
    assert house.pen.asked == ["submit"]
    assert await house.digest() == before
    french = await send(house, "POST", "/certificates", new(boxes()), key=key, language="fr")
    assert "clé" in problem(french)["title"]


async def test_births_edits_and_copies_are_answered_twice_alike(house: House) -> None:
    key, content = fresh(), new(boxes())
    one, two = [await send(house, "POST", "/certificates", content, key=key) for _ in "12"]
    assert (one.status_code, one.json()) == (two.status_code, two.json())
    assert one.status_code == 201
    certificate = one.json()["id"]
    key, change = fresh(), json.dumps({"revision": 1, "changes": {"seals": ["S-2"]}})
    path = f"/certificates/{certificate}/boxes"
    one, two = [await send(house, "PUT", path, change, key=key) for _ in "12"]
    assert (one.status_code, one.json()) == (two.status_code, two.json())
    assert (one.json()["revision"], one.json()["content"]["seals"]) == (2, ["S-2"])
    key = fresh()
    one, two = [await send(house, "POST", f"/certificates/{certificate}/copies", "", key=key) for _ in "12"]
    assert (one.status_code, one.json()) == (two.status_code, two.json())
    assert await house.one("SELECT count(*) FROM certificate") == 2


async def test_an_order_of_somebody_else_is_unknown_to_me(house: House) -> None:
    certificate = await house.draft()
    key = fresh()
    await house.act(EXPORTER, certificate, "submit", key=key)
    for reader, asked in ((BODY, key), (STRANGER, key), (EXPORTER, fresh()), (EXPORTER, "%00"), (EXPORTER, "é" * 90)):
        state = await house.get(reader, f"/orders/{asked}")
        assert (state["state"], state["certificate_id"]) == ("unknown", None)


# ── the whole journey through the door ────────────────────────────────────────────────────────────────────────────


async def test_the_guides_story_at_the_door(house: House) -> None:
    born = await send(house, "POST", "/certificates", new(boxes()))
    certificate = born.json()["id"]
    seen = []
    for action, by in (("submit", EXPORTER), ("sign", BODY), ("verify", POST), ("receive", CONSIGNEE)):
        answer = await house.act(by, certificate, action)
        assert answer.status_code == 200, answer.text
        seen.append(answer.json()["status"])
    assert seen == ["DESCRIPTION_COMPLETED", "ISSUED", "CONSIGNMENT_VERIFIED", "FIRST_CONSIGNEE_SIGNED"]


# ── who asks ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_has_no_token_or_acts_for_others_is_refused(house: House) -> None:
    certificate = await house.draft()
    path = f"/certificates/{certificate}"
    door = house.door(EXPORTER)
    for wrong in ("", "Bearer", "Bearer x", "Bearer a.b.c", "Basic dTpw", "Bearer \udcff"):
        answer = await door.get(path, headers={"Authorization": wrong.encode("latin-1", "replace").decode("latin-1")})
        told = problem(answer)
        assert (told["status"], told["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    told = problem(await door.get(path, headers={"Acting-For": IMPORTER}))
    assert (told["status"], told["code"]) == (403, "not_permitted")
    for way in ("DELETE", "PATCH"):
        assert problem(await door.request(way, path))["code"] == "method_not_allowed"
    assert problem(await door.get("/certificates/%2e%2e/x/y"))["code"] == "not_found"


async def test_every_door_but_the_published_ones_asks_who_comes(house: House) -> None:
    certificate = await house.draft()
    door = house.door(EXPORTER)
    open_doors = {"/health", "/signing-keys", "/openapi.json"}
    description = (await door.get("/openapi.json")).json()
    for path, methods in description["paths"].items():
        for method in methods:
            place = path.replace("{certificate_id}", certificate).replace("{key}", "some-key-00")
            answer = await door.request(method, place, headers={"Authorization": "", "Idempotency-Key": fresh()})
            assert (answer.status_code == 200) == (path in open_doors), path
            if path not in open_doors:
                assert problem(answer)["code"] in ("unauthenticated",), path


async def test_languages_follow_the_header(house: House) -> None:
    wishes: tuple[tuple[str | bytes, str], ...] = (
        ("fr-BE, en;q=0.5", "vérifi"),
        ("en", "check"),
        ("de, en;q=0.2", "check"),
        ("de", "vérifi"),
        ("", "vérifi"),
        ("en;q=x, fr;q=nan", ""),
        (b"\xff;q=1;q=2,,,", ""),
    )
    for header, word in wishes:
        sent = header if isinstance(header, bytes) else header.encode()
        answer = await house.door(EXPORTER).get("/certificates/1", headers=[(b"Accept-Language", sent)])
        assert word in problem(answer)["title"].lower(), header


async def test_other_producers_lines_do_not_slip_out_through_a_copy(house: House) -> None:
    goods = [line(1), line(2, producer=OTHER_PRODUCER, producer_control_body=None)]
    certificate = await house.at(Status.ISSUED, product_lines=goods, gross_weight={"value": "3", "unit": "TNE"})
    answer = await send(house, "POST", f"/certificates/{certificate}/copies", "", by=world.PRODUCER)
    assert problem(answer)["code"] == "not_found"
