"""What is refused on the way, to whom and with which words; and that a refusal changes nothing."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest

from tests.journeys.people import (
    BODY,
    BORDER,
    CONSIGNEE,
    EXPORTER,
    IMPORTER,
    JSON,
    STRANGER,
    People,
    Refusal,
    born,
    complete,
    fresh_key,
    organisation,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Unchanged:
    """What stands on paper must be the same after the block."""

    paper: asyncpg.Connection

    async def state(self) -> list[tuple[Any, ...]]:
        tables = ("certificate", "journal", "sealed", "outbox WHERE kind = 'event'", "number_series")
        found = [await self.paper.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
        heads = await self.paper.fetch("SELECT id, revision, status, journal_head, due_at FROM certificate ORDER BY id")
        return [tuple(found), *(tuple(row) for row in heads)]

    async def __aenter__(self) -> None:
        self.before = await self.state()

    async def __aexit__(self, *_: object) -> None:
        assert await self.state() == self.before


@pytest.fixture
def unchanged(paper: asyncpg.Connection) -> Unchanged:
    """A block after which the paper is as it was before."""
    return Unchanged(paper)


async def refused(wish: Any) -> Refusal:
    """The no that is expected."""
    with pytest.raises(Refusal) as refusal:
        await wish
    assert refusal.value.body["type"] == f"urn:bordereau:problem:{refusal.value.code}"
    assert refusal.value.body["title"]
    return refusal.value


async def test_a_draft_is_not_there_for_anybody_but_its_creator(people: People, unchanged: Unchanged) -> None:
    draft = await people.draft()
    here = f"/certificates/{draft['id']}"
    async with unchanged:
        for email in (BODY, IMPORTER, BORDER, CONSIGNEE, STRANGER):
            person = await people(email)
            for answer in (
                await person.says("GET", here),
                await person.says(
                    "PUT", f"/certificates/{draft['id']}/boxes", {"revision": 1, "changes": {"seals": []}}
                ),
                await person.says("POST", f"/certificates/{draft['id']}/actions", {"action": "submit", "revision": 1}),
                await person.says("POST", f"/certificates/{draft['id']}/copies"),
            ):
                nowhere = await person.says("GET", f"/certificates/{uuid4()}")
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
                assert answer.json()["title"] == nowhere.json()["title"], "not yours and not there sound the same"


async def test_whose_turn_it_is_not_is_told_so(people: People, unchanged: Unchanged) -> None:
    certificate = await people.brought_to("submit")
    async with unchanged:
        exporter = await people(EXPORTER)
        order = {"action": "sign", "revision": certificate["revision"], "form": {}, "fingerprint": "0" * 64}
        assert (await refused(exporter.orders(certificate["id"], order))).code == "not_permitted"
        assert (await refused(exporter.shown(certificate["id"], "sign"))).code == "not_permitted"
        border = await people(BORDER)
        assert (await refused(border.orders(certificate["id"], order | {"action": "verify"}))).code == "wrong_status"
        edit = exporter.edits(certificate["id"], certificate["revision"], seals=["ML-2"])
        assert (await refused(edit)).code == "not_permitted"


async def test_nobody_signs_what_he_has_not_seen(people: People, unchanged: Unchanged) -> None:
    certificate = await people.brought_to("submit")
    body, importer = await people(BODY), await people(IMPORTER)
    seen = await body.wish(certificate["id"], "sign")
    edited = await importer.edits(
        certificate["id"], certificate["revision"], first_consignee=organisation("acme-bio-imports")
    )
    async with unchanged:
        no = await refused(body.orders(certificate["id"], seen))
        assert (no.status, no.code) == (409, "stale_revision")
        assert no.body["params"]["revision"] == edited["revision"]
        no = await refused(body.orders(certificate["id"], seen | {"revision": edited["revision"]}))
        assert (no.status, no.code, no.body["field"]) == (409, "stale_revision", "fingerprint")
        for fingerprint in (None, "", "0" * 64):
            order = seen | {"revision": edited["revision"], "fingerprint": fingerprint}
            assert (await refused(body.orders(certificate["id"], order))).code == "stale_revision"
    signed = await body.does(certificate["id"], "sign")
    assert signed["status"] == "ISSUED"


async def test_an_edit_on_an_old_revision_is_refused(people: People, unchanged: Unchanged) -> None:
    draft = await people.draft()
    exporter = await people(EXPORTER)
    await exporter.edits(draft["id"], 1, seals=["ML-2"])
    async with unchanged:
        no = await refused(exporter.edits(draft["id"], 1, seals=["ML-3"]))
    assert (no.status, no.code, no.body["params"]) == (409, "stale_revision", {"revision": 2})


MISSING: Final = {"7", "9", "11", "12", "16"}  # box 8 is filled in: the exporter is in Morocco


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_missing_boxes_are_named_all_at_once(people: People, unchanged: Unchanged, language: str) -> None:
    exporter = await people(EXPORTER)
    draft = await exporter.drafts(born())
    exporter.language = language
    try:
        async with unchanged:
            no = await refused(exporter.does(draft["id"], "submit"))
    finally:
        exporter.language = "en"
    assert (no.status, no.code) == (422, "incomplete")
    assert {box for box, _ in no.missing} == MISSING
    for each in no.body["problems"]:
        assert each["field"]
        assert each["title"]
        assert each["message"]
        assert each["message"] != each["code"]


async def test_french_and_english_say_it_differently(people: People) -> None:
    exporter = await people(EXPORTER)
    said = {}
    for language in ("fr", "en"):
        exporter.language = language
        said[language] = (await exporter.says("GET", f"/certificates/{uuid4()}")).json()["title"]
    exporter.language = "en"
    assert said["en"].startswith("There is nothing here")
    assert said["fr"] != said["en"]


# fmt: off
STRANGE: Final = (
    # what                        request                                               status  code
    ("unknown action",            {"action": "dance", "revision": 2},                   422, {"unknown_action"}),
    ("content is no move",        {"action": "amend", "revision": 2},                   422, {"unknown_action"}),
    ("not offered yet",           {"action": "replace", "revision": 2},                 409, {"wrong_status"}),
    ("wrong type",                {"action": "sign", "revision": "two"},                422, {"invalid"}),
    ("no revision",               {"action": "sign"},                                   422, {"invalid"}),
    ("unknown field",             {"action": "sign", "revision": 2, "please": True},    422, {"invalid"}),
    ("a list",                    [1, 2, 3],                                            422, {"invalid"}),
    ("unknown answer in a form",  {"action": "sign", "revision": 2, "form": {"colour": "red"}, "fingerprint": "0" * 64},
                                                                                        422, {"incomplete", "invalid"}),
)
# fmt: on


@pytest.mark.parametrize(("what", "order", "status", "codes"), STRANGE, ids=[row[0] for row in STRANGE])
async def test_a_strange_order_is_refused_by_code(
    people: People, unchanged: Unchanged, what: str, order: object, status: int, codes: set[str]
) -> None:
    certificate = await people.brought_to("submit")
    body = await people(BODY)
    async with unchanged:
        answer = await body.says("POST", f"/certificates/{certificate['id']}/actions", order)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"] in codes) == (status, True), answer.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"box_of_dreams": 1}, {"invalid"}),
        ({"seals": "not a list"}, {"invalid"}),
        ({"importer": "not-an-organisation"}, {"invalid"}),
        ({"importer": str(uuid4())}, {"invalid"}),
        ({"entry_checks": {"documentary": "acceptable"}}, {"not_permitted", "invalid"}),
        ({"arrival_at": "tomorrow"}, {"invalid"}),
        ({"gross_weight": {"value": "heavy", "unit": "KGM"}}, {"invalid"}),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
async def test_a_strange_edit_is_refused_by_code(
    people: People, unchanged: Unchanged, changes: JSON, code: set[str]
) -> None:
    draft = await people.draft()
    exporter = await people(EXPORTER)
    async with unchanged:
        no = await refused(exporter.edits(draft["id"], draft["revision"], **changes))
    assert no.code in code
    assert next(iter(changes)) in str(no.body.get("field"))


async def test_what_cannot_be_read_is_refused(people: People, unchanged: Unchanged) -> None:
    exporter = await people(EXPORTER)
    url = f"{people.addresses['certificates']}/certificates"
    headers = {**await exporter.headers(), "Content-Type": "application/json"}
    keyed = headers | {"Idempotency-Key": fresh_key()}
    async with unchanged:
        for content, status, code in (
            (b"{", 400, "malformed"),
            (b'{"content": "\xff\xfe"}', 400, "malformed"),
            (b'{"content": {"seals": ["' + b"x" * 10_000_000 + b'"]}}', 413, "too_large"),
        ):
            answer = await people.web.post(url, content=content, headers=keyed)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text[:300]
        answer = await people.web.post(url, json={"content": born()}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) in {(422, "invalid"), (400, "key_missing")}
        answer = await people.web.post(url, json={"content": born()}, headers=keyed | {"Idempotency-Key": "short"})
        assert answer.status_code == 422
        answer = await people.web.post(url, json={"content": born()}, headers={"Idempotency-Key": fresh_key()})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        foreign = keyed | {"Acting-For": organisation("ecocert-ma")}
        answer = await people.web.post(url, json={"content": born()}, headers=foreign)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_a_key_belongs_to_one_order(people: People, unchanged: Unchanged) -> None:
    exporter, key = await people(EXPORTER), fresh_key()
    first = await exporter.drafts(complete(), key)
    again = complete()
    again["product_lines"][0]["lot"] = "another"
    async with unchanged:
        assert (await refused(exporter.drafts(again, key))).code == "key_reused"
        certificate = first["id"]
        assert (await refused(exporter.does(certificate, "submit", key=key))).code == "key_reused"
        body = await people(BODY)
        assert (await refused(body.drafts(complete(), key))).code == "key_reused"


async def test_the_same_order_sent_again_gets_the_recorded_answer(people: People, unchanged: Unchanged) -> None:
    exporter, body = await people(EXPORTER), await people(BODY)
    key = fresh_key()
    content = complete()
    draft = await exporter.drafts(content, key)
    async with unchanged:
        assert (await exporter.drafts(content, key))["id"] == draft["id"]
    wish, told = await exporter.wish(draft["id"], "submit"), fresh_key()
    answers = await asyncio.gather(*(exporter.orders(draft["id"], wish, told) for _ in range(4)))
    assert {(each["id"], each["number"], each["status"]) for each in answers} == {
        (draft["id"], answers[0]["number"], "DESCRIPTION_COMPLETED")
    }
    await body.does(draft["id"], "sign")
    async with unchanged:
        later = await exporter.orders(draft["id"], wish, told)
        assert later["number"] == answers[0]["number"]
        state = await exporter.asks("GET", f"/orders/{told}")
        assert (state["state"], state["status"], state["revision"]) == ("done", "DESCRIPTION_COMPLETED", 2)
        assert (await body.asks("GET", f"/orders/{told}"))["state"] == "unknown", "another person's order"
        assert (await exporter.asks("GET", f"/orders/{fresh_key()}"))["state"] == "unknown"
