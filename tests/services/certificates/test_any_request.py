"""The certificates service answers whatever its description allows, without falling over."""

from services.certificates.scopes import SCOPES
from shared.rules.status import Status
from tests.services.any_request import answers, made_up
from tests.services.certificates.conftest import House
from tests.services.certificates.world import EXPORTER


async def test_no_request_its_description_allows_breaks_the_service(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    known = {"certificate_id": certificate_id, "number": "COI.MA.2026.0000001"}
    who = {name: value for name, value in house.door(EXPORTER).headers.items() if name in ("authorization",)}
    cases = made_up(house.app)
    assert len(cases) > len(house.app.openapi()["paths"])
    assert await answers(house.door(EXPORTER), cases, who, known) == []


async def test_every_order_of_a_program_is_described_with_an_example(house: House) -> None:
    description = house.app.openapi()
    shapes = description["components"]["schemas"]
    for method, path in SCOPES:
        body = description["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in body:
            shape = shapes[body["application/json"]["schema"]["$ref"].rpartition("/")[2]]
            for name in shape.get("required", ()):
                item = shape["properties"][name].get("items", {}).get("$ref", "").rpartition("/")[2]
                inner = shapes[item]["properties"].values() if item else [shape["properties"][name]]
                assert any("examples" in each for each in inner), f"{method} {path}: {name}"
