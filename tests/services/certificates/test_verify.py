"""The verifier finds whatever was changed in an exported journal, and needs nothing of ours for that."""

import ast
import base64
import copy
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.certificates import verify
from shared.rules.status import Status
from tests.services.certificates.conftest import House
from tests.services.certificates.world import BODY, IMPORTER, OTHER_PRODUCER, line

Export = dict[str, Any]
PROGRAM = Path(str(verify.__file__))


@pytest.fixture(scope="session")
def saved() -> list[str]:
    """The journal of this session, once it was written and exported."""
    return []


@pytest.fixture
async def text(house: House, saved: list[str]) -> str:
    """A finished certificate's journal with an amendment in it, as its importer saved it."""
    if not saved:
        goods = [line(1), line(2, producer=OTHER_PRODUCER, producer_control_body=None)]
        certificate = await house.at(Status.ISSUED, product_lines=goods, gross_weight={"value": "2.5", "unit": "TNE"})
        await house.edit(certificate, BODY, seals=["S-1", "S-2"])
        await house.move(certificate, "verify", "00000000-0000-4000-8000-000000000006")
        await house.move(certificate, "receive", "00000000-0000-4000-8000-000000000004")
        answer = await house.door(IMPORTER).get(f"/certificates/{certificate}/journal/export")
        assert answer.status_code == 200
        assert "COI.MA.2026.0000001.journal.json" in answer.headers["content-disposition"]
        saved.append(answer.text)
    return saved[0]


@pytest.fixture
def export(text: str) -> Export:
    """The same, read."""
    found: Export = json.loads(text)
    return found


def rechained(export: Export) -> Export:
    """The work of a forger who knows how the chain is made: every hash computed anew."""
    previous = ""
    for place, each in enumerate(export["lines"], start=1):
        each["seq"], each["previous"] = place, previous
        body = {name: value for name, value in each.items() if name != "hash"}
        previous = each["hash"] = hashlib.sha256(verify.canonical(body)).hexdigest()
    export["head"], export["length"] = previous, len(export["lines"])
    return export


def test_an_exported_journal_is_in_order(export: Export) -> None:
    assert verify.check(export) == []
    assert [each["action"] for each in export["lines"]] == ["create", "submit", "sign", "amend", "verify", "receive"]
    assert len(export["documents"]) == len(export["keys"]) == 3


async def test_what_is_published_checks_what_is_exported(house: House, text: str) -> None:
    certificate = await house.at(Status.ISSUED)
    exported = await house.get(IMPORTER, f"/certificates/{certificate}/journal/export")
    published = (await house.door(IMPORTER).get("/signing-keys", headers={"Authorization": ""})).json()
    assert verify.check(exported, published) == []
    assert "not among the published keys" in verify.check(json.loads(text), published)[0]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_anywhere_is_found(text: str, data: st.DataObject) -> None:
    content = bytearray(text.encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = content.decode()
    except UnicodeDecodeError:
        return
    assert verify.checked(changed) != []


def test_one_byte_changed_at_every_place_beside_the_hashed_lines_is_found(export: Export) -> None:
    """What no line's hash covers, byte by byte: the envelope, the keys, and a sample of every line."""
    for name in ("format", "certificate_id", "number", "head"):
        for place in range(len(export[name])):
            forged = {**export, name: _bumped(export[name], place)}
            assert verify.check(forged) != [], name
    for number, key in enumerate(export["keys"]):
        for name, value in key.items():
            for place in range(len(value)):
                keys = list(export["keys"])
                keys[number] = {**key, name: _bumped(value, place)}
                assert verify.checked(json.dumps({**export, "keys": keys})) != [], name


def _bumped(text: str, place: int) -> str:
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]


@pytest.mark.parametrize("place", range(6))
def test_a_removed_line_is_found(export: Export, place: int) -> None:
    del export["lines"][place]
    assert verify.check(export) != []


