"""Extracts: batches of a certificate, the ledger on its row, who sees what, and twenty importers at once."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from services.certificates import extract_paper, extracts, store, verify, views
from services.certificates.seal import canonical, fingerprint
from shared.contracts.certificate_views import Edit
from shared.contracts.certificates import BatchRecord, BatchRecorded, BatchRing, Order, extract_life_id
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.test_after_signature import NOTICE
from tests.services.certificates.test_store import refused
from tests.services.certificates.world import (
    BELGIAN_POST,
    BODY,
    CENTRE,
    CONSIGNEE,
    CUSTOMS,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    line,
    person,
)

FORMS: dict[str, dict[str, Any]] = {
    "verify": {"remarks": "in order"},
    "receive": {"in_order": True},
    "delete": {"reason": "cut by mistake"},
    "reject": {"reason": "not these goods"},
    "release_conventional": {"reason": "residues"},
    "signal_irregularity": {"notice_reference": "FR-1", "nature": "residues", "legal_aspect": "article 29"},
}
TWO_LINES = [line(), line(2, producer=OTHER_PRODUCER, producer_control_body=world.OTHER_BODY, cn_code="08044000")]


async def base(house: House, **boxes: Any) -> str:
    """A certificate released in batches; its id."""
    certificate = await house.at(Status.ISSUED, first_consignee=None, release_by_batches=True, **boxes)
    await house.move(certificate, "open_batches", POST)
    return certificate


def part(packages: int | None = 10, weight: str = "100", number: int = 1) -> list[dict[str, Any]]:
    """The lines of a batch that takes so much of one line."""
    return [{"id": str(number), "packages": packages, "net_weight": weight}]


async def begun(house: House, certificate: str, by: str = IMPORTER, key: str | None = None, **content: Any) -> str:
    """An extract begun; its id."""
    said = {"consignee": CONSIGNEE, "product_lines": part(), **content}
    async with house.database.transaction() as session:
        row = await extracts.begin(session, certificate, person(by), said, key or fresh(), house.clock())
        return row.id


async def row_of(house: House, extract: str) -> Any:
    """The extract's row."""
    async with house.database.transaction() as session:
        return await extracts.found(session, extract)


async def move(house: House, extract: str, action: str, by: str, key: str | None = None, **more: Any) -> BatchRecorded:
    """One move on paper."""
    async with house.database.transaction() as session:
        row = await extracts.found(session, extract)
        parent = await store.found(session, row.parent_id)
        _, sources = await extracts.facts(session, row, parent, house.clock())
        mark = fingerprint(canonical(extract_paper.document(row, parent, sources)))
    told: dict[str, Any] = {"revision": row.revision, "form": FORMS.get(action, {}), "fingerprint": mark, **more}
    order = Order(action, person(by), **told)
    return await house.pen.extracts.record(BatchRecord(extract, order, key or fresh()))


async def edited(house: House, extract: str, by: str, **changes: Any) -> None:
    """Boxes of an extract filled in."""
    async with house.database.transaction() as session:
        row = await extracts.found(session, extract)
        edit = Edit(revision=row.revision, changes=changes)
        await extracts.edit(session, extract, person(by), edit, fresh(), house.clock())


async def codes(asked: Any) -> set[str]:
    """The codes of the problems an order is refused for."""
    return {each.code for each in (await refused("incomplete", asked))["problems"]}


async def left(house: House, certificate: str) -> list[tuple[int | None, str]]:
    """What is left of each line."""
    page = await house.get(IMPORTER, f"/certificates/{certificate}/extracts")
    return [(each["packages_left"], each["net_weight_left"]) for each in page["left"]]


