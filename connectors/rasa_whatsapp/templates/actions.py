"""A bot's custom actions, a file or a folder of them, to what they say and which reminders they schedule, with the places.

Read by their syntax: nothing is imported or run. What only running them can tell, a computed name or moment, is unknown (None).
An action says what its methods say, those of its base classes, and the functions of the folder that these call, by name.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rasa_whatsapp.slots import CARE_WINDOW_OPEN
from rasa_whatsapp.templates import constants
from rasa_whatsapp.templates.catalogue import Misread
from rasa_whatsapp.templates.constants import Scopes, last_name

_WINDOW = ("is_open", CARE_WINDOW_OPEN)  # of custom_actions.CareWindow, and the slot
_OF_MESSAGES = {"text", "image", "json_message", "template", "response", "attachment", "buttons", "elements"}


@dataclass(frozen=True, slots=True)
class Reminder:
    """A call of ReminderScheduled: the intent, and how long after the call it is due; None for what only running it tells."""

    file: Path
    line: int
    intent: str | None
    after: timedelta | None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file."""

    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Saying:
    """A call of utter_message with a response: its name, and the values that come with it; None for what only running it tells."""

    response: str | None
    given: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Actions:
    """What was found, and by the names of the actions what they may do when the care window is closed.

    `leads_to` are the responses that an action says and the actions that follow it (FollowupAction), `own_words` the places where it
    says what is no response.
    """

    reminders: tuple[Reminder, ...] = ()
    sayings: tuple[Saying, ...] = ()
    leads_to: Mapping[str, frozenset[str]] = field(default_factory=dict)
    own_words: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    misread: tuple[Misread, ...] = ()

    def gives(self, response: str, name: str) -> bool:
        """Tell whether an action gives this response a value of this name."""
        return any(
            saying.given is None or name in saying.given
            for saying in self.sayings
            if saying.response is None or saying.response == response
        )


@dataclass(slots=True)
class _Function:
    """A function or method: what its own lines lead to or say in their own words, and what they call."""

    leads_to: set[str] = field(default_factory=set)
    own_words: set[Place] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Class:
    bases: tuple[str, ...]
    action: str | None
    methods: list[_Function] = field(default_factory=list)


def read_actions(path: Path) -> Actions:
    """Return what the actions of a file, or of all Python files below a folder, say and schedule."""
    trees: dict[Path, ast.Module] = {}
    misread: list[Misread] = []
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        try:
            trees[file] = ast.parse(file.read_bytes())
        except SyntaxError as problem:
            misread.append(Misread(file, problem.lineno or 1, f"it cannot be read: {problem.msg}"))
        except (OSError, ValueError) as problem:
            misread.append(Misread(file, 1, f"it cannot be read: {problem}"))
    everywhere: dict[str, ast.expr | None] = {}
    for tree in trees.values():
        constants.merge(everywhere, constants.assigned(tree.body))
    found = _Found()
    for file, tree in trees.items():
        _Reader(file, Scopes((everywhere, constants.assigned(tree.body))), found).visit(tree)
    by_action = found.by_action()
    return Actions(
        tuple(found.reminders),
        tuple(found.sayings),
        {name: frozenset(each for one in reached for each in one.leads_to) for name, reached in by_action.items()},
        {name: frozenset(each for one in reached for each in one.own_words) for name, reached in by_action.items()},
        tuple(misread),
    )


@dataclass(slots=True)
class _Found:
    reminders: list[Reminder] = field(default_factory=list)
    sayings: list[Saying] = field(default_factory=list)
    functions: dict[str, list[_Function]] = field(default_factory=dict)
    classes: dict[str, list[_Class]] = field(default_factory=dict)

    def by_action(self) -> dict[str, list[_Function]]:
        """Return the functions that each action may run."""
        every = [each for same in self.classes.values() for each in same]
        return {each.action: self._reached(self._methods(each, set())) for each in every if each.action}

    def _methods(self, each: _Class, seen: set[str]) -> list[_Function]:
        """Return the methods of a class and of its bases, as far as they stand in the folder."""
        methods = list(each.methods)
        for base in each.bases:
            if base not in seen:
                seen.add(base)
                methods += [one for other in self.classes.get(base, ()) for one in self._methods(other, seen)]
        return methods

    def _reached(self, functions: list[_Function]) -> list[_Function]:
        """Return the functions and all that they may call."""
        reached = list(functions)
        for one in reached:  # it grows meanwhile
            called = [other for name in one.calls for other in self.functions.get(name, ())]
            reached += [other for other in called if not any(other is known for known in reached)]
        return reached


