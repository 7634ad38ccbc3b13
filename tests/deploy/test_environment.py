"""What `make run` needs before it can begin: when it is missing, the first line says which package to install."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.programs import ROOT

TOOLS = ("sh", "cmp", "cp", "echo", "apt-get")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A clone with a lock and no environment, and a path without Python."""
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def make_environment(clone: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / "deploy" / "environment.sh")],
        cwd=clone,
        env={"PATH": str(clone / "bin"), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


def python(clone: Path, answers: str) -> None:
    """A Python that succeeds or fails as told."""
    program = clone / "bin" / "python3"
    program.write_text(f"#!/bin/sh\n{answers}\n")
    program.chmod(0o755)


def test_without_python_the_first_line_names_the_package(bare: Path) -> None:
    done = make_environment(bare)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("Python 3.11 or newer is missing: ")
    assert "python3" in done.stderr.splitlines()[0]


def test_an_old_python_is_none(bare: Path) -> None:
    python(bare, "exit 1")
    assert "Python 3.11 or newer is missing" in make_environment(bare).stderr


def test_without_venv_the_first_line_names_the_package(bare: Path) -> None:
    python(bare, 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac')
    done = make_environment(bare)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("Python's venv is missing: ")


def test_an_environment_that_is_up_to_date_is_left_alone(bare: Path) -> None:
    (bare / ".venv").mkdir()
    shutil.copy(bare / "requirements.lock", bare / ".venv" / "installed.lock")
    done = make_environment(bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
