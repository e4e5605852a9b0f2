"""Programs of others: where they are found, what is said when they are not, as whom they run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_whatsapp.cli import main
from rasa_whatsapp.demo import programs
from rasa_whatsapp.demo.failures import ProgramMissing


def executable(path: Path) -> Path:
    """Make an empty program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder in which programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(programs, "POSTGRES_FOLDERS", str(tmp_path / "postgresql"))
    monkeypatch.setattr(programs, "MORE_FOLDERS", (str(tmp_path / "sbin"),))
    return tmp_path


def test_newest_postgres_of_debian_is_found(bare: Path) -> None:
    """Debian keeps one folder per version off the PATH; 15 is newer than 9."""
    executable(bare / "postgresql" / "9.6" / "bin" / "initdb")
    newest = executable(bare / "postgresql" / "15" / "bin" / "initdb")
    assert programs.find("initdb") == str(newest)


def test_path_comes_first(bare: Path) -> None:
    """Who puts a program on the PATH means it."""
    executable(bare / "sbin" / "nginx")
    wanted = executable(bare / "bin" / "nginx")
    assert programs.find("nginx") == str(wanted)


def test_missing_program_is_told_with_its_package(bare: Path) -> None:
    """One sentence, and what to type."""
    with pytest.raises(ProgramMissing, match=r"redis-server is missing\. On Debian: apt-get install redis-server"):
        programs.find("redis-server")


def test_all_missing_programs_are_told_at_once(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user installs once."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    executable(bare / "bin" / "redis-server")
    with pytest.raises(ProgramMissing) as missing:
        programs.require_all()
    said = "Programs are missing: initdb, postgres, nginx. On Debian: apt-get install nginx-light postgresql"
    assert str(missing.value) == said


def test_command_without_programs_ends_with_six(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says it before anything is trained or started."""
    (bare / "bot" / "data").mkdir(parents=True)
    for name in ("config.yml", "domain.yml"):
        (bare / "bot" / name).touch()
    monkeypatch.chdir(bare / "bot")
    ended = CliRunner().invoke(main, ["cluster"])
    assert ended.exit_code == 6
    assert "apt-get install" in ended.output
    assert not (bare / "bot" / ".cluster").exists()


def test_others_than_root_run_it_as_themselves(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands before the command then."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert programs.unprivileged("postgres", bare) == ()


@pytest.mark.parametrize(("mode", "power"), [(0o755, False), (0o700, True)], ids=["open folder", "root's own folder"])
def test_root_runs_it_as_another_user(bare: Path, monkeypatch: pytest.MonkeyPatch, mode: int, power: bool) -> None:
    """The user keeps one power of root, and only where it could not reach its folder otherwise."""
    executable(bare / "bin" / "setpriv")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs, "is_open_to_all", lambda folder: mode == 0o755)
    prefix = programs.unprivileged("postgres", bare)
    assert prefix[1:5] == ("--reuid", "postgres", "--regid", "postgres")
    assert ("--ambient-caps=+dac_override" in prefix) is power


@pytest.mark.parametrize(("mode", "is_open"), [(0o755, True), (0o711, True), (0o700, False)])
def test_a_folder_is_reached_through_all_above_it(tmp_path: Path, mode: int, is_open: bool) -> None:
    """One closed folder on the way is enough to be out of reach."""
    (tmp_path / "above" / "below").mkdir(parents=True)
    (tmp_path / "above").chmod(mode)
    above = all(folder.stat().st_mode & 0o001 for folder in (tmp_path / "above").parents)
    assert programs.is_open_to_all(tmp_path / "above" / "below") is (is_open and above)
