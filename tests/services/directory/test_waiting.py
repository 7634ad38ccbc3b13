"""What waits, page by page: requests and proposals alike searched, filtered and sorted; and plans at volume."""

from typing import Any

from sqlalchemy import text

from services.directory import claims, search, store, waiting
from services.directory.search import Search
from services.directory.waiting import DUE, NEWEST, Wish
from tests.bench.plans import overheard, whole_tables
from tests.services.directory.conftest import House
from tests.services.directory.test_proposals import OTHER, company, inao


async def test_proposals_are_searched_filtered_counted_and_sorted(house: House) -> None:
    for number, told in enumerate((company(), OTHER)):
        house.clock.forward(hours=1)
        await house.person(f"asks-{number}").does("POST", "/organisations", told)
    desk = inao(house)

    async def names(**wanted: Any) -> list[str]:
        page = await desk.gets("/proposals", **wanted)
        assert page["number"] == len(page["items"]) or wanted.get("limit")
        return [each["organisation"]["name"] for each in page["items"]]

    both = ["Vallée du Lot Bio SARL", "Quercy Graines Négoce"]
    assert await names() == both
    assert await names(sort="newest") == both[::-1]
    assert await names(sort="due") == both
    assert await names(text="quercy") == both[1:]
    assert await names(text="Asks 0") == both[:1], "also by the applicant"
    assert (await names(country="BE"), await names(kind="CHANGE"), await names(kind="CREATION")) == ([], [], both)
    for sort in ("oldest", "newest", "due"):
        first = await desk.gets("/proposals", limit=1, sort=sort)
        rest = await desk.gets("/proposals", limit=1, sort=sort, after=first["next"])
        assert len({first["items"][0]["id"], rest["items"][0]["id"]}) == 2
        assert (first["number"], rest["next"]) == (2, None)


async def test_requests_stand_by_the_day_they_are_to_be_decided(house: House) -> None:
    early, late = house.person("early"), house.person("late")
    asked = (await early.wants("tarn-bio-import"))[0]
    house.clock.forward(hours=5)
    await late.wants("tarn-bio-import")
    await inao(house).steps_well(asked, "ask", "Since when?")  # its clock stands: it is due in thirty days
    page = await inao(house).gets("/role-requests", sort="due")
    assert [each["person"] for each in page["items"]] == ["Late", "Early"]


SEARCHES = (
    Search(text="zyxwv", country="FR"),
    Search(text="moulin 77", kind="OPERATOR"),
    Search(text="FR0000000000077"),
    Search(code="MA-BIO-154"),
    Search(country="FR", kind="OPERATOR"),
    Search(country="FR", kind="OPERATOR", section="FEED"),
    Search(status="SUSPENDED"),
)
LISTS = (Wish(), Wish(sort=DUE), Wish(sort=NEWEST), Wish(text="moulin 77"), Wish(role_type="AUTHORITY"))
HIS, NOBODYS = "00000000-0000-4000-8000-0000000000aa", "00000000-0000-4000-8000-0000000000bb"


async def test_searches_and_lists_read_no_table_from_end_to_end(empty: House) -> None:
    """Of each query the plan that PostgreSQL makes where thousands of organisations stand and as many requests wait."""
    base = empty.around.database
    async with base.transaction() as session:
        for each in CROWD:
            await session.execute(text(each))
        async with overheard(base) as asked:
            for search_ in SEARCHES:
                await search.search(session, search_)
            for wish in (*LISTS, Wish(country="BE")):
                for reader in (HIS, NOBODYS):
                    await waiting.role_requests(session, reader, True, wish)
            await store.naming(session, NOBODYS)
            await claims.hand_back(session, NOBODYS, HIS, empty.clock())
        assert len(asked) > len(SEARCHES) + 2 * len(LISTS)
        assert await whole_tables(session, asked, ("organisation", "role")) == []
        await session.rollback()


CROWD = (
    """
INSERT INTO organisation (
    id, kind, name, country, city, postal_code, address, contacts, identifiers, status, activities, recognitions,
    competences, time_zone, demo, rung, revision, created_at, updated_at, name_key, activity_kinds, recognised_in,
    numbers, words)
SELECT
    gen_random_uuid(), 'OPERATOR', 'Moulin ' || n, CASE n % 3 WHEN 0 THEN 'BE' ELSE 'FR' END, 'Cahors', '46000', '',
    '[]', '[]', 'VALID', '[{"section": "ORGANIC"}]', '[]',
    '{}', 'Europe/Paris', false, '{}', 1, now(), now(), 'moulin ' || n, '{ORG_IMPORTER}', '{}',
    ARRAY['fr' || lpad(n::text, 13, '0')],
    to_tsvector('simple', 'moulin cahors ' || n || ' fr' || lpad(n::text, 13, '0'))
FROM generate_series(1, 5000) AS n
""",
    f"""
INSERT INTO role (
    id, person_id, organisation_id, role_type, status, administrator, since, person, countries, country, message, email,
    phone, requested_at, counted_from, question, reason, rung, due_name, due_at, awaited_by, told, revision, birth_key,
    born, words)
SELECT
    gen_random_uuid(), gen_random_uuid(), id, 'OPERATOR', 'REQUESTED', false, now(), name, '{{}}', 'FR', '', '', '',
    now(), now(), '', '', '{{}}', 'validator_reminded', now(), ARRAY['{HIS}'], '{{}}', 1, name, '', words
FROM organisation
""",
    *(f"SELECT gin_clean_pending_list('{each}')" for each in (
        "organisation_words", "organisation_numbers", "organisation_activities", "role_words", "role_awaited",
        "role_told")),
    "ANALYZE organisation",
    "ANALYZE role",
)  # fmt: skip
