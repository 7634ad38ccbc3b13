"""OpenID Connect at identity's door: each wrong step of a tool is refused in the protocol's own words."""

from base64 import b64encode
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import ValidationError
from sqlalchemy import text

from services.identity import admissions
from services.identity.tools import Tool
from tests.services.identity.conftest import CLAIRE, PASSWORD, House, by

BACK = "https://stock.example/back"
VERIFIER = "v" * 50
SECRET = "a-secret-of-this-tool"  # a test's own
OURS = {"client_id": "stock", "name": "Stock book", "secret": SECRET, "redirect_uris": [BACK], "trusted": True}
TOOLS = (
    Tool.model_validate(OURS),
    Tool.model_validate({**OURS, "client_id": "stranger", "trusted": False}),
    Tool.model_validate({**OURS, "client_id": "device", "secret": None, "redirect_uris": ["com.example.app:/back"]}),
    Tool.model_validate({**OURS, "client_id": "ops", "role_types": ["SYS_ADMIN"], "pkce": False}),
)


@pytest.fixture
def tooled(house: House) -> House:
    house.around.settings.tools = TOOLS
    house.around.settings.portal_url = "https://bordereau.example"
    return house


def request(**changed: str | None) -> str:
    said = {
        "response_type": "code", "client_id": "stock", "redirect_uri": BACK, "scope": "openid profile email",
        "state": "kept", "nonce": "n-1", "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }  # fmt: skip
    return urlencode({name: value for name, value in {**said, **changed}.items() if value is not None})


async def asked(house: House, secret: str | None, query: str, consent: bool | None = None) -> Any:
    body = {"query": query, "consent": consent}
    return await house.client.post("/oauth/authorizations", json=body, headers=by(secret) if secret else {})


def back(answer: Any) -> dict[str, str]:
    """What the browser brings back to the tool."""
    location = answer.json()["location"]
    assert location.startswith((BACK, "com.example.app:/back")), answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def exchanged(house: House, code: str, basic: tuple[str, str] | None = ("stock", SECRET), **changed: str) -> Any:
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    form = {name: value for name, value in {**said, **changed}.items() if value}
    headers = {"Authorization": "Basic " + b64encode(":".join(basic).encode()).decode()} if basic else {}
    return await house.client.post("/oauth/token", data=form, headers=headers)


async def admitted(house: House, **changed: str) -> str:
    """A fresh code of Claire's."""
    return back(await asked(house, await house.secret(), request(**changed)))["code"]


async def test_a_tool_learns_who_has_signed_in(tooled: House) -> None:
    known = (await tooled.client.get("/.well-known/openid-configuration")).json()
    assert known["issuer"] == "https://bordereau.example"
    returned = back(await asked(tooled, await tooled.secret(), request()))
    assert (returned["state"], returned["iss"]) == ("kept", known["issuer"])
    answer = await exchanged(tooled, returned["code"])
    assert answer.status_code == 200, answer.text
    assert (answer.headers["cache-control"], answer.json()["expires_in"]) == ("no-store", 600)
    keys = KeySet.import_key_set((await tooled.client.get("/oauth/keys")).json())
    token = jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"])
    said = token.claims
    assert (said["iss"], said["aud"], said["sub"], said["nonce"]) == (known["issuer"], ["stock"], CLAIRE, "n-1")
    assert (said["name"], said["email"], said["auth_time"]) == (
        "Claire Delmas", "Claire@Pyrenees.example", int(tooled.clock().timestamp())
    )  # fmt: skip
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    seen = await tooled.client.get("/oauth/userinfo", headers=bearer)
    assert seen.json() == {name: said[name] for name in seen.json()}
    services = (await tooled.client.get("/.well-known/jwks.json")).json()["keys"]
    assert {each["kty"] for each in services} == {"OKP"}, "a tool's key signs no service token"
    kept = await tooled.one("SELECT string_agg(a::text, '') FROM admission a")
    assert returned["code"] not in kept
    assert answer.json()["access_token"] not in kept


async def test_only_what_was_asked_for_is_told(tooled: House) -> None:
    answer = await exchanged(tooled, await admitted(tooled, scope="openid unknown"))
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await tooled.client.get("/oauth/userinfo", headers=bearer)).json() == {"sub": CLAIRE}
    assert answer.json()["scope"] == "openid"


