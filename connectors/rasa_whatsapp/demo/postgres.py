"""Turns a folder into a PostgreSQL of a cluster's own: made once, with a password of its own, then started as a server.

Law: what is committed is on the disk (fsync stays on), and a folder holds a whole database or none.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from os import environ, pathsep
from pathlib import Path
from signal import SIGINT

from rasa_whatsapp.demo.failures import StepFailed
from rasa_whatsapp.demo.families import command_line
from rasa_whatsapp.demo.once import run_once
from rasa_whatsapp.demo.ports import HOST
from rasa_whatsapp.demo.probes import serves_postgres
from rasa_whatsapp.demo.processes import nothing
from rasa_whatsapp.demo.programs import find, give_to, unprivileged
from rasa_whatsapp.demo.stack import Server

USER = "postgres"  # of the system, when root starts it; Debian's package makes it
ROLE = DATABASE = "rasa"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    # N Rasa servers and the intake with a handful of connections each, and what looks in from outside.
    "max_connections": "100",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A PostgreSQL in a folder."""

    folder: Path
    port: int

    @property
    def password(self) -> str:
        """Its password, made with it: the port is open to everybody on this machine."""
        return self._password_file.read_text("utf-8").strip()

    @property
    def url(self) -> str:
        """Its address, as the channel's `database_url`."""
        return f"postgresql://{ROLE}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def make(self, log: Path, tick: Callable[[], None] = nothing) -> None:
        """Make the database, unless it is there already."""
        if self._data.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_secret(self._password_file, secrets.token_urlsafe(24))
        give_to(USER, self.folder, self._password_file)
        # Under another name until it is whole: what was interrupted leaves no half database behind.
        unfinished = self.folder / f"making-{secrets.token_hex(4)}"
        self._run("Making PostgreSQL's data folder", [*self._initdb(), "--pgdata", str(unfinished)], log, tick)
        self._make_database(unfinished)
        unfinished.rename(self._data)

    def server(self) -> Server:
        """Return the server; `make` came before."""
        settings = {**SETTINGS, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Server(
            name="postgres",
            command=(*unprivileged(USER, self.folder), find("postgres"), "-D", str(self._data), *options),
            port=self.port,
            probe=serves_postgres,
            address=self.url,
            stop_signal=SIGINT,  # "fast": SIGTERM would wait until every client has gone by itself
            environment={**_environment(), **self._without_the_dead()},
            comes_first=True,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _without_the_dead(self) -> dict[str, str]:
        """Return what tells PostgreSQL that the process id in its lock file is no other server's.

        After a kill it takes for that whoever has the id now: a zombie that nobody buries, after a reboot a stranger. It ignores
        the one that this variable names (pg_ctl's own way), and still refuses to start while a process of the old server lives.
        """
        try:
            pid = int((self._data / "postmaster.pid").read_text("utf-8").split()[0])
        except (OSError, ValueError, IndexError):  # it was stopped in an orderly way
            return {}
        return {} if str(self._data) in command_line(pid) else {"PG_GRANDPARENT_PID": str(pid)}

    def _initdb(self) -> list[str]:
        password = ["--auth", "scram-sha-256", "--pwfile", str(self._password_file)]
        return [find("initdb"), "--username", ROLE, *password, "--encoding", "UTF8", "--no-locale"]

    def _run(self, step: str, command: list[str], log: Path, tick: Callable[[], None]) -> None:
        command = [*unprivileged(USER, self.folder), *command]
        run_once(step, command, folder=self.folder, environment=_environment(), log=log, tick=tick)

    def _make_database(self, data: Path) -> None:
        # Without a server, as no port is needed then; this way reads statements from its input only.
        command = [*unprivileged(USER, self.folder), find("postgres"), "--single", "-D", str(data), "postgres"]
        done = subprocess.run(  # noqa: S603 - the command is ours
            command,
            input=f"CREATE DATABASE {DATABASE};\n",
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or "ERROR" in done.stderr:
            raise StepFailed(f"Making the database {DATABASE} failed: {done.stderr.strip()}")


def _environment() -> dict[str, str]:
    """Return what PostgreSQL's programs get: none of the caller's PGPORT, PGDATA, LC_MESSAGES ..."""
    return {"PATH": environ.get("PATH", "/usr/bin" + pathsep + "/bin"), "LC_ALL": "C"}


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret + "\n", "utf-8")
