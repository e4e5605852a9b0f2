"""Expressions of a Python file to what they stand for, as far as the text of the file tells: texts, numbers, and moments from now on.

Nothing is run. A name stands for what it is given once; anything else is unknown, which is None.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Union

_DEPTH = 20  # names that stand for names that stand for names
_NOW = datetime(2000, 1, 1, tzinfo=timezone.utc)  # any moment: only what is added to it counts
_CALLED_NOW = {"now", "utcnow", "today"}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_CALCULABLE = (int, float, timedelta, datetime)

Value = Union[str, float, timedelta, datetime, None]
Scope = Mapping[str, ast.expr | None]


@dataclass(frozen=True, slots=True)
class Scopes:
    """Where names are looked up, the last one first: those of modules and classes, and inside of these those of functions."""

    outer: tuple[Scope, ...] = ()
    inner: tuple[Scope, ...] = ()

    def of_class(self, scope: Scope) -> Scopes:
        """Return the scopes inside of a class."""
        return replace(self, outer=(*self.outer, scope))

    def of_function(self, scope: Scope) -> Scopes:
        """Return the scopes inside of a function."""
        return replace(self, inner=(*self.inner, scope))


def texts(node: ast.expr | None, scopes: Scopes) -> list[str | None]:
    """Return the texts that an expression may stand for: two for `a if x else b`, None for one that is unknown."""
    if isinstance(node, ast.IfExp):
        return [*texts(node.body, scopes), *texts(node.orelse, scopes)]
    value = _value(node, scopes, 0)
    return [value if isinstance(value, str) else None]


def from_now(node: ast.expr | None, scopes: Scopes) -> timedelta | None:
    """Return how long after now the moment is that an expression stands for, None if it is unknown."""
    value = _value(node, scopes, 0)
    return value - _NOW if isinstance(value, datetime) else None


def assigned(body: Sequence[ast.stmt]) -> dict[str, ast.expr | None]:
    """Return the names that a block gives a value, with it; None for those with several ones."""
    scope: dict[str, ast.expr | None] = {}
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                merge(scope, {target.id: node.value} if isinstance(target, ast.Name) else {})
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            merge(scope, {node.target.id: node.value})
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            merge(scope, {node.target.id: None})
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in ("body", "orelse", "finalbody"):
                merge(scope, assigned(getattr(node, block, [])))
            for handler in getattr(node, "handlers", []):
                merge(scope, assigned(handler.body))
    return scope


def merge(scope: dict[str, ast.expr | None], more: Scope) -> None:
    """Add names to a scope; one that has another value there becomes unknown."""
    for name, value in more.items():
        known = scope.setdefault(name, value)
        if known is not value and (known is None or value is None or ast.dump(known) != ast.dump(value)):
            scope[name] = None


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr | None]:
    """Return the parameters of a function, all unknown."""
    given = node.args
    return dict.fromkeys(each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs))


def last_name(node: ast.expr) -> str:
    """Return `c` of `a.b.c`, of `c` and of `c(...)`; nothing of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return last_name(node.func) if isinstance(node, ast.Call) else ""


def _value(node: ast.expr | None, scopes: Scopes, depth: int) -> Value:
    if depth > _DEPTH:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, (str, int, float)) else None
    if isinstance(node, ast.Name):
        return _named(node.id, (*scopes.outer, *scopes.inner), scopes, depth)
    if isinstance(node, ast.Attribute):  # self.DELAY, reminders.DELAY
        return _named(node.attr, scopes.outer, scopes, depth)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, scopes, depth + 1), _value(node.right, scopes, depth + 1)
        return _calculated(node.op, left, right)
    return _called(node, scopes, depth) if isinstance(node, ast.Call) else None


def _named(name: str, lookup: Sequence[Scope], scopes: Scopes, depth: int) -> Value:
    for scope in reversed(lookup):
        if name in scope:
            # an unknown `now` is what its name says: a parameter, mostly
            return _NOW if scope[name] is None and name in _CALLED_NOW else _value(scope[name], scopes, depth + 1)
    return None


def _calculated(sign: ast.operator, left: Value, right: Value) -> Value:
    calculate = _OPERATORS.get(type(sign))
    if calculate is None or not isinstance(left, _CALCULABLE) or not isinstance(right, _CALCULABLE):
        return None
    try:
        value = calculate(left, right)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return value if isinstance(value, _CALCULABLE) else None


def _called(node: ast.Call, scopes: Scopes, depth: int) -> Value:
    name = last_name(node.func)
    if name in _CALLED_NOW:
        return _NOW
    if name == "astimezone" and isinstance(node.func, ast.Attribute):
        return _value(node.func.value, scopes, depth + 1)
    if name != "timedelta":
        return None
    positional: list[Any] = [_value(each, scopes, depth + 1) for each in node.args]
    named: dict[Any, Any] = {word.arg: _value(word.value, scopes, depth + 1) for word in node.keywords}
    try:
        return timedelta(*positional, **named)
    except (ArithmeticError, TypeError, ValueError):
        return None
