"""From a new account to *Valid* (guides 001 and 002 §2.2–2.3), through the real everything, with the real letters."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

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
