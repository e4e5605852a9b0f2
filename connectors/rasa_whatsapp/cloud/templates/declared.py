"""What a catalogue says of a template beside Meta's own words: which responses it stands for, and what fills it.

These keys are ours: they are never handed in. They stand at one translation of a template, or the same at several, and hold for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp.cloud.templates.part_rules import Fault
from rasa_whatsapp.cloud.templates.translations import read_translation
from rasa_whatsapp.cloud.templates.uses import TemplateUse
from rasa_whatsapp.cloud.wire import JSONDict

KEYS = ("response", "parameters", "payloads")
SOURCES = ("slot", "entity", "literal")


@dataclass(frozen=True, slots=True)
class Known:
    """What the dialogue knows when it speaks: the slots' values, and the entities of the message or event that it answers."""

    slots: Mapping[str, Any] = field(default_factory=dict)
    entities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """What fills a parameter: a slot or an entity by its name, or a literal text."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A template that stands for responses which name none themselves; `payloads` are those of its quick-reply buttons."""

    name: str
    responses: tuple[str, ...]
    parameters: Mapping[str, Source]
    payloads: tuple[str, ...]

    def use(self, known: Known, customer_language: str | None = None) -> TemplateUse:
        """Return the template with what fills it now; a slot without a value stays as `{slot}`, which no send takes, nor an empty text."""
        return self._use({name: _filled(source, known) for name, source in self.parameters.items()}, customer_language)

    def use_unfilled(self) -> TemplateUse:
        """Return the template with what would fill it, as in a domain: `{slot}` stands for any right value."""
        return self._use(
            {
                name: source.value if source.kind == "literal" else f"{{{source.value}}}"
                for name, source in self.parameters.items()
            }
        )

    def _use(self, parameters: Mapping[str, str], customer_language: str | None = None) -> TemplateUse:
        return TemplateUse(
            name=self.name, parameters=parameters, payloads=self.payloads, customer_language=customer_language
        )


def faults_of_keys(entry: JSONDict) -> Iterator[Fault]:
    """Yield what is wrong with the keys of an entry that are ours."""
    if "response" not in entry:
        for key in ("parameters", "payloads"):
            if key in entry:
                yield Fault((key,), f"{key} belongs to response: name the response that uses the template")
        return
    if not _responses(entry):
        yield Fault(("response",), "response is the name of a response, or a list of such names")
    payloads = entry.get("payloads", [])
    if not isinstance(payloads, list) or not all(isinstance(payload, str) and payload for payload in payloads):
        yield Fault(("payloads",), "payloads is a list of texts, such as /affirm, one for each quick-reply button")
    yield from _faults_of_parameters(entry)


def read_declared(entry: JSONDict) -> Declared | None:
    """Return what an entry without such faults declares of its use, None if it declares nothing."""
    if "response" not in entry:
        return None
    sources = {str(name): next(iter(source.items())) for name, source in (entry.get("parameters") or {}).items()}
    return Declared(
        str(entry.get("name")),
        _responses(entry),
        {name: Source(kind, str(value)) for name, (kind, value) in sources.items()},
        tuple(entry.get("payloads") or ()),
    )


def _responses(entry: JSONDict) -> tuple[str, ...]:
    given = entry.get("response")
    names: list[Any] = given if isinstance(given, list) else [given]
    return tuple(names) if names and all(isinstance(name, str) and name for name in names) else ()


def _faults_of_parameters(entry: JSONDict) -> Iterator[Fault]:
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict):
        yield Fault(("parameters",), "parameters is not a mapping of the template's variables to what fills them")
        return
    for name, source in parameters.items():
        if not _is_source(source):
            yield Fault(
                ("parameters", str(name)),
                f"parameters.{name} is one of {{slot: name}}, {{entity: name}} and {{literal: text}}",
            )
    try:
        translation = read_translation(entry)
    except ValueError:
        return  # that is told
    variables = dict.fromkeys((*translation.header_variables, *translation.body_variables))
    for name in [str(name) for name in parameters if str(name) not in variables]:
        yield Fault(("parameters", name), f"parameters.{name}: the template has no variable {{{{{name}}}}}")
    for name in [name for name in variables if name not in {str(given) for given in parameters}]:
        yield Fault(("parameters",), f"parameters does not say what fills {{{{{name}}}}}")


def _is_source(source: Any) -> bool:
    if not isinstance(source, dict) or len(source) != 1:
        return False
    ((kind, value),) = source.items()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return kind in SOURCES and ((isinstance(value, str) and value != "") or (kind == "literal" and is_number))


def _filled(source: Source, known: Known) -> str:
    if source.kind == "literal":
        return source.value
    value = (known.slots if source.kind == "slot" else known.entities).get(source.value)
    if value is None:
        return f"{{{source.value}}}" if source.kind == "slot" else ""
    return str(value)
