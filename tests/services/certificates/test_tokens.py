"""Access tokens at the doors of the certificates service: what each scope opens, and whom the journal names."""

import re
from typing import Any

from fastapi.routing import APIRoute

from services.certificates.scopes import SCOPES
from shared.contracts.machines import Scope
from shared.kit.sessions import Post
from shared.rules.status import Status
from tests.services.certificates.batches import base, begun
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.test_strangers import BODIES
from tests.services.certificates.world import BELGIAN_CUSTOMS, CUSTOMS, EXPORTER, STRANGER, boxes, identity, person
from tests.services.conftest import PassportOffice


async def asked(
    house: House, passports: PassportOffice, method: str, path: str, *scopes: str, by: str = EXPORTER, **body: Any
) -> Any:
    """The answer to a program with a fresh token of these scopes."""
    post = Post(by, person(by).role_type)
    headers = {**passports.token(post, *scopes, name="ERP"), "Idempotency-Key": fresh(), "Accept-Language": "en"}
    return await house.visit(house.app).request(method, path, json=body or None, headers=headers)


async def test_each_scope_opens_its_doors_and_no_other(house: House, passports: PassportOffice) -> None:
    certificate_id = await house.draft()
    row = await house.row(certificate_id)
    doors: tuple[Any, ...] = (
        ("GET", "/certificates", "read", {}),
        ("POST", "/certificates", "draft", {"content": boxes()}),
        ("POST", f"/certificates/{certificate_id}/actions", "act", {"action": "submit", "revision": row.revision}),
    )
    for method, path, needed, body in doors:
        for scope in Scope:
            if scope != needed:
                refused = await asked(house, passports, method, path, scope, **body)
                assert (refused.status_code, refused.json()["code"]) == (403, "not_in_scope"), (path, scope)
        answer = await asked(house, passports, method, path, needed, **body)
        assert answer.status_code in (200, 201), answer.text


async def test_the_journal_names_the_token(house: House, passports: PassportOffice) -> None:
    made = await asked(house, passports, "POST", "/certificates", "draft", content=boxes())
    (line,) = await house.journal(made.json()["id"])
    assert (line.person, line.organisation_id) == ("ERP", EXPORTER)
    assert line.person_id in {each["id"] for each in passports.bearers.values()}


async def test_a_program_never_signs(house: House, passports: PassportOffice) -> None:
    certificate_id = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate_id, "sign", boxes()["issuing_body"])
    wish = {"action": "sign", "revision": order.revision, "form": order.form, "fingerprint": order.fingerprint}
    path = f"/certificates/{certificate_id}/actions"
    refused = await asked(house, passports, "POST", path, "act", by=boxes()["issuing_body"], **wish)
    assert (refused.status_code, refused.json()["code"]) == (401, "proof_needed")


async def test_a_token_of_customs_writes_off(house: House, passports: PassportOffice) -> None:
    await house.at(Status.CONSIGNMENT_VERIFIED)
    path = "/customs/coi/COI.MA.2026.0000001"
    assert (await asked(house, passports, "GET", path, "read", by=CUSTOMS)).json()["may_write_off"] is True
    take = {"declaration": "26FR1", "lines": [{"line": "1", "net_weight": "1"}]}
    assert (await asked(house, passports, "POST", f"{path}/write-offs", "read", by=CUSTOMS, **take)).status_code == 403
    assert (await asked(house, passports, "POST", f"{path}/write-offs", "act", by=CUSTOMS, **take)).status_code == 201


async def test_doors_that_are_no_row_are_closed_to_programs(house: House, passports: PassportOffice) -> None:
    for path in ("/searches", "/webhooks", f"/ops/certificates/{identity(99)}", "/ops/outbox"):
        refused = await asked(house, passports, "GET", path, *Scope)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_in_scope"), path


async def test_a_token_nobody_minted_is_nobody(house: House) -> None:
    client = house.visit(house.app)
    answer = await client.get("/certificates", headers={"Authorization": "Bearer bdx_nobody"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_token_of_another_organisation_hears_at_every_door_what_it_hears_of_nothing(
    house: House, passports: PassportOffice
) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    mine = {
        "{certificate_id}": certificate,
        "{extract_id}": extract,
        "{number}": (await house.row(certificate)).number or "",
    }
    looked = 0
    for who in (STRANGER, BELGIAN_CUSTOMS):
        headers = passports.token(Post(who, person(who).role_type), *Scope)
        client = house.visit(house.app)
        for method, path in SCOPES:
            hole = next((each for each in mine if each in path), None)
            if hole is None:
                continue
            body = next((each for end, each in BODIES.items() if path.endswith(end)), {}) if method != "GET" else None
            said = []
            for known in (mine[hole], identity(999)):
                where = re.sub(r"\{\w+\}", identity(998), path.replace(hole, known).replace("{format}", "csv"))
                answer = await client.request(
                    method, where, json=body, headers={**headers, "Idempotency-Key": fresh(), "Accept-Language": "en"}
                )
                assert not answer.is_success, (who, method, path)
                kept = {name: each for name, each in answer.json().items() if name != "correlation"}
                said.append((answer.status_code, kept))
            assert said[0] == said[1], (who, method, path)
            assert said[0][0] in (404, 422), (who, method, path)
            looked += said[0][0] == 404
    assert looked > 40


async def test_every_open_door_is_there(house: House) -> None:
    def routes(of: Any) -> set[tuple[str, str]]:
        found = set()
        for each in of.routes:
            if isinstance(each, APIRoute):
                found |= {(method, each.path) for method in each.methods or ()}
            elif hasattr(each, "original_router"):
                found |= routes(each.original_router)
        return found

    assert set(SCOPES) - routes(house.app) == set()
