"""Identity answers whatever its description allows, without falling over."""

from dataclasses import replace

from services.identity.app import create_app
from shared.kit.sessions import Post
from tests.services.any_request import answers, made_up
from tests.services.conftest import PassportOffice, Visitor
from tests.services.identity.conftest import CLAIRE, TOULOUSE, House, by


async def test_no_request_its_description_allows_breaks_the_service(
    house: House, passports: PassportOffice, visit: Visitor
) -> None:
    app = create_app(replace(house.around))
    cases = made_up(app)
    assert len(cases) > len(app.openapi()["paths"])
    person = passports.bearer(Post(TOULOUSE, "OPERATOR", administrator=True), person_id=CLAIRE)
    for who in (person, by(await house.secret())):
        assert await answers(house.client, cases, who, {"person_id": CLAIRE, "account_id": CLAIRE}) == []