# ── one life ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_batch_from_its_beginning_to_its_consignees_signature(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    row, parent = await row_of(house, extract), await house.row(certificate)
    assert (row.number, row.status, parent.booked) == (f"{parent.number}-E01", "EXT_NEW", {})
    assert row.content["country_of_destination"] == "FR"
    assert (row.content["operator"], row.content["control_body"]) == (IMPORTER, world.EUROPEAN_BODY)
    await move(house, extract, "submit", IMPORTER)
    assert await left(house, certificate) == [(90, "900.000")]
    await move(house, extract, "verify", POST)
    await move(house, extract, "receive", CONSIGNEE)
    row = await row_of(house, extract)
    assert (row.status, row.due_name) == ("EXT_CONSIGNEE_SIGNED", None)
    shown = await house.get(CONSIGNEE, f"/extracts/{extract}")
    assert [(each["box"], each["action"]) for each in shown["signatures"]] == [("13", "verify"), ("14", "receive")]
    async with house.database.transaction() as session:
        export = await views.export(session, await extracts.found(session, extract))
        whole = await views.export(session, await store.found(session, certificate))
    assert (verify.check(export), verify.check(whole)) == ([], [])
    assert [each["target"] for each in await house.told("extract.moved")] == [
        "EXT_NEW",
        "EXT_SUBMITTED",
        "EXT_VERIFIED",
        "EXT_CONSIGNEE_SIGNED",
    ]


@pytest.mark.parametrize("by", [IMPORTER, FORWARDER, POST, CENTRE])
async def test_importer_forwarder_and_authorities_begin_extracts(house: House, by: str) -> None:
    certificate = await base(house)
    assert (await row_of(house, await begun(house, certificate, by))).creator == by


@pytest.mark.parametrize("by", [EXPORTER, BODY])
async def test_nobody_else_begins_one(house: House, by: str) -> None:
    certificate = await base(house)
    await refused("not_permitted", begun(house, certificate, by))
    await refused("not_found", begun(house, certificate, STRANGER))


async def test_only_a_base_for_extract_is_cut(house: House) -> None:
    certificate = await house.at(Status.ISSUED, first_consignee=None, release_by_batches=True)
    await refused("wrong_status", begun(house, certificate))


async def test_an_authority_that_splits_leaves_the_submission_to_the_importer(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate, POST)
    await refused("not_permitted", move(house, extract, "submit", POST))
    await move(house, extract, "submit", FORWARDER)


async def test_the_same_key_begins_one_extract(house: House) -> None:
    certificate = await base(house)
    key = fresh()
    assert await begun(house, certificate, key=key) == await begun(house, certificate, key=key)
    await refused("key_reused", begun(house, certificate, key=key, product_lines=part(5)))


async def test_the_same_order_told_twice_books_once(house: House) -> None:
    certificate = await base(house)
    order = Order("submit", person(IMPORTER), 1, {}, None)
    key = fresh()
    other = await begun(house, certificate)
    answers = [await house.pen.extracts.record(BatchRecord(other, order, key)) for _ in range(2)]
    assert answers[0].answer == answers[1].answer
    assert await left(house, certificate) == [(90, "900.000")]


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_batch_books_when_it_is_submitted_and_gives_back_when_it_is_deleted(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate, product_lines=part(100, "1000"))
    assert await left(house, certificate) == [(100, "1000.000")]
    await move(house, extract, "submit", IMPORTER)
    assert await left(house, certificate) == [(0, "0.000")]
    assert "nothing_left" in await codes(begun(house, certificate))
    await move(house, extract, "delete", IMPORTER)
    assert await left(house, certificate) == [(100, "1000.000")]
    actions = [each.action for each in await house.journal(certificate)]
    assert actions[-3:] == ["extract", "book_extract", "return_extract"]


