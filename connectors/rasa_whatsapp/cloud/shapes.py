"""Shapes of objects and lists, built from the shapes of what is in them; together a tiny checker of JSON.

Each names everything that does not fit by its path. Unknown fields pass, since Meta adds some, but for misspellings of known ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from rasa_whatsapp.cloud.scalars import NEAR, Problem, Shape, join, kind_of, meant, not_a

Rule = Callable[[Mapping[str, Any], str], Iterator[Problem]]


def record(
    required: Mapping[str, Shape],
    optional: Mapping[str, Shape] | None = None,
    *,
    forbidden: Mapping[str, str] | None = None,
    rules: Sequence[Rule] = (),
) -> Shape:
    """Return the shape of an object. Unknown fields pass, since Meta adds some, but for misspellings of known ones.

    `forbidden` says of fields that must not be there why; `rules` look at the whole object and are asked only if its fields fit.
    """
    known = {**required, **(optional or {})}
    banned = forbidden or {}

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield not_a(value, path, "an object")
            return
        misspelt = _misspelt(value, [*known], banned)
        problems = [Problem(join(path, bad), f"is not known; did you mean {good}?") for bad, good in misspelt.items()]
        problems += [Problem(join(path, key), banned[key]) for key in banned if key in value]
        problems += [
            Problem(join(path, key), "is missing")
            for key in required
            if key not in value and key not in misspelt.values()
        ]
        for key, part in value.items():
            if not isinstance(key, str):
                problems.append(Problem(path, f"has a field whose name is {kind_of(key)}; put it in quotes"))
            problems.extend(known.get(key, anything)(part, join(path, str(key))))
        yield from problems
        if not problems:
            for rule in rules:
                yield from rule(value, path)

    return check


def exactly_one(*keys: str) -> Rule:
    """Return the rule that one of these fields is there, and one only."""

    def rule(value: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if sum(key in value for key in keys) != 1:
            yield Problem(path, f"needs exactly one of {' and '.join(keys)}")

    return rule


def array(item: Shape, *, most: int | None = None, least: int = 1, distinct: Sequence[str] = ()) -> Shape:
    """Return the shape of a list; `distinct` are paths inside an entry (`reply.id`) whose values may not be there twice."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield not_a(value, path, "a list")
            return
        if len(value) < least:
            yield Problem(path, f"has {len(value)} entries, at least {least} are needed")
        if most is not None and len(value) > most:
            yield Problem(f"{path}[{most}]", f"is one too many: there are {len(value)}, at most {most} are allowed")
        for index, part in enumerate(value):
            yield from item(part, f"{path}[{index}]")
        for inner in distinct:
            yield from twice((f"{path}[{index}].{inner}", reach(part, inner)) for index, part in enumerate(value))

    return check


def variant(key: str, shapes: Mapping[str, Shape]) -> Shape:
    """Return the shape of an object whose field `key` says which shape it has."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield not_a(value, path, "an object")
        elif key not in value:
            yield Problem(join(path, key), f"is missing; it is one of {', '.join(shapes)}")
        elif not isinstance(value[key], str) or value[key] not in shapes:
            yield Problem(join(path, key), f"is none of {', '.join(shapes)}{meant(value[key], [*shapes])}")
        else:
            yield from shapes[value[key]](value, path)

    return check


def anything(value: Any, path: str) -> Iterator[Problem]:
    """Take whatever JSON can say."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if not isinstance(key, str):
                yield Problem(path, f"has a field whose name is {kind_of(key)}; put it in quotes")
            yield from anything(part, join(path, str(key)))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from anything(part, f"{path}[{index}]")
    elif not isinstance(value, (str, int, float, type(None))) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        yield Problem(path, f"is {kind_of(value)}, which JSON cannot say; put it in quotes")


def mapping(value: Any, path: str) -> Iterator[Problem]:
    """Take any object of JSON."""
    if isinstance(value, Mapping):
        yield from anything(value, path)
    else:
        yield not_a(value, path, "an object")


def twice(values: Iterator[tuple[str, Any]]) -> Iterator[Problem]:
    """Name the texts among (path, value) that were there before."""
    seen: set[str] = set()
    for path, value in values:
        if isinstance(value, str):
            if value in seen:
                yield Problem(path, "is there twice; each needs its own")
            seen.add(value)


def reach(value: Any, inner: str) -> Any:
    """Return what stands at the end of a dotted path, or None."""
    for key in inner.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _misspelt(value: Mapping[str, Any], known: Sequence[str], banned: Mapping[str, str]) -> dict[str, str]:
    """Return the object's unknown fields that look like a known one which is not there, with that one."""
    free = [name for name in known if name not in value]
    strange = [key for key in value if isinstance(key, str) and key not in known and key not in banned]
    found = {key: get_close_matches(key, free, n=1, cutoff=NEAR) for key in strange}
    return {key: near[0] for key, near in found.items() if near}
