"""News and letters at the door: each sees his own, and nobody else's."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert

from services.notifications.models import State
from shared.events.base import Event
from shared.kit.outbox import DEAD_LETTER
from tests.services.conftest import NOON
from tests.services.notifications.conftest import CERTIFICATE, PostOffice, signed, submitted


async def test_news_are_read_in_the_readers_language(office: PostOffice) -> None:
    await office.hear(submitted())
    french = (await office.client.get("/news", headers=office.as_("youssef"))).json()
    english = (await office.client.get("/news", headers=office.as_("salma"))).json()
    assert french["items"][0]["title"] == "COI.MA.2026.0000001\u00a0: soumis"
    assert english["items"][0]["title"] == "COI.MA.2026.0000001: submitted"
    assert english["items"][0]["text"] == (
        "You submitted certificate COI.MA.2026.0000001 to ECOCERT SA (démonstration)."
    )
    assert english["items"][0]["link"] == f"https://bordereau.example/certificates/{CERTIFICATE}"
    assert english["unread"] == 1


async def test_what_was_read_stays_read(office: PostOffice) -> None:
    await office.hear(submitted(), submitted(id=uuid4()))
    mine = office.as_("ines")
    page = (await office.client.get("/news", headers=mine)).json()
    assert page["unread"] == 2
    key = page["items"][0]["id"]
    assert (await office.client.post(f"/news/{key}/read", headers=mine)).status_code == 204
    assert (await office.client.post(f"/news/{key}/read", headers=mine)).status_code == 204
    page = (await office.client.get("/news", headers=mine)).json()
    assert (page["unread"], [item["read"] for item in page["items"]]) == (1, [True, False])
    seen = {"until": page["items"][1]["at"]}
    await office.hear(submitted(id=uuid4(), at=NOON + timedelta(minutes=1)))
    assert (await office.client.post("/news/read-all", params=seen, headers=mine)).status_code == 204
    page = (await office.client.get("/news", headers=mine)).json()
    assert [item["read"] for item in page["items"]] == [False, True, True], "what came since was not shown"
    assert (await office.client.post("/news/read-all", headers=mine)).status_code == 204
    assert (await office.client.get("/news", headers=mine)).json()["unread"] == 0


async def test_news_come_page_by_page(office: PostOffice) -> None:
    events: list[Event] = [submitted(id=uuid4()) for _ in range(7)]
    await office.hear(*events)
    seen, after = [], None
    while True:
        query = {"limit": 3} | ({"after": after} if after else {})
        page = (await office.client.get("/news", params=query, headers=office.as_("ines"))).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 7


async def test_nobody_sees_or_reads_anothers_news(office: PostOffice) -> None:
    await office.hear(submitted())
    key = (await office.client.get("/news", headers=office.as_("ines"))).json()["items"][0]["id"]
    answer = await office.client.post(f"/news/{key}/read", headers=office.as_("claire"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    await office.client.post("/news/read-all", headers=office.as_("claire"))
    assert (await office.client.get("/news", headers=office.as_("claire"))).json()["items"] == []
    assert (await office.client.get("/news", headers=office.as_("ines"))).json()["unread"] == 1


async def test_an_organisation_sees_the_letters_to_itself(office: PostOffice) -> None:
    await office.hear(submitted(), signed())
    await office.deliver()
    query = {"certificate_id": CERTIFICATE}
    mine = (await office.client.get("/letters", params=query, headers=office.as_("ines"))).json()["items"]
    assert [(row["letter"], row["state"], row["organisation_id"]) for row in mine] == [("submitted", "SENT", "ecocert")]
    assert mine[0]["subject"] == "COI.MA.2026.0000001\u00a0: à contrôler et à signer"
    assert mine[0]["message_id"] in office.server.ids
    other = {"certificate_id": str(uuid4())}
    assert (await office.client.get("/letters", params=other, headers=office.as_("ines"))).json()["items"] == []
    theirs = (await office.client.get("/letters", params=query, headers=office.as_("claire"))).json()["items"]
    assert [row["letter"] for row in theirs] == ["issued"]
    stranger = office.as_("ines") | {"Acting-For": "pyrenees"}
    assert (await office.client.get("/letters", params=query, headers=stranger)).status_code == 403


async def test_ops_see_the_fate_of_letters_and_have_them_tried_again(office: PostOffice) -> None:
    office.server.answers = ["550 no"]
    await office.hear(submitted())
    await office.deliver()
    ops = office.as_("camille")
    [row] = (await office.client.get("/ops/letters", params={"state": "FAILED"}, headers=ops)).json()["items"]
    assert (row["state"], row["reason"], row["letter"]) == ("FAILED", "refused_550", "submitted")
    assert row["subject"] == "COI.MA.2026.0000001\u00a0: à contrôler et à signer"
    again = await office.client.post(f"/ops/letters/{row['id']}/retry", headers=ops)
    assert again.json()["state"] == "WAITING"
    await office.deliver()
    [row] = (await office.client.get("/ops/letters", headers=ops)).json()["items"]
    assert (row["state"], row["attempts"]) == ("SENT", 2)
    assert (await office.client.post(f"/ops/letters/{row['id']}/retry", headers=ops)).json()["state"] == "SENT"
    assert (await office.client.post(f"/ops/letters/{uuid4()}/retry", headers=ops)).status_code == 404


async def test_ops_see_the_letter_box_without_what_dead_letters_say(office: PostOffice) -> None:
    async with office.around.database.transaction() as session:
        await session.execute(
            insert(DEAD_LETTER).values(
                message_id=uuid4(), publisher="directory", seq=3, subject="x.y.v1", body={"a": 1}, error="KeyError",
                at=NOON,
            )
        )  # fmt: skip
    await office.hear(submitted())
    box = (await office.client.get("/ops/outbox", headers=office.as_("camille"))).json()
    assert box["letters"] == dict.fromkeys(State, 0) | {"WAITING": 1}
    assert [(dead["error"], "body" in dead) for dead in box["dead_letters"]] == [("KeyError", False)]


async def test_to_others_there_is_nothing_behind_the_doors_of_ops(office: PostOffice) -> None:
    for method, path in (("GET", "/ops/letters"), ("GET", "/ops/outbox"), ("POST", f"/ops/letters/{uuid4()}/retry")):
        answer = await office.client.request(method, path, headers=office.as_("ines"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await office.client.request(method, path)).status_code == 401


async def test_a_cursor_nobody_gave_is_refused(office: PostOffice) -> None:
    for cursor in ("x", "eHh4", "AAAA", "é"):
        answer = await office.client.get("/news", params={"after": cursor}, headers=office.as_("ines"))
        assert (answer.status_code, answer.json()["field"]) == (422, "after")