@pytest.mark.parametrize(("packages", "weight"), [(91, "100"), (10, "900.001"), (91, "900.001")])
async def test_no_more_is_taken_than_is_left(house: House, packages: int, weight: str) -> None:
    certificate = await base(house)
    await move(house, await begun(house, certificate), "submit", IMPORTER)
    late = await begun(house, certificate, product_lines=part(packages, weight))
    assert await codes(move(house, late, "submit", IMPORTER)) == {"more_than_left"}
    await edited(house, late, IMPORTER, product_lines=part(90, "900"))
    await move(house, late, "submit", IMPORTER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"consignee": None}, "needed"),
        ({"product_lines": []}, "needed"),
        ({"product_lines": part(10, "0")}, "weight_not_positive"),
        ({"product_lines": part(10, "1.2345")}, "weight_too_fine"),
        ({"product_lines": part(0, "1")}, "packages_not_positive"),
        ({"product_lines": part(None, "1")}, "needed"),
        ({"product_lines": part(1, "1", number=7)}, "unknown_line"),
        ({"entry_authority": BELGIAN_POST}, "authority_elsewhere"),
        ({"consignee": EXPORTER}, "outside_union"),
        ({"consignee": POST}, "wrong_kind_of_organisation"),
    ],
)
async def test_a_batch_is_complete_when_it_is_submitted(house: House, changes: dict[str, Any], code: str) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    await edited(house, extract, IMPORTER, **changes)
    assert await codes(move(house, extract, "submit", IMPORTER)) == {code}


async def test_a_certificate_is_depleted_when_everything_is_extracted_and_decided(house: House) -> None:
    certificate = await base(house)
    first = await begun(house, certificate, product_lines=part(60, "600"))
    assert await codes(house.move(certificate, "deplete", POST, form={})) == {"quantity_left", "extracts_open"}
    await move(house, first, "submit", IMPORTER)
    rest = await begun(house, certificate, product_lines=part(40, "400"))
    await move(house, rest, "submit", FORWARDER)
    assert await codes(house.move(certificate, "deplete", POST, form={})) == {"extracts_open"}
    await move(house, first, "verify", POST)
    await move(house, rest, "reject", POST)
    await refused("not_permitted", house.move(certificate, "deplete", IMPORTER, form={}))
    await house.move(certificate, "deplete", CENTRE, form={})
    await move(house, first, "receive", CONSIGNEE)  # what was released goes on
    assert (await house.row(certificate)).status == "DEPLETED"


async def test_twenty_importers_at_once_never_take_more_than_there_is(house: House) -> None:
    certificate = await base(house)
    wish = {"content": {"consignee": CONSIGNEE, "product_lines": part(7, "70.5")}}
    path = f"/certificates/{certificate}/extracts"
    doors = [house.door(IMPORTER if n % 2 else FORWARDER) for n in range(20)]
    answers = await asyncio.gather(
        *(each.post(path, json=wish, headers={"Idempotency-Key": fresh()}) for each in doors)
    )
    assert {each.status_code for each in answers} == {201}
    batches = [each.json()["id"] for each in answers]
    done = await asyncio.gather(
        *(move(house, each, "submit", IMPORTER if n % 2 else FORWARDER) for n, each in enumerate(batches)),
        return_exceptions=True,
    )
    refusals = [each for each in done if isinstance(each, Refused)]
    assert {each.code for each in refusals} == {"incomplete"}
    assert len(done) - len(refusals) == 14  # 14 × 70.5 = 987 of 1000, 98 of 100 packages
    assert await left(house, certificate) == [(2, "13.000")]
    numbers = [row.number[-3:] for row in [await row_of(house, each) for each in batches]]
    assert sorted(numbers) == [f"E{n:02d}" for n in range(1, 21)]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    wishes=some.lists(
        some.tuples(
            some.integers(1, 40),
            some.decimals("0.001", "400", places=3),
            some.sampled_from(["keep", "delete", "verify"]),
        ),
        min_size=2,
        max_size=20,
    )
)
async def test_whatever_is_booked_and_returned_the_sum_is_never_above_the_certificate(
    house: House, wishes: list[tuple[int, Decimal, str]]
) -> None:
    certificate = await base(house)

    async def one(packages: int, weight: Decimal, then: str) -> None:
        extract = await begun(house, certificate, product_lines=part(packages, f"{weight:f}"))
        await move(house, extract, "submit", IMPORTER)
        if then == "delete":
            await move(house, extract, "delete", IMPORTER)
        elif then == "verify":
            await move(house, extract, "verify", POST)

    outcomes = await asyncio.gather(*(one(*wish) for wish in wishes), return_exceptions=True)
    assert all(each is None or isinstance(each, Refused) for each in outcomes), outcomes
    async with house.database.transaction() as session:
        parent = await store.found(session, certificate)
        rows = await extracts.of(session, certificate)
    counted = [row.content["product_lines"][0] for row in rows if row.status not in ("EXT_NEW", "EXT_DELETED")]
    packages = sum(each["packages"] for each in counted)
    weight = sum((Decimal(each["net_weight"]) for each in counted), Decimal(0))
    assert packages <= 100
    assert weight <= Decimal("1000")
    booked = parent.booked.get("1") or {"packages": 0, "net_weight": "0"}
    assert ((booked["packages"] or 0), Decimal(booked["net_weight"])) == (packages, weight)
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert {each.code for each in refusals} <= {"incomplete"}


