"""Read YAML files as plain data, also in a process where Rasa has changed ruamel.yaml.

Importing Rasa makes every safe loader of the process expand `${NAME}` and raise for a missing one (rasa.shared.utils.io).
Here such a text stays as it is written; who wants it expanded does so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode


class Unreadable(Exception):
    """The file cannot be read as YAML; the text says why."""


class _Plain(SafeConstructor):
    """Constructs plain data, whatever others have added to the class it comes from."""


def _as_written(_: _Plain, node: ScalarNode) -> str:
    return str(node.value)


_Plain.add_constructor("!env_var", _as_written)  # the tag that Rasa gives to ${NAME}


def load(path: Path) -> Any:
    """Return the content of a YAML file; raises Unreadable, with the position of an error."""
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _Plain
    try:
        return reader.load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Unreadable(problem.strerror or str(problem)) from problem
    except UnicodeDecodeError as problem:
        raise Unreadable("it is not UTF-8") from problem
    except YAMLError as problem:
        raise Unreadable(_where_and_what(problem)) from None


def _where_and_what(problem: YAMLError) -> str:
    """Return the place and the kind of a mistake, without the line itself: it may hold a secret."""
    if not isinstance(problem, MarkedYAMLError):
        return "it is not YAML"
    what = "a key is there twice" if isinstance(problem, DuplicateKeyError) else problem.problem or "it is not YAML"
    mark = problem.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else str(what)
