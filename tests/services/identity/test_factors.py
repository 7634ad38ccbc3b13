"""The second factor: codes, recovery codes and passkeys, at the door and before a signature."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import cbor2
import httpx2
import pyotp
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.services.identity.conftest import CLAIRE, House, by


def keyed(secret: str) -> dict[str, str]:
    """The headers of a command in a session."""
    return by(secret) | {"Idempotency-Key": uuid4().hex}


async def with_app(house: House) -> tuple[str, pyotp.TOTP, list[str]]:
    """Claire signs in and adds an authenticator app: her session, the app, her recovery codes."""
    session = await house.secret()
    begun = (await house.client.post("/me/authenticator", headers=by(session))).json()
    app = pyotp.TOTP(begun["secret"])
    assert begun["uri"].startswith("otpauth://totp/Bordereau:Claire%40Pyrenees.example?secret=")
    code = {"code": app.at(house.clock())}
    answer = await house.client.put("/me/authenticator", json=code, headers=keyed(session))
    assert answer.status_code == 200, answer.text
    house.clock.forward(seconds=60)
    return session, app, answer.json()["codes"]


async def ticket(house: House) -> dict[str, Any]:
    """What is said after the right password: a ticket, and the ways to go on."""
    answer = await house.sign_in()
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_needed")
    return dict(answer.json()["params"])


async def second(house: House, **said: Any) -> httpx2.Response:
    """The second half of a sign-in."""
    return await house.client.post("/sessions/second", json=said)


async def test_an_app_is_asked_for_once_its_first_code_was_typed(house: House) -> None:
    session = await house.secret()
    await house.client.post("/me/authenticator", headers=by(session))
    assert (await house.sign_in()).status_code == 201
    wrong = await house.client.put("/me/authenticator", json={"code": "000000"}, headers=keyed(session))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_code")
    _, app, codes = await with_app(house)
    assert len(codes) == len(set(codes)) == 10
    params = await ticket(house)
    assert params["ways"] == ["code"]
    opened = await second(house, ticket=params["ticket"], code=app.at(house.clock()))
    assert opened.status_code == 201, opened.text
    assert opened.json()["person"]["id"] == CLAIRE


async def test_a_code_is_good_once_and_for_a_minute_and_a_half(house: House) -> None:
    _, app, _ = await with_app(house)
    code = app.at(house.clock())
    held = (await ticket(house))["ticket"]
    assert (await second(house, ticket=held, code=f"{code[:3]} {code[3:]}")).status_code == 201
    again = await second(house, ticket=(await ticket(house))["ticket"], code=code)
    assert (again.status_code, again.json()["code"]) == (401, "wrong_code")
    house.clock.forward(seconds=120)
    old = app.at(house.clock().timestamp() - 90)
    assert (await second(house, ticket=(await ticket(house))["ticket"], code=old)).status_code == 401


async def test_wrong_codes_count_like_wrong_passwords(house: House) -> None:
    _, app, _ = await with_app(house)
    held = (await ticket(house))["ticket"]
    for _ in range(5):
        assert (await second(house, ticket=held, code="000000")).status_code == 401
    assert await house.one("SELECT status FROM account WHERE id = :id", id=CLAIRE) == "BLOCKED"
    assert (await second(house, ticket=held, code=app.at(house.clock()))).status_code == 401


async def test_a_ticket_is_forged_by_nobody_and_ends_after_ten_minutes(house: House) -> None:
    _, app, _ = await with_app(house)
    held = (await ticket(house))["ticket"]
    for wrong in (held[:-1] + ("0" if held[-1] != "0" else "1"), "second|" + CLAIRE, "", "x" * 399):
        answer = await second(house, ticket=wrong, code=app.at(house.clock()))
        assert answer.json()["code"] == "session_ended"
    house.clock.forward(minutes=10)
    assert (await second(house, ticket=held, code=app.at(house.clock()))).json()["code"] == "session_ended"


async def test_a_recovery_code_is_good_once_and_its_use_is_told(house: House) -> None:
    _, _, codes = await with_app(house)
    told = await house.one("SELECT count(*) FROM link WHERE purpose = 'security-changed'")
    held = (await ticket(house))["ticket"]
    opened = await second(house, ticket=held, code=codes[3].upper().replace("-", " "))
    assert opened.status_code == 201
    assert (await second(house, ticket=(await ticket(house))["ticket"], code=codes[3])).status_code == 401
    factors = (await house.client.get("/me/factors", headers=by(opened.json()["session"]))).json()
    assert factors["recovery_codes"] == 9
    assert await house.one("SELECT count(*) FROM link WHERE purpose = 'security-changed'") == told + 1


async def test_no_secret_stands_in_the_database(house: House) -> None:
    _, app, codes = await with_app(house)
    tables = ("authenticator", "recovery_code", "journal", "outbox", "link", "change")
    kept = "".join([str(await house.one(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {t} t")) for t in tables])
    for secret in (app.secret, app.secret.encode().hex(), *codes, *(each.replace("-", "") for each in codes)):
        assert secret not in kept


async def test_factors_are_changed_only_with_a_fresh_proof(house: House) -> None:
    session, app, _ = await with_app(house)
    house.clock.forward(minutes=6)
    asked: list[Any] = [
        ("POST", "/me/authenticator", None),
        ("PUT", "/me/authenticator", {"code": "123456"}),
        ("DELETE", "/me/authenticator", None),
        ("POST", "/me/recovery-codes", None),
        ("POST", "/me/passkeys/question", None),
        ("POST", "/me/passkeys", {"passkey": {}}),
        ("DELETE", "/me/passkeys/x", None),
        ("POST", "/me/details", {"first_name": "C", "last_name": "D", "email": "c@d.example"}),
    ]
    for method, path, body in asked:
        answer = await house.client.request(method, path, json=body, headers=keyed(session))
        assert answer.json()["code"] == "proof_needed", path
    proof = {"code": app.at(house.clock())}
    proved = await house.client.post("/sessions/current/proof", json=proof, headers=by(session))
    assert proved.json()["ways"] == ["code"]
    assert (await house.client.delete("/me/authenticator", headers=keyed(session))).status_code == 204
    assert (await house.sign_in()).status_code == 201, "without the app the password is enough"
    assert await house.one("SELECT count(*) FROM recovery_code") == 0


@dataclass
class Authenticator:
    """A device with passkeys: what a browser does when a page asks it, with a key of its own."""

    origin: str = "http://localhost:8080"
    site: str = "localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = b"a-credential-id-of-32-bytes-long"
    used: int = 0

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        self.used += 1
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + self.used.to_bytes(4) + more

    def makes(self, question: dict[str, Any]) -> dict[str, Any]:
        """A new passkey."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        data = self._data(0x45, bytes(16) + len(self.id).to_bytes(2) + self.id + public)
        return self._said(
            clientDataJSON=self._client("webauthn.create", question["challenge"]),
            attestationObject=cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}),
        )

    def signs(self, question: dict[str, Any]) -> dict[str, Any]:
        """An answer to a question."""
        client, data = self._client("webauthn.get", question["challenge"]), self._data(0x05)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _said(self, **response: bytes) -> dict[str, Any]:
        mine = base64url(self.id)
        said = {name: base64url(value) for name, value in response.items()}
        return {"id": mine, "rawId": mine, "type": "public-key", "response": said, "clientExtensionResults": {}}