# ── frozen ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_extracts_are_frozen_while_their_certificate_is_under_an_irregularity(house: House) -> None:
    certificate = await base(house)
    new, waiting, released = [await begun(house, certificate) for _ in range(3)]
    await move(house, waiting, "submit", IMPORTER)
    await move(house, released, "submit", IMPORTER)
    await move(house, released, "verify", POST)
    await house.move(certificate, "signal_irregularity", POST, form=NOTICE)
    await refused("wrong_status", begun(house, certificate))
    for extract, action, by in ((new, "submit", IMPORTER), (waiting, "verify", POST), (waiting, "delete", IMPORTER)):
        await refused("frozen", move(house, extract, action, by))
    await refused("frozen", move(house, released, "receive", CONSIGNEE))
    await refused("frozen", edited(house, new, IMPORTER, product_lines=part(1, "1")))
    shown = await house.get(CONSIGNEE, f"/extracts/{released}")
    assert (shown["frozen"], shown["may"]["do"]) == (True, [])
    await house.move(certificate, "conclude_irregularity", POST, form={"decision": "as_before", "conclusion": "none"})
    await move(house, released, "receive", CONSIGNEE)
    await move(house, waiting, "verify", POST)


async def test_an_irregularity_of_one_batch_leaves_the_others_alone(house: House) -> None:
    certificate = await base(house)
    one, other = [await begun(house, certificate) for _ in range(2)]
    for each in (one, other):
        await move(house, each, "submit", IMPORTER)
        await move(house, each, "verify", POST)
    await refused("not_permitted", move(house, one, "signal_irregularity", IMPORTER))
    await move(house, one, "signal_irregularity", POST)
    await refused("wrong_status", move(house, one, "receive", CONSIGNEE))
    await move(house, other, "receive", CONSIGNEE)
    await move(house, one, "conclude_irregularity", POST, form={"decision": "as_before", "conclusion": "no fault"})
    assert (await row_of(house, one)).status == "EXT_VERIFIED"