# fmt: off
NOWHERE: Final = (
    {"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": BACK + "/more"},
    {"redirect_uri": None}, {"client_id": None},
)
REASONS: Final[tuple[tuple[dict[str, str | None], str], ...]] = (
    ({"response_type": "token"},                                    "unsupported_response_type"),
    ({"scope": "profile"},                                          "invalid_scope"),
    ({"code_challenge": None, "code_challenge_method": None},       "invalid_request"),
    ({"code_challenge_method": "plain"},                            "invalid_request"),
    ({"code_challenge_method": None},                               "invalid_request"),
    ({"client_id": "ops"},                                          "access_denied"),
    ({"client_id": "stranger", "prompt": "none"},                   "consent_required"),
)
FAULTS: Final[tuple[tuple[tuple[str, str] | None, dict[str, str], int, str], ...]] = (
    (("stock", "another-secret-of-it"), {},                                         401, "invalid_client"),
    (("nobody", SECRET),                {},                                         401, "invalid_client"),
    (None,                              {"client_id": "stock"},                     401, "invalid_client"),
    (("stranger", SECRET),              {},                                         400, "invalid_grant"),
    (("stock", SECRET),                 {"code_verifier": "w" * 50},                400, "invalid_grant"),
    (("stock", SECRET),                 {"code_verifier": ""},                      400, "invalid_request"),
    (("stock", SECRET),                 {"redirect_uri": "https://evil.example/"},  400, "invalid_grant"),
    (("stock", SECRET),                 {"redirect_uri": ""},                       400, "invalid_grant"),
    (("stock", SECRET),                 {"code": "code_never-handed-out"},          400, "invalid_grant"),
    (("stock", SECRET),                 {"grant_type": "password"},                 400, "unsupported_grant_type"),
)
# fmt: on


async def test_without_a_known_address_the_browser_goes_nowhere(tooled: House) -> None:
    secret = await tooled.secret()
    for changed in NOWHERE:
        answer = await asked(tooled, secret, request(**changed))
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_tool"), changed


async def test_a_wrong_request_goes_back_with_its_reason(tooled: House) -> None:
    secret = await tooled.secret()
    for changed, error in REASONS:
        returned = back(await asked(tooled, secret, request(**changed)))
        assert (returned["error"], returned["state"]) == (error, "kept"), changed
        assert returned["iss"] == "https://bordereau.example"
        assert "code" not in returned
    assert back(await asked(tooled, secret, request() + "&nonce=other"))["error"] == "invalid_request"
    assert await tooled.one("SELECT count(*) FROM admission") == 0


async def test_somebody_else_is_asked_before_he_is_named(tooled: House) -> None:
    secret = await tooled.secret()
    shown = (await asked(tooled, secret, request(client_id="stranger"))).json()
    assert (shown["tool"], shown["asks"], shown["location"]) == ("Stock book", ["profile", "email"], "")
    refused = back(await asked(tooled, secret, request(client_id="stranger"), consent=False))
    assert refused["error"] == "access_denied"
    assert "code" in back(await asked(tooled, secret, request(client_id="stranger"), consent=True))


async def test_whoever_is_not_signed_in_signs_in_first_or_is_silently_sent_back(tooled: House) -> None:
    for secret in (None, "session_that-never-was"):
        assert (await asked(tooled, secret, request())).json()["sign_in"] is True
        assert back(await asked(tooled, secret, request(prompt="none")))["error"] == "login_required"
    assert "code" in back(await asked(tooled, await tooled.secret(), request(prompt="none")))


async def test_a_tool_that_wants_a_fresh_proof_gets_one(tooled: House) -> None:
    secret = await tooled.secret()
    tooled.clock.forward(minutes=6)
    for wish in ({"prompt": "login"}, {"max_age": "300"}):
        assert (await asked(tooled, secret, request(**wish), consent=True)).json()["prove"] is True
    await tooled.client.post("/sessions/current/proof", json={"password": PASSWORD}, headers=by(secret))
    code = back(await asked(tooled, secret, request(prompt="login")))["code"]
    token = (await exchanged(tooled, code)).json()["id_token"]
    keys = KeySet.import_key_set((await tooled.client.get("/oauth/keys")).json())
    assert jwt.decode(token, keys, algorithms=["RS256"]).claims["auth_time"] == int(tooled.clock().timestamp())


