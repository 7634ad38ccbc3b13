"""From a new account to *Valid* (guides 001 and 002 §2.2–2.3), through the real everything, with the real letters."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from deploy.local.stack import Stack
from tests.journeys.newcomers import PASSWORD, Newcomer
from tests.journeys.people import BODY, EXPORTER, JSON, OPS, People, Person, Refusal, complete, organisation, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
DIRECTORY = "directory"
INAO, CENTRAL = "desk@inao.example", "supervisor@dgccrf.example"


@pytest_asyncio.fixture(loop_scope="session")
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=30) as client:
        yield client


def company(name: str, **other: Any) -> JSON:
    """A French importer as its buyer types it."""
    mark = uuid4().int % 10**9
    return {
        "name": name,
        "country": "FR",
        "city": "Cahors",
        "postal_code": "46000",
        "address": "3 quai Ségur",
        "contacts": [{"kind": "email", "value": f"contact@cahors-{mark}.example"}],
        "identifiers": [{"type": "EORI", "value": f"FR46{mark:09d}"}],
        "activities": [{"kind": "ORG_IMPORTER", "control_body": organisation("ecocert-fr")}],
        "evidence": {"certificate_number": "FR-BIO-01.250", "file_name": "certificat.pdf", "file": "JVBERi0="},
        "message": "Nous importons du quinoa.",
        **other,
    }


async def steps(person: Person, path: str, action: str, reason: str = "") -> JSON:
    """Looks, and takes a step."""
    seen = await person.asks("GET", path, service=DIRECTORY)
    revision = seen["role"]["revision"] if "role" in seen else seen["revision"]
    wish = {"action": action, "revision": revision, "form": {"reason": reason} if reason else {}}
    return await person.asks("POST", f"{path}/steps", wish, service=DIRECTORY)  # type: ignore[no-any-return]


async def mine(person: Person) -> list[JSON]:
    """My roles and requests."""
    return await person.asks("GET", "/people/me/role-requests", service=DIRECTORY)  # type: ignore[no-any-return]


async def told(stack: Stack, web: httpx2.AsyncClient, email: str, subject: str, name: str) -> str:
    """The text of the letter with this subject that names this organisation."""
    box = Newcomer(stack, web, email)
    return str(
        await until(lambda: next((each.text for each in box.letters(subject) if name in each.text), None), patience=30)
    )


async def member(stack: Stack, web: httpx2.AsyncClient, people: People, where: str, decider: str = INAO) -> Person:
    """Somebody new, whose role in an organisation was validated, signed in with his new post."""
    newcomer = Newcomer(stack, web, f"max+{uuid4().hex[:8]}@tarn.example")
    person = await newcomer.comes_in(first_name="Max", last_name="Weber")
    wish = {"wanted": [{"organisation_id": organisation(where)}]}
    role = (await person.asks("POST", "/role-requests", wish, service=DIRECTORY))[0]
    await steps(await people(decider), f"/role-requests/{role['id']}", "validate")
    return await with_post(person, organisation(where))


async def with_post(person: Person, where: str) -> Person:
    """The same person, once identity has heard of the post."""

    async def heard() -> bool:
        await person.signs_in(PASSWORD)
        return any(each["organisation_id"] == where for each in person.me["posts"])

    await until(heard, every=0.2)
    return person


async def test_an_importer_from_a_new_account_to_valid(stack: Stack, web: httpx2.AsyncClient, people: People) -> None:
    newcomer = Newcomer(stack, web, f"lea+{uuid4().hex[:8]}@lot.example")
    lea = await newcomer.comes_in(first_name="Léa", last_name="Cazals", language="fr")
    assert lea.me["posts"] == []
    refusal = await refused(lea.drafts(complete()))
    assert refusal.status in (403, 404), "a person without a role drafts nothing"

    found = await lea.asks("GET", "/organisations?country=FR&kind=OPERATOR&text=quercy", service=DIRECTORY)
    assert found["items"] == []
    name = f"Quercy Quinoa {uuid4().hex[:6]}"
    made = await lea.asks("POST", "/organisations", company(name), service=DIRECTORY)
    (request,) = await mine(lea)
    assert (request["status"], request["organisation_status"]) == ("REQUESTED", "NEW")
    assert [each["name"].split(" ")[0] for each in request["awaits"]] == ["INAO"]
    assert (request["due"], request["expires_at"] > request["due_at"]) == ("validator_reminded", True)

    inao = await people(INAO)
    await told(stack, web, INAO, "à valider", name)
    early = await refused(steps(inao, f"/role-requests/{made['role_id']}", "validate"))
    assert early.code == "operator_first"
    await steps(inao, f"/proposals/{made['proposal_id']}", "validate")
    await told(stack, web, newcomer.email, "est validé", name)
    await steps(inao, f"/role-requests/{made['role_id']}", "validate")
    letter = await told(stack, web, newcomer.email, "Votre rôle pour", name)
    assert "vous pouvez désormais agir" in letter

    await with_post(lea, made["organisation_id"])
    assert lea.me["posts"][0]["administrator"] is True, "the first validated user administers the company"
    (role,) = await mine(lea)
    assert role["status"] == "VALID"

    async def drafts() -> bool:
        content = {"content": complete() | {"importer": made["organisation_id"]}}
        return (await lea.says("POST", "/certificates", content)).status_code == 201

    await until(drafts, every=0.2)


async def test_an_exporter_joins_an_operator_of_his_control_body(
    stack: Stack, web: httpx2.AsyncClient, people: People
) -> None:
    newcomer = Newcomer(stack, web, f"rachid+{uuid4().hex[:8]}@tafilalet.example")
    rachid = await newcomer.comes_in(first_name="Rachid", last_name="Alaoui", language="fr")
    found = await rachid.asks("GET", "/organisations?country=MA&kind=OPERATOR&text=tafilalet", service=DIRECTORY)
    (where,) = found["items"]
    wish = {"wanted": [{"organisation_id": where["id"]}], "message": "Je tiens les papiers de l’exportation."}
    (request,) = await rachid.asks("POST", "/role-requests", wish, service=DIRECTORY)
    assert [each["code"] for each in request["awaits"]] == ["MA-BIO-154"], "in a third country its control body decides"
    await told(stack, web, BODY, "à valider", where["name"])

    ops, inao = await people(OPS), await people(INAO)
    for stranger in (ops, inao, await people(EXPORTER)):
        assert (await refused(steps(stranger, f"/role-requests/{request['id']}", "validate"))).code == "not_found"
    body = await people(BODY)
    await steps(body, f"/role-requests/{request['id']}", "ask", "Depuis quand ?")
    await told(stack, web, newcomer.email, "question", where["name"])
    await steps(rachid, f"/role-requests/{request['id']}", "answer", "Depuis lundi.")
    await steps(body, f"/role-requests/{request['id']}", "validate")
    await told(stack, web, newcomer.email, "Votre rôle pour", where["name"])
    assert [each["status"] for each in await mine(rachid)] == ["VALID"]


async def refused(wish: Any) -> Refusal:
    """The no that is expected."""
    with pytest.raises(Refusal) as refusal:
        await wish
    return refusal.value


# ── Suspension, mergers and edits, felt by the other services ─────────────────────────────────────────────────────

EVERYWHERE = (
    ("directory", "GET", "/people/me/role-requests", None),
    ("directory", "POST", "/role-requests", {"wanted": [{"organisation_id": organisation("tarn-bio-import")}]}),
    ("certificates", "GET", "/certificates", None),
    ("certificates", "POST", "/certificates", {"content": complete()}),
    ("notifications", "GET", "/news", None),
)


async def test_the_first_request_after_a_suspension_is_refused_everywhere(
    stack: Stack, web: httpx2.AsyncClient, people: People
) -> None:
    max_ = await member(stack, web, people, "tarn-bio-import")
    for service, method, path, _ in EVERYWHERE:
        if method == "GET":
            assert (await max_.says(method, path, service=service)).is_success, path
    (role,) = await mine(max_)
    await steps(await people(INAO), f"/role-requests/{role['id']}", "suspend", "On leave.")
    for service, method, path, body in EVERYWHERE:
        answer = await max_.says(method, path, body, service=service)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended"), (service, path, answer.text)
    session = {"Authorization": f"Session {max_.session}"}
    assert (await web.post(f"{stack.addresses['identity']}/tokens", headers=session)).status_code == 401
    assert (await (await max_.signs_in(PASSWORD)).says("GET", "/certificates")).status_code in (403, 404)
    await told(stack, web, max_.email, "suspended", "Tarn Bio Import")


async def party(paper: asyncpg.Connection, slug: str, status: str) -> str:
    """The event with which the certificates service heard that an organisation stands so."""
    question = "SELECT event_id::text FROM party WHERE id = $1 AND record ->> 'status' = $2"
    return str(await until(lambda: paper.fetchval(question, organisation(slug), status)))


async def standing(person: Person, slug: str, action: str, reason: str) -> None:
    """Suspends or reinstates an organisation."""
    here = f"/organisations/{organisation(slug)}"
    revision = (await person.asks("GET", f"{here}/may", service=DIRECTORY))["revision"]
    wish = {"action": action, "revision": revision, "form": {"reason": reason}}
    await person.asks("POST", f"{here}/steps", wish, service=DIRECTORY)


async def test_an_importer_suspended_after_submission_stops_the_signature(
    people: People, paper: asyncpg.Connection
) -> None:
    inao, body = await people(INAO), await people(BODY)
    certificate = await people.brought_to("submit", importer=organisation("languedoc-bio"))
    await standing(inao, "languedoc-bio", "suspend", "The certificate of the company ran out.")
    await party(paper, "languedoc-bio", "SUSPENDED")
    refusal = await refused(body.does(certificate["id"], "sign"))
    assert ("11", "partner_not_valid") in refusal.missing
    await standing(inao, "languedoc-bio", "reinstate", "It was renewed.")
    relied_on = await party(paper, "languedoc-bio", "VALID")
    await body.does(certificate["id"], "sign")
    *_, line = (await body.asks("GET", f"/certificates/{certificate['id']}/journal"))["lines"]
    assert (line["action"], line["relies_on"][organisation("languedoc-bio")]) == ("sign", relied_on)


async def test_what_is_in_force_is_signed_while_an_edit_waits(people: People, paper: asyncpg.Connection) -> None:
    owner, inao, body = await people("importer@acme.example"), await people(INAO), await people(BODY)
    here = f"/organisations/{organisation('acme-bio-imports')}"
    record = await owner.asks("GET", here, service=DIRECTORY)
    revision = (await owner.asks("GET", f"{here}/may", service=DIRECTORY))["revision"]
    edit = {"revision": revision, "changes": {"name": "ACME Organic Imports"}, "reason": "The company grew."}
    pending = (await owner.asks("PUT", here, edit, service=DIRECTORY))["pending"]
    certificate = await people.brought_to("sign", importer=organisation("acme-bio-imports"))
    assert (await sealed(paper, certificate))["name"] == record["name"]
    await steps(inao, f"/proposals/{pending}", "validate")
    renamed = "SELECT 1 FROM party WHERE record ->> 'name' = 'ACME Organic Imports'"
    await until(lambda: paper.fetchval(renamed))
    assert (await sealed(paper, certificate))["name"] == record["name"], "what was sealed stays"
    later = await people.brought_to("submit", importer=organisation("acme-bio-imports"))
    await body.does(later["id"], "sign")
    assert (await sealed(paper, later))["name"] == "ACME Organic Imports"


async def sealed(paper: asyncpg.Connection, certificate: JSON) -> JSON:
    """The importer as the last sealed document of a certificate shows him."""
    question = "SELECT document FROM sealed WHERE certificate_id = $1 ORDER BY revision DESC LIMIT 1"
    document = json.loads(await paper.fetchval(question, certificate["id"]))
    return document["organisations"][document["content"]["importer"]]  # type: ignore[no-any-return]
