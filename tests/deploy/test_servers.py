"""The same processes on real servers: compose and the chart start what `make run` starts, told the same things."""

import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from deploy.local.programs import PORTS, ROOT, SERVICES
from deploy.local.temporal import SEARCH_ATTRIBUTES
from services.identity.tools import Tool

DEPLOY = ROOT / "deploy"
NINE = {"portal"} | {f"{row.name}-{part}" for row in SERVICES if row.name != "portal" for part in ("api", "worker")}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def chart() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text())
    return found


def settings_of(service: str) -> set[str]:
    """The settings a service knows, as they are written in the environment."""
    module = importlib.import_module(f"services.{service}.settings")
    known = next(
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and hasattr(each, "model_fields")
    )
    return {f"{service}_{field}".upper() for field in known.model_fields}


def test_compose_and_chart_start_the_nine_processes(compose: dict[str, Any], chart: dict[str, Any]) -> None:
    ours = {name for name, one in compose["services"].items() if "build" in one and not name.endswith("-migrate")}
    assert ours == NINE
    assert {each["name"] for each in chart["processes"]} == NINE


def test_every_database_is_migrated_before_its_doors_open(compose: dict[str, Any], chart: dict[str, Any]) -> None:
    owners = {row.name for row in SERVICES} - {"portal"}
    assert set(chart["migrations"]) == owners
    for name in owners:
        for part in ("api", "worker"):
            before = compose["services"][f"{name}-{part}"]["depends_on"]
            assert before[f"{name}-migrate"] == {"condition": "service_completed_successfully"}


def test_every_setting_is_one_the_process_knows(compose: dict[str, Any]) -> None:
    for name in NINE:
        service = name.partition("-")[0]
        told = set(compose["services"][name]["environment"])
        assert told <= settings_of(service), told - settings_of(service)


def test_the_chart_tells_only_settings_that_exist() -> None:
    template = (DEPLOY / "helm" / "templates" / "_common.tpl").read_text()
    for field in re.findall(r"\{\{ \.service \}\}_([A-Z_]+)", template):
        assert f"CERTIFICATES_{field}" in settings_of("certificates"), field
    for name in re.findall(r"name: (NOTIFICATIONS_[A-Z_]+)", template):
        assert name in settings_of("notifications"), name


def test_what_is_written_to_files_is_on_a_volume(compose: dict[str, Any], chart: dict[str, Any]) -> None:
    assert set(chart["claims"]) == {"PORTAL", "CERTIFICATES"}
    for name in ("portal", "certificates-api", "certificates-worker"):
        one = compose["services"][name]
        folder = one["environment"][f"{name.partition('-')[0].upper()}_VAR"]
        assert [volume.partition(":")[2] for volume in one["volumes"]] == [folder]
        assert {volume.partition(":")[0] for volume in one["volumes"]} <= set(compose["volumes"])


def test_ports_are_the_usual_ones(compose: dict[str, Any], chart: dict[str, Any]) -> None:
    usual = dict(PORTS)
    for each in chart["processes"]:
        assert each["port"] == usual[each["service"].lower()]
    for name in NINE:
        service = name.partition("-")[0]
        assert int(compose["services"][name]["environment"][f"{service.upper()}_PORT"]) == usual[service]


def test_only_the_portal_can_be_reached_and_only_on_this_host(compose: dict[str, Any]) -> None:
    published = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}
    assert set(published) == {"portal", "temporal-ui-engine-pages"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    engine = compose["services"]["temporal-ui-engine-pages"]
    assert engine["profiles"], "started only by whoever asks for it"
    assert engine["environment"]["TEMPORAL_AUTH_ENABLED"] == "true"


def test_the_engines_pages_sign_in_as_a_tool_identity_knows(compose: dict[str, Any]) -> None:
    def filled(text: str) -> str:
        return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text).replace("${TEMPORAL_UI_SECRET:?}", "s" * 48)

    told = compose["services"]["identity-api"]["environment"]["IDENTITY_TOOLS"]
    (tool,) = [Tool.model_validate(each) for each in json.loads(filled(told))]
    says = {
        name: filled(value) for name, value in compose["services"]["temporal-ui-engine-pages"]["environment"].items()
    }
    assert (says["TEMPORAL_AUTH_CLIENT_ID"], says["TEMPORAL_AUTH_CALLBACK_URL"]) == (
        tool.client_id, tool.redirect_uris[0]
    )  # fmt: skip
    assert says["TEMPORAL_AUTH_CLIENT_SECRET"] == "s" * 48
    assert set(says["TEMPORAL_AUTH_SCOPES"].split(",")) <= set(tool.scopes)
    assert tool.role_types == ("SYS_ADMIN",)


def test_nothing_demonstrates_on_real_servers() -> None:
    for file in (DEPLOY / "compose.yaml", *(DEPLOY / "helm").rglob("*.*")):
        assert "DEMO" not in file.read_text()


def test_an_acknowledged_message_is_on_the_disk() -> None:
    assert re.search(r"^\s*sync_interval: always$", (DEPLOY / "nats.conf").read_text(), re.MULTILINE)


def test_temporal_knows_what_lists_are_searched_by() -> None:
    script = (DEPLOY / "temporal.sh").read_text()
    assert all(f"{name}:{kind}" in script for name, kind in SEARCH_ATTRIBUTES)


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_well_formed(script: Path) -> None:
    assert subprocess.run(["/bin/sh", "-n", str(script)], check=False).returncode == 0


def test_what_the_image_copies_is_there_and_reaches_the_builder() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    offered = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in re.findall(r"^COPY ((?!--)\S+)", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists(), source
        assert source in offered, source
