"""Classic requests and the users of a territory, against a real database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.identity.activities import Paper
from services.identity.temporary import LOOKS_LIKE
from shared.contracts.identity import Kind
from shared.kit.http import ServiceClient
from shared.kit.keys import keyring
from shared.kit.sessions import service_token
from shared.kit.settings import Registering
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from tests.services.conftest import Fill
from tests.services.identity.conftest import PASSWORD, House
from tests.services.identity.territory import CAMILLE, DDPP_31, DDPP_81, ODILE, SYLVIE, Territory, settled

NEW = "Plum-tree-in-42-gardens!"
ODILES, OTHMARS, SYLVIES = "odile@ddpp31.example", "othmar@ddpp81.example", "sylvie@dgccrf.example"


@pytest.fixture
def fill() -> Fill:
    return settled


@pytest.fixture
def territory(house: House) -> Territory:
    return Territory(house, Paper(house.around))


def elsewhere(postal_code: str, country: str = "FR") -> dict[str, Any]:
    """An organisation block with another place."""
    return {
        "organisation": {
            "name": "Albi Bio", "address": "9 lices Jean-Moulin", "postal_code": postal_code, "country": country,
        }
    }  # fmt: skip


async def letters(territory: Territory, request: str) -> list[str]:
    """What the process has on its desk to be posted."""
    return sorted(each.letter for each in (await territory.look(request)).letters)


async def asked_again(territory: Territory, email: str = "ann@tarn.example") -> str:
    """[Demander l'envoi d'un nouveau mot de passe], looked at; the id of the request."""
    key = uuid4().hex
    await territory.post("/password-resets", {"email": email}, **{"Idempotency-Key": key})
    reset = str(await territory.house.one("SELECT id FROM reset WHERE key = :k", k=key))
    await territory.look(reset, Kind.RESET)
    return reset


# ── From the form to VALID ────────────────────────────────────────────────────────────────────────────────────


async def test_from_the_form_to_the_first_sign_in(territory: Territory) -> None:
    request = await territory.asks()
    assert await letters(territory, request) == ["account-confirmation"]
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "NEW: no access"
    confirmed = (await territory.confirms(request)).json()
    assert confirmed["authority"]["name"] == "DDPP de la Haute-Garonne"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "CONFIRMED: no access"
    course = await territory.look(request)
    assert [(each.letter, each.person_id) for each in course.letters] == [("account-requests", ODILE)]
    odile = await territory.official(ODILES)
    seen = (await odile.sees(request)).json()
    assert (seen["status"], seen["may"]) == ("CONFIRMED", ["activate", "refuse", "correct"])
    activated = (await odile.decides(request, "activate")).json()
    assert (activated["status"], activated["lines"][0]["person"]) == ("VALID", "Odile Faure")
    assert "account-activated" in await letters(territory, request)
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 201
    assert await territory.house.one("SELECT count(*) FROM registration WHERE password_hash IS NOT NULL") == 0


async def test_password_and_answer_are_nowhere_in_clear(territory: Territory) -> None:
    await territory.confirmed(answer="Zorro-the-fox")
    for table in ("registration", "link", "journal", "outbox"):
        for secret in (PASSWORD, "Zorro-the-fox"):
            found = await territory.house.one(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE :s",
                s=f"%{secret}%",
            )
            assert found == 0, table


async def test_the_form_says_all_that_is_wrong_at_once(territory: Territory) -> None:
    answer = await territory.fill_in(
        email="nobody",
        password="short",
        question="of mine",
        answer="  ",
        privacy=False,
        organisation={"name": "", "address": "x", "postal_code": "3120", "country": "FR"},
    )
    assert answer.status_code == 422
    problems = {(each["field"], each["code"]) for each in answer.json()["problems"]}
    assert problems >= {
        ("email", "not_an_address"), ("password", "password_short"), ("password_again", "passwords_differ"),
        ("question", "not_in_list"), ("answer", "field_needed"), ("privacy", "privacy_unread"),
        ("organisation.name", "field_needed"), ("organisation.postal_code", "postal_code_wrong"),
    }  # fmt: skip


class Directory(ServiceClient):
    """One valid organisation and one that is closed, as the directory tells other services of them."""

    async def get(self, service: str, path: str, **params: Any) -> Any:
        assert service == "directory"
        status = {f"/organisations/{DDPP_81}": "VALID", f"/organisations/{DDPP_31}": "CLOSED"}.get(path)
        if status is None:
            raise Refused("not_found")
        return {"status": status, "name": "Albi Bio", "address": "9 lices Jean-Moulin", "postal_code": "81000",
                "city": "Albi", "country": "FR", "contacts": []}  # fmt: skip


async def test_an_organisation_of_the_directory_keeps_its_own_address(territory: Territory) -> None:
    around = territory.house.around
    picked = {"name": "Albi", "postal_code": "31200", "city": "Toulouse", "country": "FR", "organisation_id": DDPP_81}
    request = await territory.asks("away@tarn.example", organisation=picked)
    keep = "SELECT details->'organisation'->>:name FROM registration WHERE id = :id"
    assert await territory.house.one(keep, name="name", id=request) == "Albi", "the directory is away"
    around.others = Directory("identity", around.settings.base_url, keyring(around.settings.codec_key_file, "services"))
    for wrong in (DDPP_31, ODILE, "nonsense"):
        refused = await territory.fill_in(organisation=picked | {"organisation_id": wrong})
        assert [each["field"] for each in refused.json()["problems"]] == ["organisation.name"], wrong
    request = await territory.asks(organisation=picked)
    secret = await territory.secret(request, "account-confirmation")
    shown = (await territory.post("/registrations/classic/opened", {"secret": secret})).json()
    assert (shown["organisation"]["address"], shown["authority"]["code"]) == ("", "FRDDPP81")
    await territory.confirms(request)
    seen = (await (await territory.official(OTHMARS)).sees(request)).json()["organisation"]
    assert (seen["name"], seen["address"], seen["city"]) == ("Albi Bio", "9 lices Jean-Moulin", "Albi")


@pytest.mark.parametrize("email", ["odile@ddpp31.example", "ann@tarn.example"])
async def test_known_and_unknown_addresses_get_the_same_answer(territory: Territory, email: str) -> None:
    answer = await territory.fill_in(email)
    assert (answer.status_code, set(answer.json()), answer.json()["days"]) == (202, {"id", "days"}, 7)


async def test_a_known_address_gets_another_letter_and_no_request(territory: Territory) -> None:
    request = await territory.asks("ODILE@ddpp31.example")
    assert await letters(territory, request) == ["account-exists"]
    assert await territory.house.one("SELECT count(*) FROM registration WHERE password_hash IS NOT NULL") == 0


async def test_one_open_request_for_each_address_and_the_older_one_counts(territory: Territory) -> None:
    first = await territory.asks()
    second = await territory.asks(password="Somebody-elses-1", password_again="Somebody-elses-1")
    assert await letters(territory, second) == ["account-exists"]
    assert (await territory.confirms(first)).json()["state"] == "CONFIRMED"


async def test_a_classic_request_closes_one_of_the_other_kind_and_blocks_new_ones(territory: Territory) -> None:
    await territory.confirmed()
    assert (await territory.house.one("SELECT count(*) FROM registration WHERE state = 'CONFIRMED'")) == 1
    second = await territory.asks()
    assert (await territory.look(second)).state == "KNOWN"


async def test_what_is_not_offered_is_not_there(territory: Territory) -> None:
    settings = territory.house.around.settings
    settings.registration = Registering.EU
    assert (await territory.fill_in()).status_code == 404
    assert await territory.house.one("SELECT count(*) FROM registration") == 0
    settings.registration = Registering.CLASSIC
    assert (await territory.fill_in()).status_code == 202
    eu = {"first_name": "Ann", "last_name": "O'Neill", "email": "bea@tarn.example", "email_again": "bea@tarn.example"}
    form = eu | {"language": "en", "privacy": True, "proof": "none"}
    assert (await territory.post("/registrations", form)).status_code == 404


async def test_the_same_form_sent_twice_is_one_request(territory: Territory) -> None:
    key = uuid4().hex
    first = await territory.fill_in(key=key)
    assert (await territory.fill_in(key=key)).json() == first.json()
    assert await territory.house.one("SELECT count(*) FROM registration") == 1


async def test_whoever_did_not_ask_says_so_and_everything_is_forgotten(territory: Territory) -> None:
    request = await territory.asks()
    assert (await territory.confirms(request, mine=False)).json()["state"] == "EXPIRED"
    assert await territory.house.one("SELECT count(*) FROM registration") == 0
    again = await territory.asks()
    assert await letters(territory, again) == ["account-confirmation"], "the address is free again"


async def test_a_link_works_once_and_not_after_seven_days(territory: Territory) -> None:
    request = await territory.asks()
    assert (await territory.confirms(request)).status_code == 200
    assert (await territory.confirms(request)).json()["code"] == "link_expired"
    other = await territory.asks("late@tarn.example")
    territory.house.clock.forward(days=7, seconds=1)
    assert (await territory.confirms(other)).json()["code"] == "link_expired"


async def test_who_does_not_confirm_is_reminded_once_and_forgotten_after_seven_days(territory: Territory) -> None:
    request = await territory.asks()
    course = await territory.rings(request)
    assert [each.letter for each in course.letters] == ["account-confirmation-reminder"]
    assert (await territory.confirms(request)).json()["code"] == "link_expired", "the first link is replaced"
    assert (await territory.rings(request)).over
    assert await territory.house.one("SELECT count(*) FROM registration") == 0


async def test_the_link_of_the_reminder_confirms_as_well(territory: Territory) -> None:
    request = await territory.asks()
    await territory.rings(request)
    answer = await territory.confirms(request, purpose="account-confirmation-reminder")
    assert answer.json()["state"] == "CONFIRMED"


# ── Whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("postal_code", "country", "validates"),
    [
        ("31200", "FR", "DDPP de la Haute-Garonne"),
        ("81000", "FR", "DDETSPP du Tarn"),
        ("75001", "FR", "INAO"),
        ("20090", "FR", "INAO"),
        ("80000", "MA", "INAO"),
    ],
)
async def test_the_department_decides_and_where_it_is_not_there_the_national_authority(
    territory: Territory, postal_code: str, country: str, validates: str
) -> None:
    request = await territory.asks(**elsewhere(postal_code, country))
    assert (await territory.confirms(request)).json()["authority"]["name"] == validates


async def test_requests_of_one_hour_stand_in_one_letter(territory: Territory) -> None:
    first = await territory.confirmed("one@tarn.example")
    territory.house.clock.forward(minutes=5)
    second, third = await territory.confirmed("two@tarn.example"), await territory.confirmed("three@tarn.example")
    assert (await letters(territory, first), await letters(territory, second)) == (["account-requests"], [])
    assert (await territory.look(second)).due.name == "authority told"  # type: ignore[union-attr]
    course = await territory.rings(second)
    assert [each.letter for each in course.letters] == ["account-requests"]
    course = await territory.rings(third)
    assert course.letters == (), "the second letter told of both"


async def test_the_digest_is_made_while_it_is_written(territory: Territory) -> None:
    first = await territory.confirmed("one@tarn.example")
    territory.house.clock.forward(minutes=1)
    await territory.confirmed("two@tarn.example", first_name="Paul")
    link = await territory.house.one("SELECT id FROM link WHERE purpose = 'account-requests'")
    services = territory.house.around.gatekeeper
    headers = {"Authorization": f"Bearer {service_token('notifications', services._ring)}"}
    facts = (await territory.house.client.get(f"/links/{link}", headers=headers)).json()["facts"]
    assert facts["count"] == 2
    assert facts["requests"][0]["name"] == "Ann O'Neill"
    assert facts["requests"][0]["url"].endswith(f"/users/{first}")
    async with territory.house.around.database.transaction() as session:
        await session.execute(text("DELETE FROM post WHERE person_id = :p"), {"p": ODILE})
    assert (await territory.house.client.get(f"/links/{link}", headers=headers)).status_code == 404


async def test_the_clocks_remind_escalate_and_let_it_expire(territory: Territory) -> None:
    request = await territory.confirmed()  # on a Friday at noon
    asked = territory.house.clock()
    due = (await territory.look(request)).due
    assert due is not None
    assert (due.name, due.at) == ("validator_reminded", asked + timedelta(days=4)), "two working days"
    assert [each.person_id for each in (await territory.rings(request)).letters] == [ODILE]
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.sees(request)).status_code == 404
    course = await territory.rings(request)
    assert [each.person_id for each in course.letters if each.letter == "account-requests-late"] == [SYLVIE]
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.sees(request)).json()["late"] is True
    course = await territory.rings(request)
    assert (course.state, course.over) == ("EXPIRED", True)
    assert territory.house.clock() >= asked + timedelta(days=30)
    assert "account-expired" in [each.letter for each in course.letters]
    assert await letters(territory, await territory.asks()) == ["account-confirmation"], "the address is free again"


async def test_the_authority_above_may_decide_once_it_was_told(territory: Territory) -> None:
    request = await territory.confirmed()
    await territory.rings(request)
    await territory.rings(request)
    sylvie = await territory.official(SYLVIES)
    assert (await sylvie.decides(request, "activate")).status_code == 200
    territory_of = await territory.house.one("SELECT authority_id FROM account WHERE id = :i", i=request)
    assert str(territory_of) == DDPP_31, "it stays in the territory of its department"


# ── Decisions ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("email", [OTHMARS, SYLVIES, "paul@inao.example", "ops@platform.example"])
async def test_for_every_other_authority_there_is_nothing_here(territory: Territory, email: str) -> None:
    request = await territory.confirmed()
    stranger = await territory.official(email)
    assert (await stranger.sees(request)).status_code == 404
    assert (await stranger.decides(request, "activate")).status_code == 404
    assert (await stranger.corrects_blindly(request)).status_code == 404
    assert (await stranger.finds())["items"] == []


async def test_an_operator_has_no_users(territory: Territory) -> None:
    claire = await territory.official("claire@pyrenees.example")
    assert (await claire.finds())["code"] == "not_found"


async def test_the_paper_refuses_a_wrong_decider_whatever_the_door_did(territory: Territory) -> None:
    request = await territory.confirmed()
    wrong = Actor(CAMILLE, "Camille Fabre", DDPP_31, "AUTHORITY")
    with pytest.raises(Refused) as refusal:
        await territory.take(request, "activate", actor=wrong)
    assert refusal.value.code == "not_found"


async def test_a_refusal_says_why_and_frees_the_address(territory: Territory) -> None:
    request = await territory.confirmed()
    odile = await territory.official(ODILES)
    silent = await odile.decides(request, "refuse")
    assert silent.json()["problems"][0]["field"] == "reason"
    refused = (await odile.decides(request, "refuse", "No such establishment")).json()
    assert (refused["status"], refused["may"]) == ("REFUSED", [])
    assert "account-refused" in await letters(territory, request)
    assert (await odile.decides(request, "activate")).json()["code"] == "already_decided"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401
    assert await letters(territory, await territory.asks()) == ["account-confirmation"]


async def test_nobody_decides_what_he_has_not_seen(territory: Territory) -> None:
    request = await territory.confirmed()
    odile = await territory.official(ODILES)
    revision = (await odile.sees(request)).json()["revision"]
    assert (await odile.corrects(request, first_name="Anna")).json()["first_name"] == "Anna"
    late = await odile.decides(request, "activate", revision=revision)
    assert late.json()["code"] == "already_decided"


async def test_several_at_once_and_what_came_of_each(territory: Territory) -> None:
    odile = await territory.official(ODILES)
    requests = [await territory.confirmed(f"ann{each}@tarn.example") for each in range(3)]
    chosen = [{"id": each, "revision": (await odile.sees(each)).json()["revision"]} for each in requests]
    chosen[1]["revision"] = 0
    chosen.append({"id": str(uuid4()), "revision": 1})
    body = {"action": "activate", "chosen": chosen}
    answer = (await territory.post("/users/actions", body, **odile.headers)).json()
    assert [each["code"] for each in answer] == ["", "already_decided", "", "not_found"]
    assert (await odile.finds(state="VALID"))["waiting"] == 1


# ── Finding and correcting ────────────────────────────────────────────────────────────────────────────────────


async def test_search_sorts_and_pages(territory: Territory) -> None:
    names = ("Ångström", "Bauer", "Cazal", "Παπαδόπουλος", "عبد الله")
    for number, name in enumerate(names):
        await territory.confirmed(f"user{number}+x@tarn.example", last_name=name)
    odile = await territory.official(ODILES)
    seen: list[str] = []
    after = ""
    while True:
        page = await odile.finds(limit=2, sort="-name", **({"after": after} if after else {}))
        seen += [each["last_name"] for each in page["items"]]
        after = page["next"]
        if not after:
            break
    assert sorted(seen) == sorted(names)
    assert page["waiting"] == 5
    for wanted in ({"email": "USER3+X@"}, {"name": "παπα"}, {"name": "Ann عبد"}):
        assert len((await odile.finds(**wanted))["items"]) == 1, wanted
    for wanted in ({"postal_code": "312"}, {"organisation": "lapujade"}, {"state": "CONFIRMED"}):
        assert len((await odile.finds(**wanted))["items"]) == 5, wanted
    for wanted in ({"postal_code": "81"}, {"organisation": "100%"}, {"state": "VALID"}):
        assert (await odile.finds(**wanted))["items"] == [], wanted
    for sort in ("organisation", "-postal_code", "status", "-since"):
        assert len((await odile.finds(sort=sort))["items"]) == 5, sort
    assert (await odile.finds(sort="password_hash"))["code"] == "invalid"
    assert (await odile.finds(after="rubbish"))["code"] == "invalid"


async def test_corrections_are_journalled_and_never_touch_the_address(territory: Territory) -> None:
    user = await territory.valid()
    odile = await territory.official(ODILES)
    assert (await odile.corrects(user, email="evil@tarn.example")).json()["code"] == "invalid"
    corrected = (await odile.corrects(user, last_name="O'Brien", language="fr")).json()
    assert (corrected["last_name"], corrected["email"]) == ("O'Brien", "ann@tarn.example")
    assert (corrected["lines"][0]["action"], corrected["lines"][0]["reason"]) == ("correct", "last_name, language")
    wrong = await odile.corrects(user, first_name=" ")
    assert wrong.json()["problems"][0]["field"] == "first_name"
    assert await territory.house.announced("identity.person.changed.v1")


async def test_a_corrected_place_may_be_somebody_elses_territory(territory: Territory) -> None:
    request = await territory.confirmed()
    odile, othmar = await territory.official(ODILES), await territory.official(OTHMARS)
    assert (await odile.corrects(request, **elsewhere("81000"))).json() is None
    assert (await odile.sees(request)).status_code == 404
    assert (await othmar.sees(request)).json()["status"] == "CONFIRMED"
    assert (await othmar.decides(request, "activate")).status_code == 200
    assert (await othmar.corrects(request, **elsewhere("31000"))).json() is None
    assert (await odile.sees(request)).json()["status"] == "VALID"


async def test_a_deleted_user_is_out_at_once_and_his_address_is_free(territory: Territory) -> None:
    user = await territory.valid()
    secret = (await territory.house.sign_in("ann@tarn.example")).json()["session"]
    odile = await territory.official(ODILES)
    assert (await odile.decides(user, "delete")).status_code == 422, "with a reason"
    deleted = (await odile.decides(user, "delete", "Left the company")).json()
    assert (deleted["status"], deleted["may"]) == ("DELETED", [])
    me = await territory.house.client.get("/me", headers={"Authorization": f"Session {secret}"})
    assert me.status_code == 401
    course = await territory.look(user, Kind.LIFE)
    assert ([each.letter for each in course.letters], course.over) == (["account-deleted"], True)
    assert await letters(territory, await territory.asks()) == ["account-confirmation"]


# ── Temporary passwords and the secret question ───────────────────────────────────────────────────────────────


async def signs_in_temporarily(territory: Territory, password: str, email: str = "ann@tarn.example") -> Any:
    return await territory.post("/passwords/temporary", {"email": email, "password": password})


async def own(territory: Territory, form: str, **more: Any) -> Any:
    body = {"form": form, "password": NEW, "password_again": NEW, "question": "hero", "answer": "Zorro"} | more
    return await territory.post("/passwords/own", body)


async def test_a_temporary_password_leads_to_ones_own_and_the_question(territory: Territory) -> None:
    await territory.valid()
    reset = await asked_again(territory)
    assert [each.letter for each in (await territory.look(reset, Kind.RESET)).letters] == ["password-temporary"]
    password = await territory.temporary(reset)
    assert LOOKS_LIKE.fullmatch(password)
    assert (await territory.house.sign_in("ann@tarn.example", password)).status_code == 401, "it is no sign-in"
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 201, "the old one stays till then"
    opened = (await signs_in_temporarily(territory, password)).json()
    assert (opened["asks"], opened["name"]) == ("answer", "Ann O'Neill")
    assert (await signs_in_temporarily(territory, password)).json()["code"] == "bad_credentials", "once"
    for wrong in ({"answer": "zorro"}, {"answer": "Zorro "}, {"question": "band"}):
        answer = (await own(territory, opened["form"], **wrong)).json()
        assert answer["problems"][0]["code"] == "answer_wrong", wrong
    assert (await own(territory, opened["form"], password="weak", password_again="weak")).status_code == 422
    assert (await own(territory, opened["form"])).status_code == 200
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401
    assert (await territory.house.sign_in("ann@tarn.example", NEW)).status_code == 201
    assert (await own(territory, opened["form"])).json()["code"] == "link_expired"


async def test_a_temporary_password_is_dead_after_a_day_and_after_a_newer_one(territory: Territory) -> None:
    await territory.valid()
    older = await territory.temporary(await asked_again(territory))
    newer = await territory.temporary(await asked_again(territory))
    assert (await signs_in_temporarily(territory, older)).status_code == 401
    territory.house.clock.forward(hours=24)
    assert (await signs_in_temporarily(territory, newer)).status_code == 401


async def test_five_wrong_answers_end_a_temporary_password(territory: Territory) -> None:
    await territory.valid()
    form = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    for _ in range(5):
        assert (await own(territory, form["form"], answer="?")).json()["code"] == "incomplete"
    assert (await own(territory, form["form"])).json()["code"] == "link_expired"


async def test_guesses_of_temporary_passwords_are_counted_alike_for_unknown_addresses(territory: Territory) -> None:
    await territory.valid()
    await asked_again(territory)
    for email in ("ann@tarn.example", "nobody@nowhere.example"):
        codes = [(await signs_in_temporarily(territory, "TR000000000000", email)).json()["code"] for _ in range(11)]
        assert codes == ["bad_credentials"] * 10 + ["too_many_attempts"]


async def test_after_mere_inactivity_no_question_is_asked(territory: Territory) -> None:
    user = await territory.valid()
    async with territory.house.around.database.transaction() as session:
        await session.execute(
            text("UPDATE account SET status = 'BLOCKED', block_reason = 'INACTIVITY' WHERE id = :i"), {"i": user}
        )
    opened = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    assert opened["asks"] == "none"
    assert (await own(territory, opened["form"], question="", answer="")).status_code == 200
    assert (await territory.house.sign_in("ann@tarn.example", NEW)).status_code == 201


async def test_after_the_authoritys_reset_a_new_question_is_chosen(territory: Territory) -> None:
    user = await territory.valid()
    secret = (await territory.house.sign_in("ann@tarn.example")).json()["session"]
    odile = await territory.official(ODILES)
    assert (await odile.decides(user, "reset_password", "He forgot his answer, too")).status_code == 200
    me = await territory.house.client.get("/me", headers={"Authorization": f"Session {secret}"})
    assert me.status_code == 401
    assert (await territory.house.sign_in("ann@tarn.example")).status_code == 401, "the old one is put aside"
    reset = str(await territory.house.one("SELECT id FROM reset WHERE by_authority"))
    assert (await territory.look(reset, Kind.RESET)).letters[0].letter == "password-temporary"
    opened = (await signs_in_temporarily(territory, await territory.temporary(reset))).json()
    assert opened["asks"] == "new"
    assert (await own(territory, opened["form"], question="", answer="")).status_code == 422
    assert (await own(territory, opened["form"], question="team", answer="Stade")).status_code == 200
    form = (await signs_in_temporarily(territory, await territory.temporary(await asked_again(territory)))).json()
    assert form["asks"] == "answer"
    assert (await own(territory, form["form"], question="team", answer="Stade", password="Pear-tree-77!",
                      password_again="Pear-tree-77!")).status_code == 200  # fmt: skip


async def test_where_the_question_is_kept_it_is_asked_after_the_authoritys_reset_too(territory: Territory) -> None:
    territory.house.around.settings.reset_keeps_question = True
    user = await territory.valid()
    odile = await territory.official(ODILES)
    assert (await odile.sees(user)).json()["keeps_question"]
    assert (await odile.decides(user, "reset_password", "Asked by telephone")).status_code == 200
    reset = str(await territory.house.one("SELECT id FROM reset WHERE by_authority"))
    await territory.look(reset, Kind.RESET)
    opened = (await signs_in_temporarily(territory, await territory.temporary(reset))).json()
    assert opened["asks"] == "answer"
    assert (await own(territory, opened["form"], question="team", answer="Stade")).status_code == 422
    assert (await own(territory, opened["form"], question="hero", answer="Zorro")).status_code == 200


async def test_a_platform_administrator_sets_a_new_question_and_both_are_told(territory: Territory) -> None:
    user = await territory.valid()
    ops = await territory.official("ops@platform.example")
    assert (await ops.finds())["items"] == [], "an exact address, or nothing"
    found = (await ops.finds(email="ANN@tarn.example"))["items"]
    assert [(each["id"], each["may"], each["organisation"]["name"]) for each in found] == [(user, ["set_question"], "")]
    body = {"revision": found[0]["revision"], "question": "band", "answer": "Noir Désir", "reason": "Asked by post"}
    headers = ops.headers | {"Idempotency-Key": uuid4().hex}
    answer = await territory.house.client.put(f"/users/{user}/question", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    course = await territory.look(user, Kind.LIFE)
    told = {(each.letter, each.person_id) for each in course.letters}
    assert told == {("question-changed", user), ("question-changed", ODILE)}
    odile = await territory.official(ODILES)
    refused = await territory.house.client.put(
        f"/users/{user}/question", json=body, headers=odile.headers | {"Idempotency-Key": uuid4().hex}
    )
    assert refused.status_code == 404
    assert (await ops.decides(user, "delete", "no")).status_code == 404
