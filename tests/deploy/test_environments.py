"""Production, acceptance and training: installations of their own, and every page says which one this is."""

import re
import shutil
import subprocess

import pytest

from deploy.local.__main__ import ENVIRONMENTS, home
from deploy.local.programs import ROOT
from services.portal.look import STATIC
from services.portal.names import ENVIRONMENTS as NAMES
from services.portal.settings import PortalSettings


@pytest.mark.parametrize("wish", ["run", "demo", "stop", "reset"])
def test_make_hands_the_environment_on(wish: str) -> None:
    make = [shutil.which("make") or "make", "-n", wish]
    said = subprocess.run([*make, "ENV=training"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"deploy.local {wish} --environment training" in said
    assert "--environment" not in subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_each_keeps_its_state_in_a_folder_of_its_own() -> None:
    assert len({home(each) for each in (*ENVIRONMENTS, None)}) == len(ENVIRONMENTS) + 1
    assert "var-*/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_each_has_its_name_and_its_colour() -> None:
    assert tuple(NAMES) == ENVIRONMENTS
    css = (STATIC / "portal.css").read_text(encoding="utf-8")
    colours = [re.search(rf"\.strip-{each} {{ background: (#\w+)", css) for each in ENVIRONMENTS]
    assert len({found[1] for found in colours if found}) == len(ENVIRONMENTS)


def test_no_other_name_is_taken() -> None:
    with pytest.raises(ValueError, match="environment"):
        PortalSettings(environment="play")
