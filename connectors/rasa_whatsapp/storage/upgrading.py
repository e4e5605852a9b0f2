"""Which version the tables have, and how they get this package's: Alembic's migrations, one after the other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from rasa_whatsapp.errors import StoreOutdated, StoreUnusable
from rasa_whatsapp.storage.engines import SCHEMA, is_sqlite
from rasa_whatsapp.storage.schema import metadata

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_MIGRATIONS = str(Path(__file__).parent / "migrations")
_TO_READ = ("SELECT",)
_TO_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
_ONE_AT_A_TIME = 7_239_401_001  # the advisory lock of migrations; any number will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The version of a store's tables (None: there are none yet) and the one that is wanted; `missing` are the steps between."""

    current: str | None
    wanted: str
    missing: tuple[str, ...]
    is_known: bool = True

    @property
    def is_right(self) -> bool:
        """Tell whether nothing is to do."""
        return self.current == self.wanted


def version(engine: Engine) -> Version:
    """Return which version the tables have."""
    with engine.begin() as connection:
        _refuse_foreign_schema(connection)
        return _version(connection, _script())


def check(engine: Engine, *, to_write: bool) -> None:
    """Raise StoreOutdated unless the tables are this package's, and StoreUnusable if they may not be read, or written if that is meant."""
    with engine.begin() as connection:
        _refuse_foreign_schema(connection)
        found = _version(connection, _script())
        _refuse_newer(found)
        if not found.is_right:
            told = "has no tables yet" if found.current is None else f"has the tables of version {found.current}"
            raise StoreOutdated(f"the store {told}, this package needs {found.wanted}: run `rasa-whatsapp db upgrade`")
        _refuse_strange_tables(connection)
        if not is_sqlite(connection):
            _refuse_forbidden_tables(connection, _TO_WRITE if to_write else _TO_READ)
        if not is_sqlite(connection) and to_write:
            _refuse_forbidden_sequences(connection)
            _refuse_standby(connection)


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date, while no one else does; raises StoreOutdated for a newer database."""
    script = _script()
    with engine.begin() as connection:
        if not is_sqlite(connection):
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table may take its time
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
            _refuse_foreign_schema(connection)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        found = _version(connection, script)
        _refuse_newer(found)
        if found.is_right:
            _refuse_strange_tables(connection)
        else:
            _migrate(connection)


def _script() -> ScriptDirectory:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each of its plugins while it is imported
    from alembic.script import ScriptDirectory

    return ScriptDirectory(_MIGRATIONS)


def _version(connection: Connection, script: ScriptDirectory) -> Version:
    from alembic.runtime.migration import MigrationContext

    current = MigrationContext.configure(connection).get_current_revision()
    steps = [revision.revision for revision in script.walk_revisions()]  # the newest first
    known = current is None or current in steps
    missing = steps[: steps.index(current)] if current in steps else (steps if current is None else [])
    return Version(current=current, wanted=steps[0], missing=tuple(reversed(missing)), is_known=known)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refuse_foreign_schema(connection: Connection) -> None:
    """Raise StoreUnusable if the schema is there and may not be looked into: it would seem to have no tables."""
    if is_sqlite(connection):
        return
    there = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema"
    if connection.execute(text(there), {"schema": SCHEMA}).scalar() is False:
        raise StoreUnusable(f"the database's user lacks the right to use the schema {SCHEMA}: grant it USAGE on it")


def _refuse_forbidden_tables(connection: Connection, rights: tuple[str, ...]) -> None:
    """Raise StoreUnusable if a table may not be used: who may only read would take webhooks, and store nothing."""
    lacking = "SELECT named FROM unnest(:rights) AS named WHERE NOT has_table_privilege(:table, named)"
    for table in metadata.sorted_tables:
        values = {"rights": list(rights), "table": f"{SCHEMA}.{table.name}"}
        lacks = connection.execute(text(lacking), values).scalars().all()
        if lacks:
            raise StoreUnusable(
                f"the database's user lacks rights on the table {SCHEMA}.{table.name}: "
                f"GRANT {', '.join(lacks)} ON ALL TABLES IN SCHEMA {SCHEMA}"
            )


def _refuse_forbidden_sequences(connection: Connection) -> None:
    """Raise StoreUnusable if the numbers of new rows may not be drawn."""
    # CASE: else the database may ask for what is no sequence, which is an error
    closed = (
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname = :schema "
        "AND CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(pg_class.oid, 'USAGE') ELSE FALSE END ORDER BY relname"
    )
    name = connection.execute(text(closed), {"schema": SCHEMA}).scalars().first()
    if name is not None:
        raise StoreUnusable(
            f"the database's user lacks rights on the sequence {SCHEMA}.{name}: GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA}"
        )


def _refuse_standby(connection: Connection) -> None:
    if connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
        raise StoreUnusable("the database can only be read: is it a standby, or default_transaction_read_only set?")


def _refuse_newer(found: Version) -> None:
    if not found.is_known:
        raise StoreOutdated(
            f"the database has schema {found.current}, which this version of rasa-whatsapp does not know: install a newer one"
        )


def _refuse_strange_tables(connection: Connection) -> None:
    """Raise StoreOutdated if the tables are not those of the schema version that the store claims to have."""
    inspector = inspect(connection)
    for table in metadata.sorted_tables:
        present = (
            {column["name"] for column in inspector.get_columns(table.name)}
            if inspector.has_table(table.name)
            else set()
        )
        missing = sorted({column.name for column in table.columns} - present)
        if missing:
            raise StoreOutdated(
                f"the store {connection.engine.url.database} has no {table.name}.{missing[0]}: it comes from an unreleased "
                "version; move it away (the demo: make demo ARGS=--reset)"
            )