# ── who sees what ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_consignee_sees_his_batch_and_never_another(house: House) -> None:
    certificate = await base(house, product_lines=TWO_LINES, gross_weight={"value": "2200", "unit": "KGM"})
    mine = await begun(house, certificate)
    other = await begun(house, certificate, consignee=STRANGER, product_lines=part(5, "50", number=2))
    paths = (f"/extracts/{mine}", f"/extracts/{other}", f"/certificates/{certificate}")

    async def answers(by: str) -> list[int]:
        return [(await house.door(by).get(path)).status_code for path in paths]

    assert await answers(CONSIGNEE) == [404, 404, 404]  # not submitted yet
    await move(house, mine, "submit", IMPORTER)
    await move(house, other, "submit", IMPORTER)
    assert await answers(CONSIGNEE) == [200, 404, 404]
    assert await answers(STRANGER) == [404, 200, 404]
    assert await answers(IMPORTER) == [200, 200, 200]
    assert await answers(CUSTOMS) == [200, 200, 200]
    assert (await answers(EXPORTER))[:2] == [404, 404]
    shown = await house.get(CONSIGNEE, f"/extracts/{mine}")
    assert [each["id"] for each in shown["parent"]["content"]["product_lines"]] == ["1"]
    assert shown["parent"]["content"]["producers"] == [PRODUCER]
    assert (shown["left"], shown["parent"]["whole"]) == ([], False)
    assert not {"gross_weight", "containers", "responsible_for_load"} & shown["parent"]["content"].keys()
    assert OTHER_PRODUCER not in shown["parties"]
    assert [each["id"] for each in (await house.get(CONSIGNEE, "/extracts"))["items"]] == [mine]
    assert len((await house.get(IMPORTER, f"/certificates/{certificate}/extracts"))["items"]) == 2
    assert (await house.get(EXPORTER, f"/certificates/{certificate}/extracts"))["items"] == []


async def test_whose_turn_it_is(house: House) -> None:
    extract = await begun(house, await base(house))
    await move(house, extract, "submit", IMPORTER)
    for by, turn in ((POST, 1), (IMPORTER, 0), (CONSIGNEE, 0)):
        assert len((await house.get(by, "/extracts", awaits_me=True))["items"]) == turn
    await move(house, extract, "verify", CENTRE)
    assert len((await house.get(CONSIGNEE, "/extracts", awaits_me=True))["items"]) == 1


async def test_the_goods_are_traced_both_ways(house: House) -> None:
    certificate = await base(house, product_lines=TWO_LINES, gross_weight={"value": "2200", "unit": "KGM"})
    first = await begun(house, certificate)
    second = await begun(house, certificate, consignee=STRANGER, product_lines=part(5, "50", number=2))
    for each in (first, second):
        await move(house, each, "submit", IMPORTER)
    back = await house.get(CONSIGNEE, f"/extracts/{first}/trace")
    assert [(each["role"], each["organisation"]["id"]) for each in back["steps"]] == [
        ("producer", PRODUCER),
        ("producer_control_body", BODY),
        ("exporter", EXPORTER),
        ("issuing_body", BODY),
        ("importer", IMPORTER),
        ("entry_authority", POST),
        ("entry_authority", POST),
        ("consignee", CONSIGNEE),
    ]
    forth = await house.get(POST, f"/certificates/{certificate}/trace")
    assert [each["organisation"]["id"] for each in forth["steps"] if each["role"] == "consignee"] == [
        CONSIGNEE,
        STRANGER,
    ]
    hidden = await house.get(EXPORTER, f"/certificates/{certificate}/trace")
    assert "consignee" not in {each["role"] for each in hidden["steps"]}


