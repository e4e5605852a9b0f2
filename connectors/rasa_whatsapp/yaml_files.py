"""Read and write YAML files as plain data, also in a process where Rasa has changed ruamel.yaml.

Importing Rasa makes every reader of the process expand `${NAME}` and raise for a missing one (rasa.shared.utils.io). Here such
a text stays as it is written; who wants it expanded does so.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

_NO_BREAK = 1_000_000  # characters: lines stay as long as they are
_NEW_FILE = 0o644


class Unreadable(Exception):
    """The file cannot be read as YAML; the text says why, `line` where, if that is known (the first is 1)."""

    def __init__(self, text: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a YAML file as plain data, and where each part of it stands."""

    content: Any
    _root: Node | None

    def line(self, keys: Sequence[str | int]) -> int:
        """Return the line (the first is 1) of what the keys and positions lead to, or of the last part on the way."""
        node, line = self._root, 1
        for key in keys:
            line, node = next(_parts(node, key), (line, None))
        return line


class _PlainResolver(VersionedResolver):
    """Takes ${NAME} for the text that it is."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node."""
        tag = super().resolve(kind, value, implicit)
        return self.DEFAULT_SCALAR_TAG if tag == "!env_var" else tag  # the tag that Rasa adds


def load(path: Path) -> Any:
    """Return the content of a YAML file; raises Unreadable, with the position of an error."""
    with _reading(path) as text:
        return _plain().load(text)


def load_with_lines(path: Path) -> Document:
    """Return the content of a YAML file with its places; raises Unreadable, with the position of an error."""
    with _reading(path) as text:
        yaml = _plain()
        root = yaml.compose(text)
        return Document(None if root is None else yaml.constructor.construct_document(root), root)


def dump(content: Any, path: Path) -> None:
    """Write plain data, one key per line; ${NAME} stays unquoted, since Rasa expands it in plain scalars only."""
    with path.open("w", encoding="utf-8") as file:
        _plain().dump(content, file)


def load_for_editing(path: Path) -> Any:
    """Return the content of a YAML file that remembers comments, order and quotes; raises Unreadable.

    Its mappings and lists are dicts and lists; change them in place and hand them to `edited`.
    """
    with _reading(path) as text:
        return _faithful().load(text)


def edited(content: Any) -> str:
    """Return the text of a YAML file that was loaded for editing, or of plain data.

    Raises Unreadable if the text would not be read as the same content.
    """
    lists = (
        [value for value in content.values() if isinstance(value, CommentedSeq)] if isinstance(content, dict) else []
    )
    text = io.StringIO()
    _faithful(offset=next((each.lc.col for each in lists if each.lc.col is not None), 0)).dump(content, text)
    if _plain().load(text.getvalue()) != content:
        raise Unreadable("its comments or its layout cannot be kept with the changes")
    return text.getvalue()


def write(text: str, path: Path) -> None:
    """Put a file in place of what is there, whole or not at all; a link stays one."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as file:
        draft = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            draft.chmod(target.stat().st_mode & 0o7777 if target.exists() else _NEW_FILE)
            draft.replace(target)
        except BaseException:
            draft.unlink()
            raise


@contextmanager
def _reading(path: Path) -> Iterator[str]:
    """Hand out the text of a file; what goes wrong with it becomes Unreadable."""
    try:
        yield path.read_text(encoding="utf-8")
    except OSError as problem:
        raise Unreadable(problem.strerror or str(problem)) from problem
    except UnicodeDecodeError as problem:
        raise Unreadable("it is not UTF-8") from problem
    except YAMLError as problem:
        mark = problem.problem_mark if isinstance(problem, MarkedYAMLError) else None
        raise Unreadable(_where_and_what(problem), mark.line + 1 if mark else None) from None
    except ValueError:
        raise Unreadable("it has a date or number that does not exist; put it in quotes if it is a text") from None


def _parts(node: Node | None, key: str | int) -> Iterator[tuple[int, Node]]:
    """Yield the line and the node of what stands under a key or at a position."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                yield name.start_mark.line + 1, value
    elif isinstance(node, SequenceNode) and isinstance(key, int) and 0 <= key < len(node.value):
        yield node.value[key].start_mark.line + 1, node.value[key]


def _plain() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _PlainResolver
    yaml.default_flow_style = False
    return yaml


def _faithful(offset: int = 0) -> Any:
    """Return a reader and writer that keeps what people wrote; a dash stands `offset` blanks behind its key."""
    yaml: Any = YAML(typ="rt", pure=True)  # its attributes are declared as None
    yaml.Resolver = _PlainResolver
    yaml.preserve_quotes = True
    yaml.width = _NO_BREAK
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _where_and_what(problem: YAMLError) -> str:
    """Return the place and the kind of a mistake, without the line itself: it may hold a secret."""
    if not isinstance(problem, MarkedYAMLError):
        return "it is not YAML"
    what = "a key is there twice" if isinstance(problem, DuplicateKeyError) else problem.problem or "it is not YAML"
    mark = problem.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else str(what)
