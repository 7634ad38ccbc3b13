"""Notifications answers whatever its description allows, without falling over."""

from services.notifications.app import create_app
from tests.services.any_request import answers, made_up
from tests.services.notifications.conftest import PostOffice


async def test_no_request_its_description_allows_breaks_the_service(office: PostOffice) -> None:
    app = create_app(office.around)
    cases = made_up(app)
    assert len(cases) > len(app.openapi()["paths"])
    assert await answers(office.client, cases, office.as_("camille"), {}) == []
