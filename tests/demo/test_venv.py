"""When .venv is made, brought up to date, or left alone (with a Python that only pretends)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / ".ci"

# As an interpreter: makes an "environment" that holds itself and a pip script; as its pip: fails when told to.
PRETENDER = """#!/bin/sh
case "$1 $2" in
    "-m venv")
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        echo "#!$PWD/$3/bin/python" >"$3/bin/pip"
        ;;
    "-m pip")
        echo "Collecting everything"
        [ -z "${PIP_FAULT:-}" ] || { echo "ERROR: no network"; exit 1; }
        ;;
    *ensurepip*) echo "$0" ;; # the question for a Python 3.10
esac
"""

INSTALLED, NOTHING = "Installing, a few minutes the first time", ""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with our scripts and its own pretended python."""
    folder = tmp_path / "project"
    shutil.copytree(CI, folder / ".ci")
    (folder / "pyproject.toml").write_text("[project]\n")
    python = tmp_path / "python"
    python.write_text(PRETENDER)
    python.chmod(0o755)
    return folder


def bring_up_to_date(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script, as make does."""
    return subprocess.run(
        ["/bin/sh", project / ".ci" / "venv"],
        env={**os.environ, "PYTHON": str(project.parent / "python"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_made_once(project: Path) -> None:
    """The first call says that it takes a while; the second does and says nothing."""
    first = bring_up_to_date(project)
    assert "Making .venv" in first.stdout
    assert INSTALLED in first.stdout
    second = bring_up_to_date(project)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_changed_requirements_install_again(project: Path) -> None:
    """Another pyproject.toml brings the same .venv up to date."""
    bring_up_to_date(project)
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    again = bring_up_to_date(project)
    assert INSTALLED in again.stdout
    assert "Making .venv" not in again.stdout
    assert bring_up_to_date(project).stdout == NOTHING


def test_touched_requirements_do_not(project: Path) -> None:
    """A checkout gives files new times; what is in them counts."""
    bring_up_to_date(project)
    os.utime(project / "pyproject.toml", (4_000_000_000, 4_000_000_000))
    assert bring_up_to_date(project).stdout == NOTHING


def test_broken_interpreter_is_noticed(project: Path) -> None:
    """A .venv whose interpreter is gone (another machine, a removed Python) is made anew."""
    bring_up_to_date(project)
    (project / ".venv" / "bin" / "python").unlink()
    (project / ".venv" / "leftover").touch()
    again = bring_up_to_date(project)
    assert "broken, moved, or of another Python: made anew" in again.stdout
    assert not (project / ".venv" / "leftover").exists()


def test_moved_folder_is_noticed(project: Path) -> None:
    """Scripts in a .venv hold its path: in a folder that was moved or copied it is made anew."""
    bring_up_to_date(project)
    moved = project.rename(project.with_name("moved"))
    assert "made anew" in bring_up_to_date(moved).stdout
    assert bring_up_to_date(moved).stdout == NOTHING


def test_failed_installation_is_shown_and_tried_again(project: Path) -> None:
    """The log's tail is printed, make fails, and the next call does not think that all is well."""
    failed = bring_up_to_date(project, PIP_FAULT="yes")
    assert failed.returncode != 0
    assert "ERROR: no network" in failed.stderr
    assert ".venv/install.log" in failed.stderr
    assert INSTALLED in bring_up_to_date(project).stdout
    assert bring_up_to_date(project).stdout == NOTHING


def test_no_python(project: Path) -> None:
    """Without a Python 3.10 nothing is made."""
    result = bring_up_to_date(project, PYTHON="/nowhere/python")
    assert result.returncode != 0
    assert "PYTHON=/nowhere/python is no Python 3.10" in result.stderr
    assert not (project / ".venv").exists()
