"""SPS certificates: what is written is read again without loss, and nothing is half taken over."""

from typing import Any
from xml.etree import ElementTree

import pytest

from services.certificates.seal_check import check
from services.certificates.sps.structure import PARTS, RAM, faults
from services.certificates.sps.writing import STATUS_CODES
from shared.rules.status import Status
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.world import BODY, CUSTOMS, EXPORTER, FORWARDER, IMPORTER, STRANGER, boxes, line

TYPED = (
    "issuing_body", "exporter", "importer", "first_consignee", "entry_authority", "clearance_country",
    "countries_of_origin", "country_of_export", "responsible_for_load", "product_lines", "containers", "seals",
    "gross_weight", "transport", "departure_at", "arrival_at", "national_reference", "release_by_batches",
    "bulk_no_container", "trader_without_handling", "transfer_to", "control_point",
)  # fmt: skip


async def taken(house: House, body: str | bytes, key: str = "", by: str = EXPORTER) -> Any:
    """The answer to a document that is sent in."""
    headers = {"Idempotency-Key": key or fresh(), "Content-Type": "application/xml"}
    return await house.door(by).post("/certificates/sps", content=body, headers=headers)


async def exported(house: House, certificate_id: str, by: str = EXPORTER) -> str:
    """A certificate as the door writes it."""
    answer = await house.door(by).get(f"/certificates/{certificate_id}/sps.xml")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    return str(answer.text)


@pytest.mark.parametrize("model", ["COI_2017", "COI_2022"])
async def test_what_is_written_is_read_again_without_loss(house: House, model: str) -> None:
    lines = [
        line(1, trade_name="Dattes « Medjool » & Cie <1>", lot="L/1-é"),
        line(2, cn_code="15092000", net_weight="250.5", unit="LTR", packages=None, package_type="VL"),
    ]
    later: dict[str, Any] = {"seals": ["S-1", "S-2"]}
    if model == "COI_2022":
        lines = [{**each, "organic": "in_conversion"} for each in lines]
        later["trader_without_handling"] = STRANGER
        later |= {"transfer_to": "Saint-Charles", "control_point": "FRPGF4"}
    lines[1].pop("packages")
    later |= {"national_reference": "N-7", "responsible_for_load": [FORWARDER, IMPORTER]}
    certificate_id = await house.drafted(boxes(product_lines=lines, **later), model=model)
    document = await exported(house, certificate_id)
    assert faults(ElementTree.fromstring(document)) == []
    made = await taken(house, document)
    assert made.status_code == 201, made.text
    before, after = (await house.row(certificate_id)).content, (await house.row(made.json()["id"])).content
    assert made.json()["form_model"] == model
    for name in TYPED:
        assert after.get(name) == before.get(name), name


async def test_batches_goods_in_bulk_and_holes_survive_as_well(house: House) -> None:
    bulk: dict[str, Any] = {
        "release_by_batches": True,
        "first_consignee": None,
        "bulk_no_container": True,
        "containers": [],
        "seals": [],
    }
    certificate_id = await house.drafted(boxes(**bulk, transport={"mode": "1"}, gross_weight=None, arrival_at=None))
    made = await taken(house, await exported(house, certificate_id))
    before, after = (await house.row(certificate_id)).content, (await house.row(made.json()["id"])).content
    assert {name: after.get(name) for name in TYPED} == {name: before.get(name) for name in TYPED}


async def test_a_signed_certificate_says_its_status_and_who_signed(house: House) -> None:
    certificate_id = await house.at(Status.CONSIGNMENT_VERIFIED)
    root = ElementTree.fromstring(await exported(house, certificate_id, CUSTOMS))
    assert faults(root) == []
    assert root.findtext(f".//{{{RAM}}}StatusCode") == "70"
    assert root.findtext(f".//{{{RAM}}}ID") == "COI.MA.2026.0000001"
    assert len(root.findall(f".//{{{RAM}}}SignatorySPSAuthentication")) == 2
    assert (await house.door(STRANGER).get(f"/certificates/{certificate_id}/sps.xml")).status_code == 404
    assert set(STATUS_CODES) == set(Status)


async def test_the_same_key_makes_one_draft(house: House) -> None:
    document, key = await exported(house, await house.draft()), fresh()
    first, again = await taken(house, document, key), await taken(house, document, key)
    assert first.json()["id"] == again.json()["id"]
    other = await taken(house, document.replace("Medjool", "Deglet"), key)
    assert other.json()["code"] == "key_reused"


