"""Identity at its HTTP door, against a real database."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from services.identity.app import create_app
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from shared.kit.sessions import Gatekeeper
from shared.rules.refusals import Refused
from tests.services.conftest import Around, PassportOffice, Visitor
from tests.services.identity.conftest import CHEAP, CLAIRE, PASSWORD, TOULOUSE, House, by


async def test_a_person_signs_in_and_sees_himself(house: House) -> None:
    answer = await house.sign_in("CLAIRE@pyrenees.EXAMPLE")
    assert answer.status_code == 201
    person = answer.json()["person"]
    assert (person["id"], person["email"]) == (CLAIRE, "Claire@Pyrenees.example")
    assert person["posts"] == [
        {
            "organisation_id": TOULOUSE,
            "organisation": "Pyrénées Bio Import",
            "code": None,
            "role_type": "OPERATOR",
            "administrator": True,
        }
    ]
    me = await house.client.get("/me", headers=by(answer.json()["session"]))
    assert me.json() == person


async def test_a_session_is_kept_as_a_digest_only(house: House) -> None:
    secret = await house.secret()
    assert await house.one("SELECT count(*) FROM session WHERE session::text LIKE :s", s=f"%{secret}%") == 0
    assert await house.one("SELECT count(*) FROM session") == 1


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("nobody@nowhere.example", PASSWORD),
        ("claire@pyrenees.example", "wrong"),
        ("blocked@inao.example", PASSWORD),
        ("blocked@inao.example", "wrong"),
        ("", ""),
        ("claire\0@pyrenees.example", PASSWORD + "\0"),
    ],
)
async def test_unknown_wrong_and_blocked_get_the_same_answer(house: House, email: str, password: str) -> None:
    answer = await house.sign_in(email, password, **{"X-Correlation-Id": "same"})
    assert answer.status_code == 401
    assert answer.json() == {
        "type": "urn:bordereau:problem:bad_credentials",
        "title": answer.json()["title"],
        "status": 401,
        "code": "bad_credentials",
        "correlation": "same",
    }
    assert await house.one("SELECT count(*) FROM session") == 0


async def test_an_unknown_person_costs_as_much_work_as_a_known_one() -> None:
    passwords = Passwords(Settings())
    kept = await passwords.hashed(PASSWORD)
    await passwords.matches("warm", None)

    async def seconds(hash_kept: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            await passwords.matches("wrong", hash_kept)
            times.append(time.perf_counter() - start)
        return min(times)

    known, unknown = await seconds(kept), await seconds(None)
    assert 0.5 < unknown / known < 2
    passwords.close()


async def test_a_demonstration_account_signs_in_where_demo_is_on_only(house: House) -> None:
    answer = await house.sign_in("demo@garonne.example")
    assert (answer.status_code, answer.json()["code"]) == (403, "demo_only")
    assert (await house.sign_in("demo@garonne.example", "wrong")).json()["code"] == "bad_credentials"
    house.around.settings.demo = True
    opened = await house.sign_in("demo@garonne.example")
    assert opened.status_code == 201
    house.around.settings.demo = False
    assert (await house.client.get("/me", headers=by(opened.json()["session"]))).json()["code"] == "session_ended"


async def test_too_many_wrong_passwords_from_one_source_are_refused(around: Around, visit: Visitor) -> None:
    made = await around("identity", Settings, **CHEAP, attempts_per_account="3/hour", attempts_per_source="5/hour")
    client = visit(create_app(made))

    async def attempt(email: str) -> int:
        return (await client.post("/sessions", json={"email": email, "password": "x"})).status_code

    assert [await attempt("a@b.example") for _ in range(4)] == [401, 401, 401, 429]
    assert [await attempt(f"{n}@b.example") for n in range(3)] == [401, 401, 429]


async def test_a_crowd_of_guesses_at_once_does_not_pass_the_limit(around: Around, visit: Visitor) -> None:
    made = await around("identity", Settings, **CHEAP, attempts_per_account="3/hour")
    client = visit(create_app(made))
    wish = {"email": "a@b.example", "password": "x"}
    answers = await asyncio.gather(*(client.post("/sessions", json=wish) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers).count(401) <= 4


async def test_signing_in_again_ends_the_session_the_browser_had(house: House) -> None:
    first = await house.secret()
    second = (await house.sign_in(**by(first))).json()["session"]
    assert second != first
    assert (await house.client.get("/me", headers=by(first))).json()["code"] == "session_ended"
    assert (await house.client.get("/me", headers=by(second))).status_code == 200
    assert [event["person_id"] for event in await house.announced("identity.session.ended.v1")] == [CLAIRE]


async def test_a_session_ends_after_thirty_minutes_without_use(house: House) -> None:
    secret = await house.secret()
    for minutes in (29, 29, 29):
        house.clock.forward(minutes=minutes)
        assert (await house.client.post("/tokens", headers=by(secret))).status_code == 201
    house.clock.forward(minutes=30)
    answer = await house.client.post("/tokens", headers=by(secret))
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")


async def test_a_session_ends_after_twelve_hours_at_most(house: House) -> None:
    secret = await house.secret()
    for _ in range(47):
        house.clock.forward(minutes=15)
        assert (await house.client.get("/me", headers=by(secret))).status_code == 200
    house.clock.forward(minutes=15)
    assert (await house.client.get("/me", headers=by(secret))).json()["code"] == "session_ended"


async def test_signing_out_ends_the_session_and_says_so_once(house: House) -> None:
    secret = await house.secret()
    assert (await house.client.delete("/sessions/current", headers=by(secret))).status_code == 204
    assert (await house.client.delete("/sessions/current", headers=by(secret))).status_code == 204
    assert (await house.client.get("/me", headers=by(secret))).status_code == 401
    assert len(await house.announced("identity.session.ended.v1")) == 1
    assert (await house.client.delete("/sessions/current")).json()["code"] == "unauthenticated"


async def test_a_token_says_who_and_in_which_posts(house: House) -> None:
    secret = await house.secret()
    answer = (await house.client.post("/tokens", headers=by(secret))).json()
    person = await house.around.gatekeeper.person(answer["token"])
    assert (person.person_id, person.name, person.language, person.proved_at) == (
        CLAIRE,
        "Claire Delmas",
        "fr",
        house.clock(),
    )
    assert person.acting_for(TOULOUSE).role_type == "OPERATOR"
    with pytest.raises(Refused, match="not_permitted"):
        person.acting_for(CLAIRE)
    me = await house.client.get("/me", headers={"Authorization": f"Bearer {answer['token']}"})
    assert me.json()["id"] == CLAIRE


async def test_a_token_dies_after_ninety_seconds(house: House) -> None:
    token = (await house.client.post("/tokens", headers=by(await house.secret()))).json()["token"]
    house.clock.forward(seconds=89)
    await house.around.gatekeeper.person(token)
    house.clock.forward(seconds=1)
    with pytest.raises(Refused, match="unauthenticated"):
        await house.around.gatekeeper.person(token)


async def test_a_token_dies_with_its_session(house: House, passports: PassportOffice) -> None:
    """Also where nobody heard that it ended: a fresh replica asks, and so does everybody before a change."""
    secret = await house.secret()
    token = (await house.client.post("/tokens", headers=by(secret))).json()["token"]
    heard, fresh, lately = (_gatekeeper(house, passports) for _ in range(3))
    await heard.person(token)
    await lately.person(token)
    await house.client.delete("/sessions/current", headers=by(secret))
    (event,) = await house.announced("identity.session.ended.v1")
    heard.forget(event["session_id"])
    with pytest.raises(Refused, match="session_ended"):
        await heard.person(token)
    with pytest.raises(Refused, match="session_ended"):
        await fresh.person(token)
    lately._asked -= 1.1
    with pytest.raises(Refused, match="session_ended"):
        await lately.person(token, sure=True)


async def test_without_identity_nothing_is_changed(house: House, passports: PassportOffice) -> None:
    token = (await house.client.post("/tokens", headers=by(await house.secret()))).json()["token"]
    gatekeeper = _gatekeeper(house, passports)
    await gatekeeper.person(token)
    gatekeeper._identity, gatekeeper._client = "http://127.0.0.1:9", httpx2.AsyncClient(timeout=1)
    gatekeeper._asked -= 1.1
    assert (await gatekeeper.person(token)).person_id == CLAIRE
    with pytest.raises(Refused, match="unavailable"):
        await gatekeeper.person(token, sure=True)
    await gatekeeper._client.aclose()


async def test_forged_and_foreign_tokens_are_refused(house: House, passports: PassportOffice) -> None:
    for header in (passports.bearer(), {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}, {}):
        answer = await house.client.get("/me", headers=header)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_two_instances_sign_with_the_same_key(house: House, passports: PassportOffice) -> None:
    apps = [create_app(house.around) for _ in range(3)]
    answers = await asyncio.gather(*(_published(app) for app in apps))
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]["keys"]) == 1
    assert "d" not in answers[0]["keys"][0]
    wrapped = await house.one("SELECT wrapped FROM signing_key")
    assert b'"d"' not in wrapped


async def test_a_proof_is_remembered_and_stands_in_the_token(house: House) -> None:
    secret = await house.secret()
    house.clock.forward(minutes=10)
    wrong = await house.client.post("/sessions/current/proof", json={"password": "x"}, headers=by(secret))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    right = await house.client.post("/sessions/current/proof", json={"password": PASSWORD}, headers=by(secret))
    person = await house.around.gatekeeper.person(right.json()["token"])
    assert person.proved_at == house.clock()


async def test_language_and_time_zone_can_be_changed(house: House) -> None:
    secret = await house.secret()
    wish = {"language": "en", "time_zone": "Africa/Casablanca"}
    answer = await house.client.patch("/me", json=wish, headers=by(secret))
    assert (answer.json()["language"], answer.json()["time_zone"]) == ("en", "Africa/Casablanca")
    await house.client.patch("/me", json=wish, headers=by(secret))
    assert len(await house.announced("identity.person.changed.v1")) == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"language": "tlh"}, "language"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "Europe/Atlantis\0"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": 7}, "time_zone"),
        ({"status": "ACTIVE"}, "status"),
    ],
)
async def test_what_is_not_right_is_named(house: House, wish: dict[str, Any], field: str) -> None:
    answer = await house.client.patch("/me", json=wish, headers=by(await house.secret()))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid", field)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b'{"email": "\xff", "password": "x"}', 400, "malformed"),
        (b'{"email": "a"}', 422, "invalid"),
        (b'{"email": "a", "password": 1}', 422, "invalid"),
        (b'{"email": "a", "password": "x", "admin": true}', 422, "invalid"),
        (b'{"email": "\\ud800", "password": "x"}', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"email": "a", "password": "' + b"x" * 10_000_000 + b'"}', 413, "too_large"),
    ],
    ids=["half", "not utf-8", "missing", "wrong type", "unknown field", "surrogate", "list", "10 MB"],
)
async def test_bad_input_gets_a_problem_in_the_readers_language(
    house: House, body: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "fr"}
    answer = await house.client.post("/sessions", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_services_read_of_other_people(house: House, passports: PassportOffice) -> None:
    answer = await house.client.get(f"/people/{CLAIRE}", headers=passports.service())
    assert answer.json() == {
        "id": CLAIRE,
        "name": "Claire Delmas",
        "email": "Claire@Pyrenees.example",
        "language": "fr",
        "time_zone": "Europe/Paris",
        "html": True,
        "demo": False,
        "notify": {},
    }
    token = (await house.client.post("/tokens", headers=by(await house.secret()))).json()["token"]
    for path in (f"/people/{CLAIRE}", "/sessions/ended", "/events"):
        assert (await house.client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await house.client.get(f"/people/{TOULOUSE}", headers=passports.service())).status_code == 404
    assert (await house.client.get("/people/x", headers=passports.service())).json()["field"] == "person_id"


async def test_the_health_needs_no_sign_in(house: House) -> None:
    assert (await house.client.get("/health")).json() == {"status": "ok"}


def _gatekeeper(house: House, passports: PassportOffice) -> Gatekeeper:
    door = house.around.gatekeeper._client
    return Gatekeeper("http://identity", passports.services, door, lambda: house.clock().timestamp())


async def _published(app: Any) -> Any:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://identity") as client:
        return (await client.get("/.well-known/jwks.json")).json()