def base64url(raw: bytes) -> str:
    """As browsers write bytes."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def with_passkey(house: House) -> tuple[str, Authenticator]:
    """Claire adds a passkey."""
    session, device = await house.secret(), Authenticator()
    question = (await house.client.post("/me/passkeys/question", headers=by(session))).json()
    made = {"passkey": device.makes(question), "name": "My phone"}
    answer = await house.client.post("/me/passkeys", json=made, headers=keyed(session))
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["codes"]) == 10
    return session, device


async def test_a_passkey_signs_in_and_proves_before_a_signature(house: House) -> None:
    _, device = await with_passkey(house)
    params = await ticket(house)
    assert params["ways"] == ["code", "passkey"], "a recovery code is a way as well"
    question = (await house.client.post("/sessions/second/question", json={"ticket": params["ticket"]})).json()
    opened = await second(house, ticket=params["ticket"], passkey=device.signs(question))
    assert opened.status_code == 201, opened.text
    session = opened.json()["session"]
    house.clock.forward(minutes=20)
    question = (await house.client.post("/sessions/current/question", headers=by(session))).json()
    proof = {"passkey": device.signs(question)}
    proved = await house.client.post("/sessions/current/proof", json=proof, headers=by(session))
    person = await house.around.gatekeeper.person(proved.json()["token"])
    assert person.proved_at == house.clock()


async def test_an_answer_of_a_passkey_is_good_once_here_and_for_its_owner(house: House) -> None:
    session, device = await with_passkey(house)
    question = (await house.client.post("/sessions/current/question", headers=by(session))).json()

    async def refused(said: dict[str, Any]) -> bool:
        answer = await house.client.post("/sessions/current/proof", json={"passkey": said}, headers=by(session))
        return bool(answer.status_code == 401 and answer.json()["code"] == "wrong_code")

    elsewhere = Authenticator("http://bordereau.example.evil", key=device.key)
    assert await refused(elsewhere.signs(question))
    question = (await house.client.post("/sessions/current/question", headers=by(session))).json()
    said = device.signs(question)
    proved = await house.client.post("/sessions/current/proof", json={"passkey": said}, headers=by(session))
    assert proved.status_code == 200
    assert await refused(said), "the same answer a second time"
    stranger = Authenticator()
    question = (await house.client.post("/sessions/current/question", headers=by(session))).json()
    assert await refused(stranger.signs(question))
    late = (await house.client.post("/sessions/current/question", headers=by(session))).json()
    house.clock.forward(minutes=11)
    assert await refused(device.signs(late))


@pytest.mark.parametrize("said", [{}, {"response": {}}, {"response": {"clientDataJSON": "x"}}, {"id": 3}])
async def test_nonsense_is_no_passkey(house: House, said: dict[str, Any]) -> None:
    session, _ = await with_passkey(house)
    answer = await house.client.post("/sessions/current/proof", json={"passkey": said}, headers=by(session))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_code")
    answer = await house.client.post("/me/passkeys", json={"passkey": said}, headers=keyed(session))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_code")


async def test_a_passkey_is_listed_and_taken_away(house: House) -> None:
    session, device = await with_passkey(house)
    (mine,) = (await house.client.get("/me/factors", headers=by(session))).json()["passkeys"]
    assert (mine["name"], mine["id"]) == ("My phone", base64url(device.id))
    await house.client.delete(f"/me/passkeys/{mine['id']}", headers=keyed(session))
    assert (await house.client.get("/me/factors", headers=by(session))).json() == {
        "app": None, "passkeys": [], "recovery_codes": 0,
    }  # fmt: skip
    causes = await house.one("SELECT string_agg(facts->>'cause', ' ' ORDER BY minted_at, id) FROM link")
    assert set(causes.split()) == {"passkey_added", "passkey_removed"}
