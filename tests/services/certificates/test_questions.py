"""Questions on a certificate: who asks whom, both sides write, all parties read, all of it in the journal."""

import json
from typing import Any

import httpx2
import pytest

from services.certificates.verify import check
from shared.rules.permissions import Tie
from shared.rules.questions import ASKING, Ask, may_ask
from shared.rules.status import Status
from tests.services.certificates import papers, world
from tests.services.certificates.conftest import JSON, House, fresh
from tests.services.certificates.test_documents import send


async def say(house: House, by: str, path: str, said: dict[str, Any], key: str | None = None) -> httpx2.Response:
    """Something said about questions."""
    headers = {"Idempotency-Key": key or fresh(), **JSON}
    return await house.door(by).post(path, content=json.dumps(said), headers=headers)


async def asked(house: House, by: str, certificate_id: str, of: str, **said: Any) -> dict[str, Any]:
    """A question that may be asked, as it is shown afterwards."""
    wish = {"asked_of": of, "text": "Is the weight right?", **said}
    answer = await say(house, by, f"/certificates/{certificate_id}/questions", wish)
    assert answer.status_code == 201, answer.text
    newest: dict[str, Any] = answer.json()["items"][0]
    return newest


@pytest.mark.parametrize("status", list(Status))
def test_who_may_ask_whom_is_a_table(status: Status) -> None:
    for kind in Ask:
        for mine in Tie:
            for theirs in Tie:
                rows = [row for row in ASKING if row.kind is kind and mine in row.who and theirs in row.whom]
                allowed = any(status in row.at for row in rows)
                assert may_ask(kind, status, frozenset({mine}), frozenset({theirs})) is allowed
    assert not may_ask(Ask.QUESTION, Status.DRAFT, frozenset(Tie), frozenset(Tie))


async def test_the_body_asks_for_a_correction_and_gets_an_answer_with_a_file(house: House) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    here = f"/certificates/{certificate_id}"
    before = (await house.row(certificate_id)).revision
    question = await asked(house, world.BODY, certificate_id, world.EXPORTER, kind="correction", field="gross_weight")
    assert (question["number"], question["waits_for"], question["may_settle"]) == (1, world.EXPORTER, True)
    assert (await house.get(world.EXPORTER, here))["questions"] == 1
    file = (await send(house, world.EXPORTER, certificate_id, papers.pdf(), "pesee.pdf")).json()
    path = f"{here}/questions/{question['id']}"
    answer = await say(house, world.EXPORTER, f"{path}/messages", {"text": "1 200 kg", "upload": file["id"]})
    assert answer.status_code == 201, answer.text
    (seen,) = (await house.get(world.BODY, f"{here}/questions"))["items"]
    assert [(each["text"], each["organisation_id"]) for each in seen["messages"]] == [
        ("Is the weight right?", world.BODY),
        ("1 200 kg", world.EXPORTER),
    ]
    assert (seen["waits_for"], seen["messages"][1]["file"]["name"]) == (world.BODY, "pesee.pdf")
    assert (await house.door(world.BODY).get(f"{here}/files/{file['id']}")).status_code == 200
    assert (await say(house, world.EXPORTER, f"{path}/settlement", {})).status_code == 403
    assert (await say(house, world.BODY, f"{path}/settlement", {})).status_code == 200
    assert (await say(house, world.EXPORTER, f"{path}/messages", {"text": "One more"})).status_code == 403
    assert (await house.get(world.EXPORTER, here))["questions"] == 0
    told = [(each["step"], each["by"], each["to"]) for each in await house.told("question_written")]
    assert told == [
        ("asked", world.BODY, world.EXPORTER),
        ("answered", world.EXPORTER, world.BODY),
        ("settled", world.BODY, world.EXPORTER),
    ]
    lines = (await house.journal(certificate_id))[-3:]
    assert [line.action for line in lines] == ["question_asked", "question_answered", "question_settled"]
    assert (lines[0].form["field"], lines[1].form["sha256"]) == ("gross_weight", file["sha256"])
    assert {line.revision for line in lines} == {before} == {(await house.row(certificate_id)).revision}
    export = await house.get(world.BODY, f"{here}/journal/export")
    assert check(export) == []


async def test_told_twice_it_is_asked_once(house: House) -> None:
    certificate_id, key = await house.at(Status.ISSUED), fresh()
    wish = {"asked_of": world.BODY, "text": "Which lot?"}
    for _ in range(2):
        answer = await say(house, world.POST, f"/certificates/{certificate_id}/questions", wish, key)
        assert (answer.status_code, len(answer.json()["items"])) == (201, 1)


async def test_what_may_not_be_asked_leaves_nothing(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    correction = {"asked_of": world.BODY, "kind": "correction"}
    for by, said, status, code in (
        (world.POST, {"asked_of": world.STRANGER}, 403, "not_permitted"),
        (world.POST, {"asked_of": world.POST}, 403, "not_permitted"),
        (world.IMPORTER, {**correction, "field": "transport"}, 403, "not_permitted"),
        (world.POST, correction, 422, "incomplete"),
        (world.POST, {"asked_of": world.BODY, "field": "no_such_box"}, 422, "invalid"),
        (world.POST, {"asked_of": world.BODY, "text": "  "}, 422, "incomplete"),
        (world.POST, {"asked_of": world.BODY, "upload": fresh()}, 422, "invalid"),
        (world.STRANGER, {"asked_of": world.BODY}, 404, "not_found"),
    ):
        answer = await say(house, by, f"/certificates/{certificate_id}/questions", {"text": "Why?", **said})
        assert (answer.status_code, answer.json()["code"]) == (status, code), said
    assert await house.one("SELECT count(*) FROM question") == 0


async def test_a_draft_has_nobody_to_ask_and_strangers_read_nothing(house: House) -> None:
    draft, issued = await house.draft(), await house.at(Status.ISSUED)
    path = f"/certificates/{draft}/questions"
    assert (await house.get(world.EXPORTER, path))["may_ask"] == []
    answer = await say(house, world.EXPORTER, path, {"asked_of": world.BODY, "text": "Why?"})
    assert answer.status_code == 403
    await asked(house, world.CONSIGNEE, issued, world.IMPORTER)
    assert len((await house.get(world.FORWARDER, f"/certificates/{issued}/questions"))["items"]) == 1
    for outsider in (world.STRANGER, world.CUSTOMS):
        assert (await house.door(outsider).get(f"/certificates/{issued}/questions")).status_code == 404
