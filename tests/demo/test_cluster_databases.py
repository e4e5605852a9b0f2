"""A PostgreSQL and a Redis of one's own: what was stored outlives a kill, and both start again."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from rasa_whatsapp.demo import Stack
from rasa_whatsapp.demo.backing import redis_server
from rasa_whatsapp.demo.failures import StepFailed
from rasa_whatsapp.demo.families import descendants, is_alive
from rasa_whatsapp.demo.ports import unused
from rasa_whatsapp.demo.postgres import Postgres
from rasa_whatsapp.demo.programs import unprivileged

Query = Callable[[str], list[tuple]]


@pytest.fixture
def postgres(tmp_path: Path) -> Postgres:
    """Return a PostgreSQL that is made, in a folder of its own."""
    (port,) = unused(1)
    made = Postgres(folder=tmp_path / "postgres", port=port)
    made.make(tmp_path / "initdb.log")
    return made


@pytest.fixture
def stack(postgres: Postgres, tmp_path: Path) -> Iterator[Stack]:
    """Return the running PostgreSQL."""
    with Stack([postgres.server()], folder=tmp_path, logs=tmp_path, limit_seconds=60) as running:
        running.start()
        yield running


@pytest.fixture
def query(stack: Stack) -> Query:
    """Return a function that runs a statement on a connection of its own and commits."""

    def run(statement: str) -> list[tuple]:
        connection = psycopg2.connect(stack.url("postgres"))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    return run


def test_commits_outlive_a_kill(stack: Stack, query: Query) -> None:
    """SIGKILL to all of its processes, again and again: it starts, and holds what was committed."""
    query("CREATE TABLE kept (round int)")
    for count in range(1, 4):
        query(f"INSERT INTO kept VALUES ({count})")
        stack.kill("postgres")
        stack.start("postgres")
        assert query("SELECT count(*) FROM kept") == [(count,)]


def test_kill_reaches_its_children(stack: Stack) -> None:
    """Each of its processes has a session of its own; a kill of the group alone would let them finish their work."""
    connection = psycopg2.connect(stack.url("postgres"))
    family = descendants(stack.pid("postgres"))
    assert connection.info.backend_pid in family
    stack.kill("postgres")
    assert not any(map(is_alive, family))
    connection.close()


def test_a_stranger_with_its_old_id_does_not_matter(stack: Stack, postgres: Postgres) -> None:
    """After a reboot the process id in its lock file may be anybody's; PostgreSQL alone would refuse to start."""
    stack.kill("postgres")
    lock = postgres.folder / "data" / "postmaster.pid"
    sleep = [*unprivileged("postgres", postgres.folder), "sleep", "600"]
    stranger = subprocess.Popen(sleep, cwd="/")
    try:
        lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:], ""]))
        with Stack([postgres.server()], folder=postgres.folder, logs=postgres.folder.parent / "again") as again:
            again.start()
    finally:
        stranger.kill()
        stranger.wait()


def test_stop_does_not_wait_for_clients(stack: Stack, tmp_path: Path) -> None:
    """An orderly end: sessions are cut, nothing is to be recovered."""
    connection = psycopg2.connect(stack.url("postgres"))
    stack.stop("postgres", grace_seconds=60)
    connection.close()
    stack.start("postgres")
    assert "database system is shut down" in stack.log("postgres")
    assert "automatic recovery in progress" not in stack.log("postgres")


def test_it_is_durable_and_small(query: Query) -> None:
    """What is committed is on the disk; the rest is modest."""
    names = "'fsync', 'synchronous_commit', 'full_page_writes', 'max_connections', 'listen_addresses'"
    shown = dict(query(f"SELECT name, setting FROM pg_settings WHERE name IN ({names})"))
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "100",
        "listen_addresses": "127.0.0.1",
    }


def test_others_need_the_password(stack: Stack, postgres: Postgres) -> None:
    """The port is open to everybody on the machine; the password is not."""
    assert stat.S_IMODE((postgres.folder / "password").stat().st_mode) == 0o600
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(stack.url("postgres").replace(postgres.password, "guessed"))


def test_it_is_made_once(postgres: Postgres, tmp_path: Path) -> None:
    """A second making leaves all as it is."""
    password, version = postgres.password, (postgres.folder / "data" / "PG_VERSION").stat()
    postgres.make(tmp_path / "initdb.log")
    assert postgres.password == password
    assert (postgres.folder / "data" / "PG_VERSION").stat() == version


def test_a_failed_making_leaves_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are told, and the next start makes it anew."""
    unmade = Postgres(folder=tmp_path / "postgres", port=1)
    monkeypatch.setattr(Postgres, "_initdb", lambda self: [os.devnull + "/initdb"])
    with pytest.raises(StepFailed, match="data folder failed with exit code 1"):
        unmade.make(tmp_path / "initdb.log")
    monkeypatch.undo()
    assert not (tmp_path / "postgres" / "data").exists()
    unmade.make(tmp_path / "initdb.log")
    assert (tmp_path / "postgres" / "data" / "PG_VERSION").exists()


def test_keys_outlive_a_kill(tmp_path: Path) -> None:
    """A lock that a Rasa server holds is still held when Redis comes back."""
    (port,) = unused(1)
    with Stack([redis_server(tmp_path / "redis", port)], folder=tmp_path, logs=tmp_path, limit_seconds=30) as stack:
        stack.start()
        with redis.Redis.from_url(stack.url("redis")) as client:
            client.set("lock", "ticket")
        stack.kill("redis")
        stack.start("redis")
        with redis.Redis.from_url(stack.url("redis")) as client:
            assert client.get("lock") == b"ticket"
