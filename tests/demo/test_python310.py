"""Which Python 3.10 is taken, on machines of every kind (a PATH of fakes each)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "python310"

# What answers to the script's question, as a 3.10 does, and what does not.
SOUND = "#!/bin/sh\necho $0\n"
OTHER_VERSION = "#!/bin/sh\ncase $1 in --version) echo Python 3.12.1;; esac\nexit 1\n"
SHIM = "#!/bin/sh\necho 'pyenv: python3.10: command not found' >&2\nexit 127\n"
PYENV = "#!/bin/sh\necho {root}/pyenv\n"
UV_HAS = "#!/bin/sh\necho {root}/uv/python3.10\n"
UV_FETCHES = (
    "#!/bin/sh\ncase $2 in install) touch {root}/done;; find) [ -f {root}/done ] && echo {root}/uv/python3.10;; esac\n"
)
UV_OFFLINE = "#!/bin/sh\nexit 2\n"

CASES = {
    "python3.10 on the path": ({"bin/python3.10": SOUND}, "bin/python3.10"),
    "a shim that fails, and pyenv": (
        {"bin/python3.10": SHIM, "bin/pyenv": PYENV, "pyenv/versions/3.10.13/bin/python": SOUND},
        "pyenv/versions/3.10.13/bin/python",
    ),
    "pyenv off the path": (
        {"home/.pyenv/versions/3.10.4/bin/python": SOUND},
        "home/.pyenv/versions/3.10.4/bin/python",
    ),
    "a broken one in pyenv, and a sound one": (
        {
            "home/.pyenv/versions/3.10.1/bin/python": SHIM,
            "home/.pyenv/versions/3.10.4/bin/python": SOUND,
        },
        "home/.pyenv/versions/3.10.4/bin/python",
    ),
    "pyenv with other versions, and uv": (
        {"bin/pyenv": PYENV, "pyenv/versions/3.12.1/bin/python": SOUND, "bin/uv": UV_HAS, "uv/python3.10": SOUND},
        "uv/python3.10",
    ),
    "uv fetches it": ({"bin/uv": UV_FETCHES, "uv/python3.10": SOUND}, "uv/python3.10"),
    "uv offline, python3 is one": ({"bin/uv": UV_OFFLINE, "bin/python3": SOUND}, "bin/python3"),
    "only python3, another version; python is one": (
        {"bin/python3": OTHER_VERSION, "bin/python": SOUND},
        "bin/python",
    ),
}


def find(machine: dict[str, str], root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine that has these files."""
    for name, text in machine.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{root}", str(root)))
        file.chmod(0o755)
    tools = root / "tools"
    tools.mkdir()
    for tool in ("head", "touch"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    path = {"PATH": f"{root / 'bin'}:{tools}", "HOME": str(root / "home"), **environment}
    return subprocess.run(["/bin/sh", SCRIPT], env=path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("machine", "expected"), CASES.values(), ids=CASES.keys())
def test_found(machine: dict[str, str], expected: str, tmp_path: Path) -> None:
    """The first that really runs is printed, and nothing else."""
    result = find(machine, tmp_path)
    assert result.stdout == f"{tmp_path / expected}\n"
    assert result.returncode == 0


@pytest.mark.parametrize(
    "machine",
    [
        {},
        {"bin/python3.10": SHIM},
        {"bin/python3": OTHER_VERSION, "bin/python": OTHER_VERSION},
        {"bin/uv": UV_OFFLINE},
    ],
    ids=["nothing", "a shim", "other versions", "uv offline"],
)
def test_not_found(machine: dict[str, str], tmp_path: Path) -> None:
    """It fails and names every way to get one."""
    result = find(machine, tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    for way in ("sudo apt install python3.10", "pyenv install 3.10", "uv python install 3.10", "PYTHON="):
        assert way in result.stderr


def test_named_one_wins(tmp_path: Path) -> None:
    """PYTHON= is taken before all others."""
    result = find({"bin/python3.10": SOUND, "mine": SOUND}, tmp_path, PYTHON=str(tmp_path / "mine"))
    assert result.stdout == f"{tmp_path / 'mine'}\n"


@pytest.mark.parametrize(("named", "said"), [("python3.12", "Python 3.12.1"), ("nowhere", "nowhere")])
def test_named_one_that_will_not_do(named: str, said: str, tmp_path: Path) -> None:
    """A wrong PYTHON= is an error, not a reason to take another."""
    result = find({"bin/python3.10": SOUND, "bin/python3.12": OTHER_VERSION}, tmp_path, PYTHON=named)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"PYTHON={named} is no Python 3.10" in result.stderr
    assert said in result.stderr


def test_missing_venv_module_is_told(tmp_path: Path) -> None:
    """Debian splits it off: the message names the package."""
    without_venv = '#!/bin/sh\n[ -z "$2" ]\n'
    assert "apt has them in python3.10-venv" in find({"bin/python3.10": without_venv}, tmp_path).stderr