async def test_a_wrong_exchange_is_refused(tooled: House) -> None:
    code = await admitted(tooled)
    for basic, changed, status, error in FAULTS:
        answer = await exchanged(tooled, **{"code": code, "basic": basic, **changed})  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (status, error), (basic, changed)
        assert "access_token" not in answer.json()
    assert (await exchanged(tooled, code)).status_code == 200, "its owner is not kept from it"


async def test_a_code_lives_a_minute_and_once_and_shown_twice_it_kills_its_token(tooled: House) -> None:
    late = await admitted(tooled)
    tooled.clock.forward(seconds=60)
    assert (await exchanged(tooled, late)).json()["error"] == "invalid_grant"
    code = await admitted(tooled)
    bearer = {"Authorization": f"Bearer {(await exchanged(tooled, code)).json()['access_token']}"}
    assert (await tooled.client.get("/oauth/userinfo", headers=bearer)).status_code == 200
    assert (await exchanged(tooled, code)).json()["error"] == "invalid_grant"
    assert (await tooled.client.get("/oauth/userinfo", headers=bearer)).status_code == 401


async def test_what_was_handed_out_dies_with_the_session_and_with_time(tooled: House) -> None:
    secret = await tooled.secret()
    first, second = [back(await asked(tooled, secret, request()))["code"] for _ in range(2)]
    bearer = {"Authorization": f"Bearer {(await exchanged(tooled, first)).json()['access_token']}"}
    await tooled.client.delete("/sessions/current", headers=by(secret))
    assert (await tooled.client.get("/oauth/userinfo", headers=bearer)).status_code == 401
    assert (await exchanged(tooled, second)).json()["error"] == "invalid_grant"
    third = {"Authorization": f"Bearer {(await exchanged(tooled, await admitted(tooled))).json()['access_token']}"}
    tooled.clock.forward(minutes=10)
    assert (await tooled.client.get("/oauth/userinfo", headers=third)).status_code == 401
    tooled.clock.forward(days=2)
    async with tooled.around.database.transaction() as session:
        await admissions.forget_old(session, tooled.clock())
    assert await tooled.one("SELECT count(*) FROM admission") == 0


async def test_a_program_on_a_device_needs_no_secret_but_its_verifier(tooled: House) -> None:
    address = "com.example.app:/back"
    for verifier, status in (("", 400), (VERIFIER, 200)):
        code = await admitted(tooled, client_id="device", redirect_uri=address)
        answer = await exchanged(tooled, code, None, client_id="device", redirect_uri=address, code_verifier=verifier)
        assert answer.status_code == status, answer.text


async def test_only_those_with_the_role_are_let_in(tooled: House) -> None:
    async with tooled.around.database.transaction() as session:
        await session.execute(text("UPDATE post SET role_type = 'SYS_ADMIN'"))
    without = {"client_id": "ops", "code_challenge": None, "code_challenge_method": None}
    code = back(await asked(tooled, await tooled.secret(), request(**without)))["code"]
    answer = await exchanged(tooled, code, ("ops", SECRET), code_verifier="")
    assert answer.status_code == 200, answer.text


async def test_what_cannot_be_read_is_no_bug(tooled: House) -> None:
    secret = await tooled.secret()
    for query in (request(response_type='co"de'), request(state="é" * 9, nonce="\x00"), "&".join(["a=b"] * 60), ""):
        assert (await asked(tooled, secret, query)).status_code in (200, 400)
    for form in ({"grant_type": 'x"\x00'}, {}, {"grant_type": "authorization_code", "code": "\x00é"}):
        assert (await tooled.client.post("/oauth/token", data=form)).status_code in (400, 401)
    assert (await tooled.client.post("/oauth/token", content=b"\xff\xfe")).status_code == 400
    assert (await tooled.client.get("/oauth/userinfo")).status_code == 401
    other = {"Authorization": "Bearer code_nothing"}
    assert (await tooled.client.get("/oauth/userinfo", headers=other)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [{"secret": None, "pkce": False}, {"secret": "short"}, {"redirect_uris": ["http://stock.example/back"]},
     {"redirect_uris": ["javascript:alert(1)"]}, {"redirect_uris": ["https://stock.example/#there"]},
     {"redirect_uris": []}, {"scopes": ["openid", "admin"]}, {"client": "typo"}],
)  # fmt: skip
def test_a_tool_that_is_not_sound_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Tool.model_validate({**OURS, **wrong})
