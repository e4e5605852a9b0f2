"""Finds the programs of others that a cluster is made of, and the user as whom they run.

Law: what is missing is told with the Debian package that brings it; nothing is installed.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
from pathlib import Path

from rasa_whatsapp.demo.failures import ProgramMissing

# program -> the Debian package that brings it
PACKAGES = {
    "initdb": "postgresql",
    "postgres": "postgresql",
    "redis-server": "redis-server",
    "nginx": "nginx-light",
    "setpriv": "util-linux",
}
# Debian keeps PostgreSQL's servers, one folder per version, off the PATH, and nginx off that of ordinary users.
POSTGRES_FOLDERS = "/usr/lib/postgresql"
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


def find(program: str) -> str:
    """Return the path of a program; raise ProgramMissing, naming its package, when there is none."""
    path = shutil.which(program, path=os.pathsep.join(_folders()))
    if path is None:
        raise ProgramMissing(f"The program {program} is missing. On Debian: apt-get install {PACKAGES[program]}")
    return path


def require_all() -> None:
    """Raise ProgramMissing, naming every program that is missing and all their packages at once."""
    needed = [name for name in PACKAGES if name != "setpriv" or os.geteuid() == 0]
    missing = [name for name in needed if shutil.which(name, path=os.pathsep.join(_folders())) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise ProgramMissing(f"Programs are missing: {', '.join(missing)}. On Debian: apt-get install {packages}")


def unprivileged(user: str, folder: Path) -> tuple[str, ...]:
    """Return what stands before a command that refuses to run as root, so that root runs it as this user.

    Of root's powers it keeps one where it must: to pass through folders, such as root's home, on the way to its own.
    """
    if os.geteuid() != 0:
        return ()
    # The kernel drops the tether to the parent (see tether.py) with the user, so it is tied again after that.
    prefix = (find("setpriv"), "--reuid", user, "--regid", user, "--init-groups", "--pdeathsig", "KILL")
    return prefix if is_open_to_all(folder) else (*prefix, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def give_to(user: str, *paths: Path) -> None:
    """Let a user own files, if we are root: then a server that refuses to run as root runs as this user."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ProgramMissing(f"There is no user {user}. Root cannot run PostgreSQL without it.") from None
    for path in paths:
        os.chown(path, entry.pw_uid, entry.pw_gid)


def is_open_to_all(folder: Path) -> bool:
    """Return whether every user may pass through the folders above this one."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.resolve().parents)


def _folders() -> list[str]:
    versions = Path(POSTGRES_FOLDERS).glob("*/bin")
    newest_first = sorted(versions, key=lambda path: _number(path.parent.name), reverse=True)
    return [*os.environ.get("PATH", os.defpath).split(os.pathsep), *map(str, newest_first), *MORE_FOLDERS]


def _number(version: str) -> int:
    digits = re.match("[0-9]+", version)
    return int(digits[0]) if digits else 0
