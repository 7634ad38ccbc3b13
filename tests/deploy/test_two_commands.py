"""`make run` and `make demo` as everybody types them, but on ports and in a folder of their own."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy.local.programs import ROOT

COMMAND = "import sys; from deploy.local.__main__ import main; sys.exit(main(ports='free'))"
STATUSES = ("DRAFT", "DESCRIPTION_COMPLETED", "ISSUED", "CONSIGNMENT_VERIFIED", "FIRST_CONSIGNEE_SIGNED")
LARGEST = 1200  # MB, all processes together, idle


@dataclass(frozen=True)
class Running:
    """What runs, and what it said until READY."""

    process: "subprocess.Popen[str]"
    var: Path
    said: str

    def url(self, name: str) -> str:
        found: str = json.loads((self.var / "addresses.json").read_text())[name]
        return found


def start(var: Path, wish: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", COMMAND, wish, "--var", str(var)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Everything, started once on an empty folder."""
    var = tmp_path_factory.mktemp("a clone") / "var"
    process = start(var, "run")
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if line.startswith("READY"):
                break
        assert "READY" in said, said
        yield Running(process, var, said)
    finally:
        process.terminate()
        process.communicate(timeout=20)
        start(var, "reset").communicate(timeout=20)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def test_the_first_start_plays_the_story_and_says_where_to_look(running: Running) -> None:
    reached = [line.split()[0] for line in running.said.splitlines() if line.strip().startswith(STATUSES)]
    assert reached == list(STATUSES)
    assert re.search(r"number\s+COI\.MA\.\d{4}\.0000001$", running.said, re.MULTILINE)
    assert "letter" in running.said
    assert "/ops/temporal/namespaces/default/workflows/certificate-" in running.said
    for name in ("portal", "mailbox", "certificates"):
        assert running.url(name) in running.said
    assert "inspector@ecocert.example" in running.said


def test_what_it_names_is_there(running: Running) -> None:
    assert "<html" in get(running.url("portal"))
    assert "0000001" in get(running.url("mailbox"))
    assert "/certificates" in get(running.url("certificates") + "/openapi.json")


def test_demo_plays_it_again_while_it_runs(running: Running) -> None:
    demo = start(running.var, "demo")
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert re.search(r"number\s+COI\.MA\.\d{4}\.0000002$", said, re.MULTILINE)


def test_it_all_fits_into_memory(running: Running) -> None:
    everybody = [psutil.Process(running.process.pid), *psutil.Process(running.process.pid).children(recursive=True)]
    assert sum(one.memory_full_info().pss for one in everybody) / 1e6 < LARGEST
