"""The wheel: the plugin and what it needs at run time, and nothing of the example bot."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "connectors" / "rasa_whatsapp"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the wheel and return the names of the files in it.

    Where hatchling is installed nothing is fetched; else pip fetches the build backend from the index that it is set up with.
    """
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(target), str(ROOT)]
    if importlib.util.find_spec("hatchling"):
        command.insert(4, "--no-build-isolation")
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode and "hatchling" in run.stderr:
        pytest.skip("the build backend hatchling is neither installed nor to be had from an index")
    assert run.returncode == 0, run.stderr
    (wheel,) = target.glob("rasa_whatsapp-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_only_the_plugin(names):
    """Nothing but the package and its metadata: no example bot, no tests, no second name."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"rasa_whatsapp"}
    assert len(tops) == 2


def test_everything_of_the_plugin(names):
    """Every file of the source tree is there, but for caches."""
    source = {
        f"rasa_whatsapp/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source - set(names) == set()
    assert [name for name in names if "__pycache__" in name or name.endswith(".sqlite")] == []


@pytest.mark.parametrize(
    "needed",
    [
        "rasa_whatsapp/py.typed",
        "rasa_whatsapp/storage/migrations/env.py",
        "rasa_whatsapp/storage/migrations/versions/0001_initial.py",
        "rasa_whatsapp/simulator/static/phone.html",
        "rasa_whatsapp/simulator/control_api.yaml",
    ],
)
def test_what_is_no_module_is_there_too(names, needed):
    """Types marker, migrations and the phone page are needed at run time."""
    assert needed in names


def test_the_command_is_declared(names):
    """`rasa-whatsapp` is installed with it."""
    assert [name for name in names if name.endswith("entry_points.txt")]
