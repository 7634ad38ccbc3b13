"""What waits, page by page: requests and proposals alike searched, filtered and sorted; and plans at volume."""

from typing import Any

from sqlalchemy import ClauseElement, Executable, text
from sqlalchemy.ext.compiler import compiles

from services.directory import search
from services.directory.search import Search
from tests.services.directory.conftest import House
from tests.services.directory.test_proposals import OTHER, company, inao


class Explain(Executable, ClauseElement):
    """The plan of a query instead of its rows."""

    inherit_cache = False

    def __init__(self, query: Any) -> None:
        self.query = query


@compiles(Explain)
def _explain(element: Explain, compiler: Any, **more: Any) -> str:
    return f"EXPLAIN {compiler.process(element.query, **more)}"


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


async def test_searches_and_lists_read_no_table_from_end_to_end(empty: House) -> None:
    """Of each query the plan that PostgreSQL makes for 20,000 rows."""
    async with empty.around.database.transaction() as session:
        await session.execute(text(CROWD))
        for index in ("organisation_words", "organisation_numbers"):
            await session.execute(text(f"SELECT gin_clean_pending_list('{index}')"))
        await session.execute(text("ANALYZE organisation"))
        for wish in (
            Search(text="zyxwv", country="FR"),
            Search(text="moulin 77", kind="OPERATOR"),
            Search(text="FR0000000000077"),
            Search(code="MA-BIO-154"),
            Search(country="FR", kind="OPERATOR"),
        ):
            lines = await session.execute(Explain(search.page_of(wish)[0]))
            plan = "\n".join(str(line) for (line,) in lines)
            assert "Seq Scan" not in plan, (wish, plan)
            if wish.text or wish.code:
                assert "organisation_words" in plan or "organisation_numbers" in plan, (wish, plan)


CROWD = """
INSERT INTO organisation (
    id, kind, name, country, city, postal_code, address, contacts, identifiers, status, activities, recognitions,
    competences, time_zone, demo, rung, revision, created_at, updated_at, name_key, activity_kinds, recognised_in,
    numbers, words)
SELECT
    gen_random_uuid(), 'OPERATOR', 'Moulin ' || n, CASE n % 3 WHEN 0 THEN 'BE' ELSE 'FR' END, 'Cahors', '46000', '',
    '[]', '[]', 'VALID', '[]', '[]',
    '{}', 'Europe/Paris', false, '{}', 1, now(), now(), 'moulin ' || n, '{ORG_IMPORTER}', '{}',
    ARRAY['fr' || lpad(n::text, 13, '0')],
    to_tsvector('simple', 'moulin cahors ' || n || ' fr' || lpad(n::text, 13, '0'))
FROM generate_series(1, 20000) AS n
"""
