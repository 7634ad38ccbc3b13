"""Who may come in: service tokens, ended sessions, keys that change, and identity being away."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from shared.kit.http import add_feed, create_app
from shared.kit.keys import keyring
from shared.kit.sessions import CurrentActor, CurrentPerson, CurrentReader, Gatekeeper, Post, service_token
from shared.rules.refusals import Refused
from tests.kit.conftest import Line
from tests.kit.test_secrets import rotate
from tests.services.conftest import PassportOffice

HERE, THERE = "00000000-0000-4000-8000-0000000000aa", "00000000-0000-4000-8000-0000000000bb"


class Office(PassportOffice):
    """A passport office that can be away, change its key, and says how often it was asked."""

    def __init__(self, key_file: Path) -> None:
        super().__init__(key_file)
        self.away = False
        self.asked: list[str] = []
        self.seconds = 1000.0
        self.gate = self.another_gate()

    def another_gate(self) -> Gatekeeper:
        """A gatekeeper of a fresh process; its ticks are ours."""
        client = httpx2.AsyncClient(transport=self.way())
        return Gatekeeper("http://identity", self.services, client, ticks=lambda: self.seconds)

    def way(self) -> httpx2.AsyncBaseTransport:
        """The way to this office, which may be blocked."""
        return Way(self)

    def change_key(self) -> None:
        """From now on it signs with another key."""
        self.key = OKPKey.generate_key("Ed25519", parameters={"kid": "another"}, private=True)

    def bare(self, *posts: Post, **more: Any) -> str:
        """A token of this office, without the word before it."""
        return self.bearer(*posts, **more)["Authorization"].removeprefix("Bearer ")

    def claims(self, **otherwise: Any) -> str:
        """A token with these claims otherwise."""
        decoded = jwt.decode(self.bare(Post(HERE, "OPERATOR")), self.key, algorithms=["Ed25519"]).claims
        claims = {name: value for name, value in {**decoded, **otherwise}.items() if value is not None}
        return jwt.encode({"alg": "Ed25519", "kid": "test"}, claims, self.key, algorithms=["Ed25519"])


class Way(httpx2.AsyncBaseTransport):
    """HTTP to an office in this process."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.open = httpx2.ASGITransport(app=office.app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.office.away:
            raise httpx2.ConnectError("nobody there")
        self.office.asked.append(request.url.path)
        return await self.open.handle_async_request(request)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office that signs and a gatekeeper that believes it."""
    return Office(tmp_path / "codec.key")


async def refused(office: Office, token: str, **more: Any) -> str:
    """The code with which a token is refused."""
    with pytest.raises(Refused) as no:
        await office.gate.person(token, **more)
    return no.value.code


async def test_a_token_says_who_comes_and_for_whom(office: Office) -> None:
    person = await office.gate.person(office.bare(Post(HERE, "OPERATOR", True), Post(THERE, "OPERATOR")))
    assert (person.name, person.posts[0]) == ("Claire Delmas", Post(HERE, "OPERATOR", True))
    assert person.acting_for(THERE).organisation_id == THERE
    for wanted, code in ((None, "choose_organisation"), ("nowhere", "not_permitted")):
        with pytest.raises(Refused) as no:
            person.acting_for(wanted)
        assert no.value.code == code
    alone = await office.gate.person(office.bare(Post(HERE, "OPERATOR")))
    assert alone.acting_for(None).organisation_id == HERE
    nobody = await office.gate.person(office.bare())
    with pytest.raises(Refused):
        nobody.acting_for(None)


async def test_a_token_is_read_once_and_the_keys_are_fetched_once(office: Office) -> None:
    for _ in range(3):
        await office.gate.person(office.bare(Post(HERE, "OPERATOR")))
    assert office.asked.count("/.well-known/jwks.json") == 1


async def test_what_is_no_token_of_identity_is_refused(office: Office, tmp_path: Path) -> None:
    stranger = Office(tmp_path / "another.key")
    wrong = [
        "",
        "a.b.c",
        stranger.bare(Post(HERE, "OPERATOR")),
        office.claims(iss="somebody"),
        office.claims(aud="others"),
        office.claims(exp=int(time.time()) - 1),
        office.claims(exp=None),
        office.claims(iss=None),
        jwt.encode({"alg": "HS256"}, {"iss": "bordereau-identity"}, OctKey.import_key(b"x" * 32)),
        service_token("notifications", office.services),
    ]
    for token in wrong:
        assert await refused(office, token) == "unauthenticated"


async def test_a_public_key_does_not_sign(office: Office) -> None:
    """The old trick: a token signed by HMAC with the published key as its secret."""
    published = str(office.key.as_dict(private=False)["x"]).encode()
    claims = {"iss": "bordereau-identity", "aud": "bordereau", "exp": int(time.time()) + 60, "sub": "x"}
    token = jwt.encode({"alg": "HS256", "kid": "test"}, claims, OctKey.import_key(published))
    assert await refused(office, token) == "unauthenticated"


async def test_a_token_that_was_read_expires_all_the_same(office: Office) -> None:
    moment = [time.time()]
    gate = Gatekeeper("http://identity", office.services, httpx2.AsyncClient(transport=office.way()), lambda: moment[0])
    token = office.bare(Post(HERE, "OPERATOR"))
    await gate.person(token)
    moment[0] += 200
    with pytest.raises(Refused) as no:
        await gate.person(token)
    assert no.value.code == "unauthenticated"


async def test_a_new_key_of_identity_is_learned(office: Office) -> None:
    old = office.bare(Post(HERE, "OPERATOR"))
    await office.gate.person(old)
    office.change_key()
    office.seconds += 10  # keys are fetched again every five seconds at most
    claims = jwt.decode(office.bare(Post(THERE, "OPERATOR")), office.key, algorithms=["Ed25519"]).claims
    new = jwt.encode({"alg": "Ed25519", "kid": "another"}, claims, office.key, algorithms=["Ed25519"])
    assert (await office.gate.person(new)).posts[0].organisation_id == THERE
    assert office.asked.count("/.well-known/jwks.json") == 2


async def test_forged_tokens_do_not_make_us_ask_identity_each_time(office: Office) -> None:
    await office.gate.person(office.bare(Post(HERE, "OPERATOR")))
    for n in range(20):
        assert await refused(office, f"a{n}.b.c") == "unauthenticated"
    assert office.asked.count("/.well-known/jwks.json") <= 2


async def test_an_ended_session_is_refused_at_once_where_it_was_heard(office: Office) -> None:
    token = office.bare(Post(HERE, "OPERATOR"), session_id="one")
    await office.gate.person(token)
    office.gate.forget("one")
    assert await refused(office, token) == "session_ended"
    other = office.bare(Post(HERE, "OPERATOR"), session_id="two")
    await office.gate.person(other)


async def test_for_a_change_we_make_sure_that_the_session_goes_on(office: Office) -> None:
    token = office.bare(Post(HERE, "OPERATOR"), session_id="one")
    await office.gate.person(token, sure=True)
    asked = office.asked.count("/sessions/ended")
    await office.gate.person(token, sure=True)
    assert office.asked.count("/sessions/ended") == asked  # a second has not passed
    office.ended.append("one")
    office.seconds += 2
    await office.gate.person(token)  # a reading may pass
    assert await refused(office, token, sure=True) == "session_ended"
    assert await refused(office, token) == "session_ended"


async def test_a_fresh_process_learns_what_ended_before_it_listened(office: Office) -> None:
    office.ended.append("one")
    assert await refused(office, office.bare(Post(HERE, "OPERATOR"), session_id="one")) == "session_ended"


async def test_while_identity_is_away_readers_known_to_us_read_and_nobody_changes_anything(office: Office) -> None:
    token = office.bare(Post(HERE, "OPERATOR"))
    await office.gate.person(token)
    office.away = True
    office.seconds += 2
    assert (await office.gate.person(token)).posts
    assert await refused(office, token, sure=True) == "unavailable"
    with pytest.raises(Refused) as no:
        await office.another_gate().person(token)
    assert no.value.code == "unavailable"


def test_services_know_each_other_by_a_token_of_a_minute(office: Office, tmp_path: Path) -> None:
    assert office.gate.service(service_token("notifications", office.services)) == "notifications"
    for wrong in (
        "",
        "a.b.c",
        service_token("notifications", office.services, time.time() - 61),
        service_token("notifications", keyring(tmp_path / "codec.key", "codec")),
        service_token("notifications", keyring(tmp_path / "other.key", "services")),
        office.bare(Post(HERE, "OPERATOR")),
    ):
        with pytest.raises(Refused) as no:
            office.gate.service(wrong)
        assert no.value.code == "unauthenticated"


def test_a_service_that_has_the_new_key_is_believed_by_one_that_has_both(tmp_path: Path) -> None:
    file = tmp_path / "codec.key"
    old = service_token("directory", keyring(file, "services"))
    rotate(file)
    gate = Gatekeeper("http://identity", keyring(file, "services"))
    assert gate.service(old) == gate.service(service_token("directory", keyring(file, "services"))) == "directory"


# ── at a door ─────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def door(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client at an app's door."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service") as client:
        yield client


async def test_the_catch_up_feed_is_for_services_only(office: Office, line: Line) -> None:
    await line.say(*(str(n) for n in range(120)))
    await line.carried()
    app = create_app("identity", office.gate)
    add_feed(app, line.publisher)
    async with door(app) as client:
        for headers in ({}, office.bearer(Post(HERE, "OPERATOR"))):
            answer = await client.get("/events", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        page = (await client.get("/events?after=3", headers=office.service())).json()
        assert [each["seq"] for each in page] == list(range(4, 104))
        assert (await client.get("/events?after=-1", headers=office.service())).json()["field"] == "after"


async def test_a_post_of_ones_own_is_named_by_a_header(office: Office) -> None:
    app = create_app("service", office.gate)

    @app.get("/actor")
    async def actor(who: CurrentActor) -> str:
        return who.organisation_id

    @app.get("/person")
    async def person(who: CurrentPerson) -> str:
        return who.name

    @app.get("/reader")
    async def reader(who: CurrentReader) -> str:
        return who

    both = office.bearer(Post(HERE, "OPERATOR"), Post(THERE, "OPERATOR"))
    async with door(app) as client:
        assert (await client.get("/actor", headers={**both, "Acting-For": THERE})).json() == THERE
        assert (await client.get("/actor", headers=both)).json()["code"] == "choose_organisation"
        assert (await client.get("/actor", headers={**both, "Acting-For": "x"})).json()["code"] == "not_permitted"
        assert (await client.get("/person", headers=office.bearer())).json() == "Claire Delmas"
        assert (await client.get("/reader", headers=office.service("portal"))).json() == "portal"
        assert (await client.get("/reader", headers=both)).json().startswith("00000000")
        for wrong in ("Basic x", "Bearer", "bearer  ", ""):
            answer = await client.get("/person", headers={"Authorization": wrong})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