# ── at the door ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_extract_at_the_door(house: House) -> None:
    certificate = await base(house)
    answer = await house.door(IMPORTER).post(
        f"/certificates/{certificate}/extracts",
        json={"content": {"consignee": CONSIGNEE}},
        headers={"Idempotency-Key": fresh()},
    )
    assert answer.status_code == 201, answer.text
    extract = answer.json()
    assert extract["may"]["do"] == ["delete", "submit"]
    assert [each["code"] for each in extract["problems"]] == ["needed"]
    answer = await house.door(IMPORTER).put(
        f"/extracts/{extract['id']}/boxes",
        json={"revision": 1, "changes": {"product_lines": part()}},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["problems"]) == (200, [])
    key = fresh()
    for _ in range(2):
        answer = await house.door(IMPORTER).post(
            f"/extracts/{extract['id']}/actions",
            json={"action": "submit", "revision": 2},
            headers={"Idempotency-Key": key},
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "EXT_SUBMITTED"), answer.text
    state = await house.get(IMPORTER, f"/orders/{key}")
    assert (state["extract_id"], state["certificate_id"], state["status"]) == (extract["id"], None, "EXT_SUBMITTED")
    shown = await house.get(POST, f"/extracts/{extract['id']}/confirmation", action="verify")
    answer = await house.door(POST).post(
        f"/extracts/{extract['id']}/actions",
        json={"action": "verify", "revision": shown["revision"], "fingerprint": shown["fingerprint"], "form": {}},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "EXT_VERIFIED"), answer.text
    assert len((await house.get(POST, f"/extracts/{extract['id']}/journal"))["lines"]) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"importer": IMPORTER}, "importer"),
        ({"consignee": 5}, "consignee"),
        ({"consignee": world.identity(997)}, "consignee"),
        ({"product_lines": {}}, "product_lines"),
        ({"product_lines": [{"id": "1", "lot": "X"}]}, "product_lines[0].lot"),
        ({"product_lines": [{"id": "1", "net_weight": 5}]}, "product_lines[0].net_weight"),
        ({"product_lines": [{"id": "1"}, {"id": "1"}]}, "product_lines"),
    ],
)
async def test_bad_input_is_refused_with_its_field(house: House, changes: dict[str, Any], field: str) -> None:
    extract = await begun(house, await base(house))
    answer = await house.door(IMPORTER).put(
        f"/extracts/{extract}/boxes",
        json={"revision": 1, "changes": changes},
        headers={"Idempotency-Key": fresh()},
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
    assert (await row_of(house, extract)).revision == 1


async def test_what_is_no_extract_is_not_there(house: House) -> None:
    certificate = await base(house)
    for wrong in (certificate, world.identity(999), "x", "E01"):
        for path in ("", "/trace", "/journal", "/confirmation?action=verify"):
            assert (await house.door(IMPORTER).get(f"/extracts/{wrong}{path}")).status_code == 404


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_consignee_of_a_batch_is_reminded_three_times(house: House) -> None:
    extract = await begun(house, await base(house))
    await move(house, extract, "submit", IMPORTER)
    await move(house, extract, "verify", POST)
    rung = []
    while due := (await house.pen.extracts.look(extract)).due:
        house.clock.time = due.at
        await house.pen.extracts.ring(BatchRing(extract, due))
        await house.pen.extracts.ring(BatchRing(extract, due))
        rung.append(due.name)
    assert rung == ["extract_reception_first", "extract_reception_last", "extract_reception_over"]
    told = await house.told("extract.clock_rang")
    assert [each["clock"] for each in told] == rung
    assert POST in told[-1]["concerns"]


# ── an answer that was lost ───────────────────────────────────────────────────────────────────────────────────────


async def wakes(house: House, extract: str) -> int:
    """How many calls wait to wake the extract's process."""
    query = "SELECT count(*) FROM outbox WHERE target = :t AND kind = 'wake' AND done_at IS NULL"
    return int(await house.one(query, t=extract_life_id(extract)))


async def test_a_move_whose_answer_was_lost_is_heard_of_when_it_is_told_again(house: House) -> None:
    extract = await begun(house, await base(house))
    key = fresh()
    await move(house, extract, "submit", IMPORTER, key=key, fingerprint=None)
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    headers = {"Idempotency-Key": key}
    wish = {"action": "submit", "revision": 1}
    for forward, expected in ((0, 1), (120, 0)):
        house.clock.forward(minutes=forward)
        answer = await house.door(IMPORTER).post(f"/extracts/{extract}/actions", json=wish, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (200, "EXT_SUBMITTED")
        assert await wakes(house, extract) == expected
        await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")


async def test_who_starts_again_wakes_the_extracts_that_changed_last(house: House) -> None:
    certificate = await base(house)
    old, new = await begun(house, certificate), await begun(house, certificate)
    house.clock.forward(hours=1)
    await move(house, new, "submit", IMPORTER)
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    async with house.database.transaction() as session:
        assert await extracts.latest(session) == 1
    assert (await wakes(house, old), await wakes(house, new)) == (0, 1)
