"""The directory answers whatever its description allows, without falling over."""

from services.directory import demo
from services.directory.app import create_app
from tests.services.any_request import answers, made_up
from tests.services.directory.conftest import House


async def test_no_request_its_description_allows_breaks_the_service(house: House) -> None:
    app = create_app(house.around)
    cases = made_up(app)
    assert len(cases) > len(app.openapi()["paths"])
    where = demo.organisation_id("pyrenees-bio-import")
    who = house.person("thomas-hardy", "dgccrf", "AUTHORITY", administrator=True).headers
    assert await answers(house.client, cases, who, {"organisation_id": where}) == []
