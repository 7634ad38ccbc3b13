"""The other ways a certificate goes: rejected, conventional, in batches, deleted, copied; and many at the same time."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus

from deploy.local.stack import Stack
from services.certificates import verify
from shared.contracts.certificates import life_id
from shared.kit import temporal
from shared.kit.settings import ServiceSettings
from tests.journeys.people import (
    BODY,
    BORDER,
    CENTRAL,
    CONSIGNEE,
    EXPORTER,
    IMPORTER,
    JSON,
    People,
    Refusal,
    complete,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(stack: Stack) -> Client:
    """The engine as ops see it."""
    settings = ServiceSettings(temporal_address=stack.addresses["temporal"], codec_key_file=stack.var / "codec.key")
    return await temporal.connect(settings, lazy=False)


async def ends(engine: Client, certificate: JSON) -> WorkflowExecutionStatus | None:
    """How the process of this certificate stands, once the engine has said so."""
    return (await engine.get_workflow_handle(life_id(certificate["id"])).describe()).status


# fmt: off
ENDS = (
    # action                 who       after      status                   letter says              to one of    open
    ("reject",               BORDER,   "sign",    "NOT_RELEASED",          "pas de mise en libre",  CONSIGNEE,   False),
    ("release_conventional", BORDER,   "sign",    "RELEASED_CONVENTIONAL", "conventionnel",         CONSIGNEE,   False),
    ("open_batches",         CENTRAL,  "sign",    "BASE_FOR_EXTRACT",      "base",                  IMPORTER,    True),
    ("delete",               BODY,     "submit",  "DELETED",               "supprimé",              EXPORTER,    False),
    ("delete",               BORDER,   "verify",  "DELETED",               "supprimé",              CONSIGNEE,   False),
    ("delete",               CENTRAL,  "verify",  "DELETED",               "supprimé",              IMPORTER,    False),
)
# fmt: on


@pytest.mark.parametrize(
    ("action", "who", "after", "status", "words", "reader", "stays_open"),
    ENDS,
    ids=[f"{row[0]}-{row[1].partition('@')[0]}-after-{row[2]}" for row in ENDS],
)
async def test_another_end(
    stack: Stack,
    people: People,
    engine: Client,
    action: str,
    who: str,
    after: str,
    status: str,
    words: str,
    reader: str,
    stays_open: bool,
) -> None:
    batches = {"release_by_batches": True, "first_consignee": None} if action == "open_batches" else {}
    certificate = await people.brought_to(after, **batches)
    person = await people(who)
    done = await person.does(certificate["id"], action)
    assert done["status"] == status
    assert done["number"] == certificate["number"]
    expected = WorkflowExecutionStatus.RUNNING if stays_open else WorkflowExecutionStatus.COMPLETED

    async def as_expected() -> bool:
        return await ends(engine, certificate) is expected

    await until(as_expected)

    def written() -> bool:
        found = stack.letters.find(certificate["number"])
        return any(words in each.subject.lower() and each.to == (reader,) for each in found)

    await until(written)
    exported = await person.asks("GET", f"/certificates/{certificate['id']}/journal/export")
    assert verify.check(exported) == []
    if action != "open_batches":
        later = await person.sees(certificate["id"])
        assert set(later["may"]["do"]) <= {"copy", "signal_irregularity"}


async def test_a_draft_deleted_leaves_no_trace_for_others(people: People) -> None:
    draft = await people.draft()
    exporter = await people(EXPORTER)
    gone = await exporter.does(draft["id"], "delete")
    assert (gone["status"], gone["number"]) == ("DELETED", None)
    for email in (BODY, IMPORTER, BORDER):
        assert (await (await people(email)).says("GET", f"/certificates/{draft['id']}")).status_code == 404
    assert (await exporter.sees(draft["id"]))["status"] == "DELETED"


async def test_the_body_may_draw_it_up_itself_and_sign_at_once(people: People) -> None:
    body = await people(BODY)
    draft = await body.drafts(complete())
    assert "sign" in draft["may"]["do"]
    signed = await body.does(draft["id"], "sign")
    assert signed["status"] == "ISSUED"
    assert signed["number"].startswith("COI.MA.")


async def test_a_copy_is_a_new_draft_without_loads_and_signatures(people: People) -> None:
    certificate = await people.brought_to("sign")
    exporter = await people(EXPORTER)
    copy = await exporter.asks("POST", f"/certificates/{certificate['id']}/copies")
    assert (copy["status"], copy["number"], copy["signatures"]) == ("DRAFT", None, [])
    assert copy["id"] != certificate["id"]
    assert copy["content"]["importer"] == certificate["content"]["importer"]
    assert "containers" not in copy["content"]
    assert "issuing_declaration" not in copy["content"]
    assert (await exporter.sees(certificate["id"]))["revision"] == certificate["revision"]


async def test_numbers_have_neither_gaps_nor_doubles(people: People, paper: asyncpg.Connection) -> None:
    exporter = await people(EXPORTER)
    before = await paper.fetchval("SELECT last FROM number_series WHERE country = 'MA'") or 0
    drafts = await asyncio.gather(*(people.draft() for _ in range(12)))
    done = await asyncio.gather(*(exporter.does(draft["id"], "submit") for draft in drafts))
    given = sorted(int(each["number"].rpartition(".")[2]) for each in done)
    assert given == list(range(before + 1, before + 13))


async def test_of_two_actors_for_one_move_one_wins_and_the_other_is_told(people: People) -> None:
    """Again and again, on the real engine: whoever is second hears that the certificate has changed."""
    border, central = await people(BORDER), await people(CENTRAL)
    certificates = await asyncio.gather(*(people.brought_to("sign") for _ in range(4)))

    async def race(certificate: JSON) -> None:
        key = certificate["id"]
        wishes = (await border.wish(key, "verify"), await central.wish(key, "reject"))
        answers = await asyncio.gather(
            border.orders(key, wishes[0]), central.orders(key, wishes[1]), return_exceptions=True
        )
        lost = [each for each in answers if isinstance(each, Refusal)]
        won = [each for each in answers if isinstance(each, dict)]
        assert len(lost) == len(won) == 1, answers
        assert lost[0].code in ("stale_revision", "wrong_status")
        assert (await border.sees(key))["status"] == won[0]["status"]
        assert (await border.sees(key))["revision"] == certificate["revision"] + 1

    await asyncio.gather(*(race(certificate) for certificate in certificates))


async def test_the_list_finds_it_by_number_goods_and_turn(people: People) -> None:
    certificate = await people.brought_to("sign")
    border = await people(BORDER)
    for query in (f"text={certificate['number']}", "text=avocats hass", "status=ISSUED", "awaits_me=true"):
        page = await border.asks("GET", f"/certificates?{query}&limit=100")
        assert certificate["id"] in [each["id"] for each in page["items"]], query
    consignee = await people(CONSIGNEE)
    page = await consignee.asks("GET", "/certificates?awaits_me=true&limit=100")
    assert certificate["id"] not in [each["id"] for each in page["items"]]