class _Reader(ast.NodeVisitor):
    """Reads one file."""

    def __init__(self, file: Path, scopes: Scopes, found: _Found) -> None:
        self._file = file
        self._scopes = scopes
        self._found = found
        self._class: _Class | None = None
        self._function = _Function()
        self._is_inside = False  # where the code has asked whether the care window is open

    def visit_If(self, node: ast.If) -> None:
        """Note where the code has asked whether the care window is open."""
        is_refused = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        asks = any(word in ast.unparse(node.test) for word in _WINDOW)
        self.visit(node.test)
        for block, is_inside in ((node.body, asks and not is_refused), (node.orelse, asks and is_refused)):
            outer, self._is_inside = self._is_inside, self._is_inside or is_inside
            for part in block:
                self.visit(part)
            self._is_inside = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Note a class and read its methods."""
        outer = self._class, self._scopes
        self._scopes = self._scopes.of_class(constants.assigned(node.body))
        self._class = _Class(tuple(map(last_name, node.bases)), self._action_name(node))
        self._found.classes.setdefault(node.name, []).append(self._class)
        self.generic_visit(node)
        self._class, self._scopes = outer

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Note a function and read what it does."""
        self._read_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Note a function and read what it does."""
        self._read_function(node)

    def _read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self._function, self._scopes, self._is_inside
        self._function, self._is_inside = _Function(), False
        self._scopes = self._scopes.of_function({**constants.parameters(node), **constants.assigned(node.body)})
        if self._class:
            self._class.methods.append(self._function)
        else:
            self._found.functions.setdefault(node.name, []).append(self._function)
        self.generic_visit(node)
        self._function, self._scopes, self._is_inside = outer

    def visit_Call(self, node: ast.Call) -> None:
        """Note what the call says, schedules or calls."""
        name = last_name(node.func)
        if name == "ReminderScheduled":
            self._remind(node)
        elif name == "utter_message":
            self._say(node)
        elif name == "FollowupAction":
            self._function.leads_to |= {each for each in self._texts(_argument(node, 0, "name")) if each}
        else:
            self._function.calls.add(name)
        self.generic_visit(node)

    def _remind(self, node: ast.Call) -> None:
        after = constants.from_now(_argument(node, 1, "trigger_date_time"), self._scopes)
        for intent in self._texts(_argument(node, 0, "intent_name")):
            self._found.reminders.append(Reminder(self._file, node.lineno, intent, after))

    def _say(self, node: ast.Call) -> None:
        responses = [keyword.value for keyword in node.keywords if keyword.arg in ("response", "template")]
        is_open = any(keyword.arg is None for keyword in node.keywords)
        given = {keyword.arg for keyword in node.keywords if keyword.arg}
        if not responses and not is_open:
            if "json_message" not in given and not self._is_inside:  # that may hold a template
                self._function.own_words.add(Place(self._file, node.lineno))
            return
        names = given - _OF_MESSAGES
        for response in self._texts(responses[0] if responses else None):
            self._found.sayings.append(Saying(response, None if is_open else frozenset(names)))
            if response and not self._is_inside:
                self._function.leads_to.add(response)

    def _action_name(self, node: ast.ClassDef) -> str | None:
        """Return what the method `name` of an action returns."""
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == "name":
                returned = [each.value for each in ast.walk(part) if isinstance(each, ast.Return)]
                return self._texts(returned[0])[0] if len(returned) == 1 else None
        return None

    def _texts(self, node: ast.expr | None) -> list[str | None]:
        return constants.texts(node, self._scopes)


def _argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    named = (keyword.value for keyword in node.keywords if keyword.arg == name)
    return node.args[position] if position < len(node.args) else next(named, None)