async def test_organisations_go_by_code_or_name_as_well(house: House) -> None:
    document = await exported(house, await house.draft())
    for each in (BODY, EXPORTER):
        document = document.replace(f"<ram:ID>{each}</ram:ID>", "")
    document = document.replace("ECOCERT SA", "another name")
    made = await taken(house, document)
    assert made.status_code == 201, made.text
    assert (made.json()["content"]["issuing_body"], made.json()["content"]["exporter"]) == (BODY, EXPORTER)


WRONG = (
    ("<ram:TypeCode>856</ram:TypeCode>", "", "SPSExchangedDocument/TypeCode", "sps_missing"),
    ("<ram:TypeCode>856<", "<ram:TypeCode>851<", "SPSExchangedDocument/TypeCode", "sps_type"),
    ("<ram:StatusCode>", "<ram:Colour>red</ram:Colour><ram:StatusCode>", "SPSExchangedDocument/Colour", "sps_unknown"),
    ("<ram:StatusCode>", "<ram:StatusCode>47</ram:StatusCode><ram:StatusCode>",
     "SPSExchangedDocument/StatusCode", "sps_twice"),
    ("<ram:StatusCode>47</ram:StatusCode>", "<ram:CopyIndicator/><ram:StatusCode>47</ram:StatusCode>",
     "SPSExchangedDocument/StatusCode", "sps_order"),
    ("<ram:Content>not signed</ram:Content>", "", "IncludedSPSClause[1]/Content", "sps_missing"),
    (">1000.000<", ">a lot<", "IncludedSPSTradeLineItem[2]/NetWeightMeasure", "sps_value"),
    ("2026-11-23T08", "yesterday", "SPSConsignment/ExportExitDateTime", "sps_value"),
    ("ECOCERT SA", "nobody", "issuing_body", "organisation_not_found"),
    (">08041000<", ">0804<", "product_lines[0].cn_code", "not_commodity"),
    (":SPSCertificate:17", ":SPSCertificate:5", "SPSCertificate", "sps_missing"),
)  # fmt: skip


async def test_every_fault_is_named_by_its_place_and_nothing_is_taken_over(house: House) -> None:
    document = await exported(house, await house.draft())
    document = document.replace(f"<ram:ID>{BODY}</ram:ID>", "").replace("<ram:TypeCode>MA-BIO-154</ram:TypeCode>", "")
    had = len((await house.get(EXPORTER, "/certificates"))["items"])
    for here, there, place, code in WRONG:
        assert here in document, here
        answer = await taken(house, document.replace(here, there, 10 if code == "organisation_not_found" else 1))
        said = answer.json()
        assert (answer.status_code, said["code"]) == (422, "sps_wrong"), answer.text
        assert any(each["field"].endswith(place) and each["code"] == code for each in said["problems"]), said
        assert said["field"]
    assert len((await house.get(EXPORTER, "/certificates"))["items"]) == had


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">{}]><b>&z;</b>'.format(
    "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(25))
)
EVIL = (
    (BOMB, 422, "file_entities"),
    ('<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', 422, "file_entities"),
    ("<a>" * 5000, 422, "file_damaged"),
    ("<a>", 422, "file_damaged"),
    ('<?xml version="1.0" encoding="no-such"?><a/>', 422, "file_damaged"),
    ("", 422, "file_empty"),
    ("%PDF-1.7 %%EOF", 415, "sps_kind"),
    ("{}", 415, "sps_kind"),
    ("<a/>" + " " * 1_000_000, 413, "too_large"),
)


async def test_bombs_and_other_files_are_refused(house: House) -> None:
    for body, status, code in EVIL:
        answer = await taken(house, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (body[:40], answer.text)


async def test_the_printed_copy_brings_it_along(house: House) -> None:
    certificate_id = await house.at(Status.ISSUED)
    answer = await house.door(EXPORTER).get(f"/certificates/{certificate_id}/pdf", params={"language": "en"})
    files = (await check(answer.content, [])).files
    assert files["sps-certificate.xml"].decode() == (await exported(house, certificate_id)).replace("\r", "")


def test_every_kind_that_is_named_is_described() -> None:
    kinds = {part.of for part in PARTS}
    assert {part.holds for part in PARTS if part.holds[0].isupper()} <= kinds
    assert len({(part.of, part.name) for part in PARTS}) == len(PARTS)
