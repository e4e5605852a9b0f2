"""Why a store cannot be used, in words: a driver's error to its cause and the remedy, never to its text, which may hold a customer's words."""

from __future__ import annotations

import re

from sqlalchemy.exc import SQLAlchemyError

# PostgreSQL's codes (https://www.postgresql.org/docs/current/errcodes-appendix.html)
_CODES = {
    "28P01": "the user or the password is wrong",
    "28000": "the server does not let this user in: see its pg_hba.conf",
    "3D000": "the server has no database of this name: create it, or correct the name",
    "42501": "the user lacks the right to do this: grant it SELECT, INSERT, UPDATE and DELETE on the tables, and USAGE on the schema",
    "25006": "the database can only be read: is it a standby?",
    "53100": "the disk of the database is full",
    "53300": "the server has no connection left: raise its max_connections, or run fewer processes",
    "55P03": "another transaction holds what is needed for too long",
    "57014": "a statement took too long",
    "57P01": "the server went away",
    "57P02": "the server went away",
    "57P03": "the server is starting or stopping",
}
# Errors of opening a connection carry no code. What they say is about host, user and database; nothing of a customer's is in them yet.
_WORDS = (
    ("password authentication failed", _CODES["28P01"]),
    ("no password supplied", "a password is needed: postgresql://user:password@host:5432/name"),
    (r'database ".*" does not exist', _CODES["3D000"]),
    (r'role ".*" does not exist', _CODES["28P01"]),
    ("no pg_hba.conf entry", _CODES["28000"]),
    ("too many connections|too many clients", _CODES["53300"]),
    ("starting up|shutting down", _CODES["57P03"]),
    ("could not translate host name|Name or service not known", "there is no host of this name"),
    ("Connection refused", "nobody listens there: start PostgreSQL, or correct host and port"),
    ("invalid port number", "a port is a number from 1 to 65535"),
    (r'on socket ".*" failed: No such file', "nobody listens at this socket: start PostgreSQL, or name its host"),
    ("No route to host|Network is unreachable", "there is no way to this host: correct it, or see to the network"),
    ("timeout expired|timed out", "the host does not answer: correct host and port, or see to the network"),
    ("server closed the connection|connection.*closed", _CODES["57P01"]),
    ("file is not a database", "the file is no SQLite database"),
    ("unable to open database file", "the file cannot be opened or created: see to its folder and rights"),
    ("disk is full", "the disk is full"),
    ("disk I/O error|image is malformed", "the file is damaged, or its disk is: restore a backup"),
    ("readonly database", "the file may only be read: see to its rights"),
    ("database is locked", "another process is writing to the file for too long"),
    ("permission denied for database", "the user may not connect to this database: grant it CONNECT"),
    ("permission denied", _CODES["42501"]),
)

# The server says so of its own objects: "permission denied for table inbox", and nothing else stands there.
_DENIED = re.compile(r'permission denied for (database|schema|table|sequence) "?(\w+)"?')
_REMEDIES = {
    "database": "CREATE, or let its owner upgrade",
    "schema": "USAGE, and for an upgrade CREATE",
    "table": "SELECT, INSERT, UPDATE and DELETE",
    "sequence": "USAGE",
}

# libpq names the server before the reason: https://www.postgresql.org/docs/current/libpq-connect.html
_SERVER = re.compile(
    r'connection to server at "([^"]*)"(?: \([^)]*\))?, port (\d+) failed|could not translate host name "([^"]*)"'
)


def cause_of(problem: SQLAlchemyError) -> str:
    """Return why, with the remedy; for what is not known the name of the error."""
    code = _code(problem)
    return _known(problem) or f"{type(problem).__name__}{f', code {code}' if code else ''}"


def where_and_why(problem: SQLAlchemyError) -> str | None:
    """Return the server, as far as the error names it, and why it cannot be used; None if the cause is not known."""
    known = _known(problem)
    if known is None:
        return None
    found = None if _code(problem) else _SERVER.search(_text(problem))
    if found is None:
        return f"the store: {known}"
    return f"the store at {f'{found[1]}:{found[2]}' if found[2] else found[3]}: {known}"


def _code(problem: SQLAlchemyError) -> str | None:
    return getattr(getattr(problem, "orig", None), "pgcode", None)


def _known(problem: SQLAlchemyError) -> str | None:
    code = _code(problem)
    denied = _DENIED.match(_text(problem)) if code == "42501" else None
    if denied:
        return f"the user lacks a right on the {denied[1]} {denied[2]}: grant it {_REMEDIES[denied[1]]}"
    if code:
        return _CODES.get(code)
    text = _text(problem)
    return next((words for pattern, words in _WORDS if re.search(pattern, text)), None)


def _text(problem: SQLAlchemyError) -> str:
    return str(getattr(problem, "orig", None))
