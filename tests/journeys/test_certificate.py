"""The guide's story through the real everything: from a draft in Agadir to box 21, and all that it leaves behind.

The story is played once; every test looks at one of its traces.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus

from deploy.local.mailbox import Letter
from deploy.local.stack import Stack
from services.certificates import verify
from shared.contracts.certificates import life_id
from shared.kit import temporal
from shared.kit.settings import ServiceSettings
from tests.journeys.people import (
    BODY,
    BORDER,
    CONSIGNEE,
    DEMO,
    EXPORTER,
    IMPORTER,
    JSON,
    STORY,
    STRANGER,
    People,
    born,
    boxes,
    organisation,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACCOUNTS: Final = json.loads((DEMO / "accounts.json").read_text())["accounts"]
ORGANISATIONS: Final = json.loads((DEMO / "organisations.json").read_text())["organisations"]

# fmt: off
EXPECTED: Final = (
    # letter       words of its subject in both           to the people of
    ("submitted", "à contrôler", "please check",         ("ecocert-ma",)),
    ("issued",    "délivré",     "issued",               ("perpignan", "pyrenees-bio-import", "atlas-bio-export",
                                                          "garonne-bio", "ecocert-fr")),
    ("verified",  "vérifié",     "consignment verified", ("garonne-bio", "pyrenees-bio-import", "ecocert-ma",
                                                          "atlas-bio-export")),
    ("received",  "reçu",        "received",             ("pyrenees-bio-import", "perpignan", "ecocert-ma")),
)
# fmt: on


def people_of(slugs: tuple[str, ...]) -> dict[str, str]:
    """E-mail address -> language of everybody with a role there."""
    return {
        each["email"]: each["language"]
        for each in ACCOUNTS
        if any(grant["organisation"] in slugs for grant in each["grants"])
    }


@dataclass
class Played:
    """The story as it was answered, step by step."""

    id: str
    number: str
    answers: list[JSON] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(people: People) -> Played:
    """Draft, box by box; submitted, signed, verified, received."""
    exporter = await people(EXPORTER)
    certificate = await exporter.drafts(born())
    answers = [certificate]
    assert certificate["problems"], "boxes 7 to 12 are missing"
    for box in boxes():
        certificate = await exporter.edits(certificate["id"], certificate["revision"], **box)
        answers.append(certificate)
    assert not [each for each in certificate["problems"] if each["severity"] == "error"]
    for email, action in STORY:
        person = await people(email)
        seen = await person.sees(certificate["id"])
        assert action in seen["may"]["do"]
        certificate = await person.does(certificate["id"], action)
        answers.append(certificate)
    return Played(certificate["id"], certificate["number"], answers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(stack: Stack) -> Client:
    """The engine as ops see it, with our key."""
    settings = ServiceSettings(temporal_address=stack.addresses["temporal"], codec_key_file=stack.var / "codec.key")
    return await temporal.connect(settings, lazy=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def letters(stack: Stack, played: Played) -> AsyncIterator[list[Letter]]:
    """The letters about this certificate, once all that are expected have come."""
    expected = sum(len(people_of(slugs)) for *_, slugs in EXPECTED)
    await until(lambda: len(stack.letters.find(played.number)) >= expected)
    found = [stack.letters.get(each.id) for each in stack.letters.find(played.number)]
    yield [each for each in found if each is not None]


async def test_the_certificate_went_through_its_statuses_and_has_its_number(played: Played) -> None:
    year = datetime.fromisoformat(played.answers[0]["created_at"]).year
    assert re.fullmatch(rf"COI\.MA\.{year}\.\d{{7}}", played.number)
    assert [each["status"] for each in played.answers[-5:]] == [
        "DRAFT",
        "DESCRIPTION_COMPLETED",
        "ISSUED",
        "CONSIGNMENT_VERIFIED",
        "FIRST_CONSIGNEE_SIGNED",
    ]
    assert [each["revision"] for each in played.answers] == list(range(1, len(played.answers) + 1))
    assert all(each["number"] is None for each in played.answers if each["status"] == "DRAFT")


async def test_three_signatures_stand_in_their_boxes(people: People, played: Played) -> None:
    certificate = await (await people(IMPORTER)).sees(played.id)
    signed = [(each["box"], each["person"], each["organisation"]["id"]) for each in certificate["signatures"]]
    assert signed == [
        ("18", "Hélène Castan", organisation("ecocert-ma")),
        ("20", "Jordi Puig", organisation("perpignan")),
        ("21", "Luc Marty", organisation("garonne-bio")),
    ]
    assert certificate["awaited"] is None
    assert certificate["may"] == {"edit": [], "do": ["copy", "signal_irregularity"]}


async def test_whoever_it_names_sees_it_and_nobody_else(people: People, played: Played) -> None:
    for email in (EXPORTER, BODY, IMPORTER, BORDER, CONSIGNEE):
        assert (await (await people(email)).sees(played.id))["number"] == played.number
    stranger = await people(STRANGER)
    for path in ("", "/journal", "/journal/export", "/confirmation?action=sign"):
        assert (await stranger.says("GET", f"/certificates/{played.id}{path}")).status_code == 404
    page = await stranger.asks("GET", f"/certificates?text={played.number}")
    assert page["items"] == []


@pytest.mark.parametrize(("letter", "french", "english", "slugs"), EXPECTED, ids=[row[0] for row in EXPECTED])
async def test_the_right_people_get_a_letter_in_their_language(
    played: Played, letters: list[Letter], letter: str, french: str, english: str, slugs: tuple[str, ...]
) -> None:
    mine = [each for each in letters if french in each.summary.subject or english in each.summary.subject]
    recipients = people_of(slugs)
    assert sorted(each.summary.to[0] for each in mine) == sorted(recipients), letter
    for each in mine:
        (to,) = each.summary.to
        language = recipients[to]
        message = message_of(each)
        assert message["Content-Language"] == language
        assert (french if language == "fr" else english) in each.summary.subject
        assert played.number in each.summary.subject
        assert played.number in each.text


async def test_a_letter_has_exactly_one_link_and_it_leads_to_the_certificate(
    stack: Stack, played: Played, letters: list[Letter]
) -> None:
    target = f"{stack.url('portal')}/certificates/{played.id}"
    for each in letters:
        assert each.links == (target,), each.summary.subject
        assert len(re.findall(r"https?://", each.text)) == 1
        assert set(re.findall(r'(?:href|src)="([^"]*)"', each.html)) == {target}


async def test_every_letter_has_a_message_id_of_its_own(letters: list[Letter]) -> None:
    ids = [each.summary.message_id for each in letters]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"<[0-9a-f-]{36}@letters\.bordereau\.example>", each) for each in ids)


async def test_nobody_is_written_to_about_his_own_deed(letters: list[Letter]) -> None:
    signed = [each for each in letters if "délivré" in each.summary.subject or "issued" in each.summary.subject]
    assert signed
    assert not [each for each in signed if each.summary.to[0].endswith("@ecocert.example")]


async def test_the_news_tell_the_same_in_the_portal(people: People, played: Played, letters: list[Letter]) -> None:
    importer = await people(IMPORTER)
    page = await importer.asks("GET", "/news", service="notifications")
    mine = [each for each in page["items"] if each["certificate_id"] == played.id]
    assert [each["letter"] for each in mine] == ["received", "verified", "issued"]
    assert all(played.number in each["title"] and not each["read"] for each in mine)
    assert (await importer.says("POST", f"/news/{mine[0]['id']}/read", service="notifications")).status_code == 204
    page = await importer.asks("GET", "/news", service="notifications")
    assert [each["read"] for each in page["items"] if each["certificate_id"] == played.id] == [True, False, False]


async def test_the_creator_hears_in_the_portal_that_his_draft_was_submitted(people: People, played: Played) -> None:
    page = await (await people(EXPORTER)).asks("GET", "/news", service="notifications")
    assert "submitted-receipt" in [each["letter"] for each in page["items"] if each["certificate_id"] == played.id]


# ── The journal ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_journal_says_who_did_what_for_whom(people: People, played: Played) -> None:
    journal = await (await people(IMPORTER)).asks("GET", f"/certificates/{played.id}/journal")
    assert [line["action"] for line in journal["lines"]] == [
        "create",
        *("amend" for _ in boxes()),
        "submit",
        "sign",
        "verify",
        "receive",
    ]
    assert [line["person"] for line in journal["lines"][-4:]] == [
        "Youssef Amrani",
        "Hélène Castan",
        "Jordi Puig",
        "Luc Marty",
    ]
    assert journal["length"] == len(journal["lines"])


async def test_the_exported_journal_is_in_order_for_a_verifier_that_knows_nothing_of_us(
    people: People, played: Played, tmp_path: Path
) -> None:
    answer = await (await people(IMPORTER)).says("GET", f"/certificates/{played.id}/journal/export")
    file = tmp_path / "journal.json"
    file.write_bytes(answer.content)
    assert verify.main([str(file)]) == 0
    assert verify.check(answer.json()) == []


async def test_the_verifier_finds_what_was_falsified(people: People, played: Played) -> None:
    answer = await (await people(IMPORTER)).says("GET", f"/certificates/{played.id}/journal/export")

    def exported() -> Any:
        return json.loads(answer.text)

    flipped = exported()
    flipped["lines"][-1]["person"] = "Luc Martу"  # one letter is Cyrillic
    removed = exported()
    del removed["lines"][3]
    shortened = exported()
    del shortened["lines"][-1]
    swapped = exported()
    swapped["lines"][2:4] = reversed(swapped["lines"][2:4])
    resealed = exported()
    mark = next(line["seal"]["statement"]["fingerprint"] for line in resealed["lines"] if line["seal"])
    resealed["documents"][mark] = resealed["documents"][mark].replace("1920.000", "1930.000")
    foreign = exported()
    seals = [line for line in foreign["lines"] if line["seal"]]
    seals[0]["seal"]["signature"] = seals[1]["seal"]["signature"]
    for falsified in (flipped, removed, shortened, swapped, resealed, foreign):
        assert verify.check(falsified)


# ── The engine, as ops see it ─────────────────────────────────────────────────────────────────────────────────


async def test_the_process_has_ended_with_its_last_status(engine: Client, played: Played) -> None:
    handle = engine.get_workflow_handle(life_id(played.id))

    async def ended() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    await until(ended)
    assert await handle.result() == "FIRST_CONSIGNEE_SIGNED"


async def test_the_timeline_names_actions_boxes_and_organisations(engine: Client, played: Played) -> None:
    history = await engine.get_workflow_handle(life_id(played.id)).fetch_history()
    updates = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    ]
    assert updates == ["submit", "sign", "verify", "receive"]
    said = []
    for event in history.events:
        if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            said += await engine.data_converter.decode([event.user_metadata.summary])
    steps = [each for each in said if "revision" in each]
    expected = (
        (f"submit · revision {len(boxes()) + 1} · ", "Atlas Bio Export"),
        (f"sign · box 18 · revision {len(boxes()) + 2} · ", "ECOCERT SA"),
        (f"verify · box 20 · revision {len(boxes()) + 3} · ", "Perpignan"),
        (f"receive · box 21 · revision {len(boxes()) + 4} · ", "Garonne Bio"),
    )
    for step, (what, who) in zip(steps, expected, strict=True):
        assert step.startswith(what + who)


async def test_an_open_process_says_what_it_waits_for(engine: Client, people: People) -> None:
    certificate = await people.brought_to("sign")
    handle = engine.get_workflow_handle(life_id(certificate["id"]))
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    said = metadata.current_details
    assert f"{certificate['number']} · ISSUED" in said
    assert "sign box 20" in said
    assert "whose turn: Perpignan" in said
    assert "since: " in said
    until_when = datetime.fromisoformat(certificate["awaited"]["until"])
    assert f"until: {until_when:%Y-%m-%d %H:%M} UTC" in said
    assert "then: " in said


async def test_ops_find_processes_by_status_turn_and_deadline(engine: Client, people: People) -> None:
    certificate = await people.brought_to("sign")
    turn = organisation("perpignan")
    wanted = f"CertificateStatus = 'ISSUED' AND Awaited = '{turn}' AND NextDeadline > '2020-01-01T00:00:00Z'"

    async def listed() -> bool:
        return life_id(certificate["id"]) in [each.id async for each in engine.list_workflows(wanted)]

    await until(listed)


SECRETS: Final = sorted(
    {each["email"] for each in ACCOUNTS}
    | {f"{each['first_name']} {each['last_name']}" for each in ACCOUNTS}
    | {each["last_name"] for each in ACCOUNTS if len(each["last_name"]) > 5}
    | {each["name"] for each in ORGANISATIONS}
    | {"Avocats Hass", "MSKU1234565", "MV Agadir", "The seal is broken"}
)


async def test_no_name_stands_in_clear_in_any_history(engine: Client, played: Played) -> None:
    seen = 0
    async for each in engine.list_workflows():
        history = await engine.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()
        text = history.to_json()
        assert each.workflow_type in text, "what stands in clear is looked at"
        assert not [name for name in SECRETS if name in text or json.dumps(name)[1:-1] in text]
        seen += 1
    assert seen


async def test_no_name_stands_in_clear_in_the_engines_file(stack: Stack, played: Played) -> None:
    files = sorted((stack.var / "temporal").glob("temporal.db*"))
    stored = b"".join(file.read_bytes() for file in files)
    assert life_id(played.id).encode() in stored, "this is where histories lie"
    assert b"certificates.record" in stored
    for name in SECRETS:
        assert name.encode() not in stored, name


async def test_no_name_stands_in_a_log(stack: Stack, played: Played, letters: list[Letter]) -> None:
    for file in sorted((stack.var / "log").iterdir()):
        text = file.read_text(errors="replace")
        assert not [name for name in SECRETS if name in text], file.name


async def test_the_row_and_its_certificate_agree(paper: asyncpg.Connection, played: Played) -> None:
    row = await paper.fetchrow("SELECT * FROM certificate WHERE id = $1", played.id)
    assert row is not None
    assert (row["status"], row["number"], row["revision"]) == (
        "FIRST_CONSIGNEE_SIGNED",
        played.number,
        played.answers[-1]["revision"],
    )
    assert row["due_at"] is None
    assert row["journal_length"] == row["revision"]


def message_of(letter: Letter) -> EmailMessage:
    """A letter's headers and parts."""
    message = message_from_bytes(letter.raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
