"""A certificate says one thing: the page, the text of the PDF and the answer of the door are of one revision."""

import html
import re
from dataclasses import replace
from pathlib import Path

import httpx2

from services.portal.app import create_app
from services.portal.over_http import CertificatesOverHttp
from services.portal.settings import PortalSettings
from services.portal.wire import Wire
from shared.kit.sessions import Post
from shared.rules.status import Status
from tests.portal.conftest import ADDRESS, Browser
from tests.portal.people import PASSWORD
from tests.portal.reading import CONTROL_BODY
from tests.portal.world import build
from tests.services.certificates import world
from tests.services.certificates.conftest import House
from tests.services.certificates.test_pdf import copy, text_of
from tests.services.certificates.world import BODY
from tests.services.conftest import NOON


async def opened(house: House, var: Path) -> Browser:
    """A browser at a web site that asks this house, signed in for the issuing body."""
    around, who = build(), world.person(BODY)
    token = house.bearer(Post(BODY, who.role_type), person_id=who.person_id, name=who.name, proved_at=NOON)
    mark = token["Authorization"].removeprefix("Bearer ")
    clients = replace(around.clients, certificates=CertificatesOverHttp(Wire("", house.visit(house.app))))
    settings = PortalSettings.model_validate({"portal_url": ADDRESS, "codec_key_file": var / "codec.key", "var": var})
    site = create_app(settings, clients, now=lambda: NOON)
    browser = Browser(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=ADDRESS))
    person = around.identity.people[CONTROL_BODY]
    posts = [person.posts[0].model_copy(update={"organisation_id": BODY})]
    around.identity.people[mark] = person.model_copy(update={"posts": posts})
    await browser.post("/sign-in", {"email": CONTROL_BODY, "password": PASSWORD}, follow=False)
    around.identity.sessions = dict.fromkeys(around.identity.sessions, mark)
    await browser.client.get("/language/en")
    return browser


async def test_page_copy_and_answer_show_the_same_revision_before_and_after_an_amendment(
    house: House, tmp_path: Path
) -> None:
    certificate = await house.at(Status.ISSUED)
    browser = await opened(house, tmp_path)
    for revision, weight, other in ((3, "1,100 kg", "1,250 kg"), (4, "1,250 kg", "1,100 kg")):
        answer = await house.get(BODY, f"/certificates/{certificate}")
        page = html.unescape((await browser.get(f"/certificates/{certificate}")).text)
        said = text_of(await copy(house, certificate, by=BODY))
        assert answer["revision"] == revision
        assert f'id="revision" value="{revision}"' in page
        assert f"{answer['number']} · Revision {revision}" in said
        told = f"{int(answer['content']['gross_weight']['value']):,} kg"
        for shown in (told, re.sub(r"<[^>]+>", "", page), said):
            assert (weight in shown, other in shown) == (True, False), revision
        if revision == 3:
            await house.edit(certificate, BODY, gross_weight={"value": "1250", "unit": "KGM"})
    await browser.client.aclose()
