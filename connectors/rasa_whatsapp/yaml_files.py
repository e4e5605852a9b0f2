"""Read and write YAML files as plain data, also in a process where Rasa has changed ruamel.yaml.

Importing Rasa makes every reader of the process expand `${NAME}` and raise for a missing one (rasa.shared.utils.io). Here such
a text stays as it is written; who wants it expanded does so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import VersionedResolver


class Unreadable(Exception):
    """The file cannot be read as YAML; the text says why."""


class _PlainResolver(VersionedResolver):
    """Takes ${NAME} for the text that it is."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node."""
        tag = super().resolve(kind, value, implicit)
        return self.DEFAULT_SCALAR_TAG if tag == "!env_var" else tag  # the tag that Rasa adds


def load(path: Path) -> Any:
    """Return the content of a YAML file; raises Unreadable, with the position of an error."""
    try:
        return _plain().load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Unreadable(problem.strerror or str(problem)) from problem
    except UnicodeDecodeError as problem:
        raise Unreadable("it is not UTF-8") from problem
    except YAMLError as problem:
        raise Unreadable(_where_and_what(problem)) from None


def dump(content: Any, path: Path) -> None:
    """Write plain data, one key per line; ${NAME} stays unquoted, since Rasa expands it in plain scalars only."""
    with path.open("w", encoding="utf-8") as file:
        _plain().dump(content, file)


def _plain() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _PlainResolver
    yaml.default_flow_style = False
    return yaml


def _where_and_what(problem: YAMLError) -> str:
    """Return the place and the kind of a mistake, without the line itself: it may hold a secret."""
    if not isinstance(problem, MarkedYAMLError):
        return "it is not YAML"
    what = "a key is there twice" if isinstance(problem, DuplicateKeyError) else problem.problem or "it is not YAML"
    mark = problem.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else str(what)
