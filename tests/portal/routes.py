"""Every page of the portal, from its routers, with an address of each: whatever is added there is looked at here."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.routing import APIRoute

from services.portal.app import AREAS
from tests.portal.batches import EXTRACT
from tests.portal.classic import ANN
from tests.portal.making import DOCUMENT, QUESTION, TEMPLATE, UPLOAD
from tests.portal.programs import DELIVERY, HOOK
from tests.portal.world import World, organisation_id

OPS = "ops@bordereau.example"
EXPORTER = "exporter@atlas.example"
AUTHORITY = "supervisor@dgccrf.example"
ABSENT = "00000000-0000-4000-8000-000000000000"
"""The id of nothing: what needs more of a world than this one answers that it is not there."""


@dataclass(frozen=True)
class Address:
    """One route with its holes filled in, and who looks at it."""

    method: str
    path: str
    route: str
    email: str


def addresses(world: World, certificate_id: str, action: str = "copy") -> Iterator[Address]:
    """Every route and method, with an address that leads somewhere in this world."""
    world.certificates.programs.hook()
    fillings = {
        "{certificate_id}": certificate_id,
        "{extract_id}": EXTRACT,
        "{document_id}": DOCUMENT,
        "{upload_id}": UPLOAD,
        "{question_id}": QUESTION,
        "{template_id}": TEMPLATE,
        "{organisation_id}": organisation_id("ecocert-ma"),
        "{action}": action,
        "{key}": "13",
        "{code}": "fr",
        "{news_id}": "1",
        "{letter_id}": "1",
        "{secret}": "good",
        "{passkey_id}": "a-passkey",
        "{session_id}": "00000000-0000-4000-8000-00000000ae61",
        "{registration_id}": "00000000-0000-4000-8000-00000000ae61",
        "{role_id}": ABSENT,
        "{proposal_id}": ABSENT,
        "{number}": "COI.MA.2026.0000001",
        "{path:path}": "",
        "{search_id}": ABSENT,
        "{token_id}": ABSENT,
        "{webhook_id}": HOOK,
        "{delivery_id}": DELIVERY,
        "{user_id}": ANN,
        "{kind}": "csv",
    }
    for area in AREAS:
        for route in area.routes:
            assert isinstance(route, APIRoute)
            path = route.path
            if path.startswith("/extracts"):
                path = path.replace("{action}", "submit")
            for hole, filling in fillings.items():
                path = path.replace(hole, filling)
            assert "{" not in path, f"{route.path} has a hole this table does not fill"
            for method in sorted(route.methods or ()):
                yield Address(method, path, route.path, reader_of(path))


def reader_of(path: str) -> str:
    """Who looks at a page: most are everybody's, some an authority's or the platform administrators'."""
    known = {"/ops": OPS, "/users": AUTHORITY}
    return next((email for beginning, email in known.items() if path.startswith(beginning)), EXPORTER)


def pages(world: World, certificate_id: str, action: str = "copy") -> list[Address]:
    """The routes that answer with a page to look at."""
    elsewhere = {"/language/{code}", "/certificates/{certificate_id}/journal.json", "/ops/temporal", "/pick"}
    elsewhere |= {"/certificates/{certificate_id}/print.pdf", "/extracts/{extract_id}/print.pdf"}
    elsewhere |= {"/extracts/{extract_id}/journal.json", "/verify/keys.json"}
    elsewhere |= {f"/certificates/{{certificate_id}}/lines{more}.{{kind}}" for more in ("", "-template")}
    elsewhere |= {f"/certificates/{{certificate_id}}/files/{{upload_id}}{more}" for more in ("", "/preview")}
    elsewhere |= {f"/certificates/{{certificate_id}}/questions/{part}" for part in ("live", "notice")}
    elsewhere |= {"/ops/temporal/{path:path}", "/certificates/{certificate_id}/boxes/{key}"}
    elsewhere |= {"/lists/certificates.{kind}", "/machines/openapi.json", "/certificates/{certificate_id}/sps.xml"}
    elsewhere |= {"/oauth/authorize", "/sign-in/elsewhere", "/sign-in/elsewhere/back"}  # test_tools.py
    elsewhere |= {"/organisations/{organisation_id}/actions", "/proposals/{proposal_id}/file"}
    return [
        each
        for each in addresses(world, certificate_id, action)
        if each.method == "GET" and each.route not in elsewhere
    ]