@pytest.mark.parametrize("first", range(5))
def test_two_swapped_lines_are_found(export: Export, first: int) -> None:
    lines = export["lines"]
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    assert verify.check(export) != []


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
def test_a_removed_line_is_found_though_the_chain_was_made_anew(export: Export, place: int) -> None:
    del export["lines"][place]
    assert any("signature" in fault or "documents" in fault for fault in verify.check(rechained(export)))


def test_another_word_in_a_signed_line_is_found_though_the_chain_was_made_anew(export: Export) -> None:
    for name, value in (("person", "Somebody else"), ("form", {}), ("at", "2026-11-21T12:00:00+00:00")):
        forged = copy.deepcopy(export)
        forged["lines"][2][name] = value
        assert any("says something else" in fault for fault in verify.check(rechained(forged)))


def _with_key(export: Export, public: bytes) -> Export:
    (key,) = [each for each in export["keys"] if each["organisation_id"] == BODY]
    old, key["id"] = key["id"], hashlib.sha256(public).hexdigest()[:16]
    key["public_key"] = base64.b64encode(public).decode()
    for each in export["lines"]:
        if each["seal"] and each["seal"]["key"] == old:
            each["seal"]["key"] = key["id"]
    return export


def test_a_forged_key_is_found(export: Export) -> None:
    forger = Ed25519PrivateKey.generate()
    public = forger.public_key().public_bytes_raw()
    published = {"keys": copy.deepcopy(export["keys"])}
    forged = rechained(_with_key(export, public))
    assert "line 3: the signature does not fit" in verify.check(forged)
    # signed anew with the forged key: the file agrees with itself better, but not with what is published
    for place, each in enumerate(forged["lines"]):
        if each["seal"]:
            each["seal"]["statement"]["journal"] = forged["lines"][place - 1]["hash"]
            signed = forger.sign(verify.canonical(each["seal"]["statement"]))
            each["seal"]["signature"] = base64.b64encode(signed).decode()
            forged = rechained(forged)
    faults = verify.check(forged, published)
    assert f"key {hashlib.sha256(public).hexdigest()[:16]}: it is not among the published keys" in faults


@pytest.mark.parametrize(
    "change",
    [
        lambda export: export["documents"].clear(),
        lambda export: export["documents"].update({"0" * 64: "{}"}),
        lambda export: export["keys"].append({**export["keys"][0], "id": "0" * 16}),
        lambda export: export["keys"].append(export["keys"][0]),
        lambda export: export["keys"].clear(),
        lambda export: export["lines"].clear(),
        lambda export: export.update(lines=None),
        lambda export: export.update(more=1),
        lambda export: export.pop("number"),
        lambda export: export["lines"][2]["seal"].update(algorithm="none"),
        lambda export: export["lines"][2].update(seal=None),
    ],
)
def test_whatever_else_was_done_to_the_file_is_found(export: Export, change: Callable[[Export], object]) -> None:
    change(export)
    assert verify.checked(json.dumps(export)) != []


@pytest.mark.parametrize("text_", ["", "[]", "null", "{}", '{"lines": [1]}', "[" * 100_000, '{"a": 1, "a": 2}', "\x00"])
def test_what_is_no_journal_is_called_so(text_: str) -> None:
    assert "no" in verify.checked(text_)[0]


def test_the_verifier_imports_nothing_of_ours() -> None:
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}


def test_the_verifier_runs_by_itself(tmp_path: Path, text: str, export: Export) -> None:
    alone, good, bad, keys = (tmp_path / name for name in ("verify.py", "good.json", "bad.json", "keys.json"))
    alone.write_bytes(PROGRAM.read_bytes())
    good.write_text(text, encoding="utf-8")
    keys.write_text(json.dumps({"keys": export["keys"]}), encoding="utf-8")
    bad.write_text(text.replace("S-1", "S-9", 1), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-I", str(alone), str(good), str(bad), "--keys", str(keys), str(tmp_path / "none.json")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ran.returncode == 1
    assert f"{good}: in order, 6 lines, 3 signatures, COI.MA.2026.0000001" in ran.stdout
    assert f"{bad}: NOT in order" in ran.stdout
    assert "cannot be read (FileNotFoundError)" in ran.stdout
    assert verify.main([str(good)], str(keys)) == 0
