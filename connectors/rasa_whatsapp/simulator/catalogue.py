"""The templates: what one is, and how those of a YAML file in Meta's own vocabulary are read.

Everything wrong with the file is reported with its line and what to do about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from rasa_whatsapp.simulator.identifiers import template_id

CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
STATUSES = (
    "APPROVED",
    "PENDING",
    "REJECTED",
    "PAUSED",
    "DISABLED",
    "IN_APPEAL",
    "PENDING_DELETION",
    "DELETED",
    "LIMIT_EXCEEDED",
    "ARCHIVED",
)
FORMATS = ("NAMED", "POSITIONAL")
# Listed only where a template has them.
OPTIONAL = ("previous_category", "correct_category", "message_send_ttl_seconds")
VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")


class TemplatesInvalid(ValueError):
    """The templates file cannot be used; the text says where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One translation of a template; `components` as Meta lists them. Moments are unix seconds of the simulated time."""

    id: str
    name: str
    language: str
    category: str
    status: str
    parameter_format: str
    components: tuple[dict[str, Any], ...]
    message_send_ttl_seconds: int | None = None
    quality: str = "UNKNOWN"
    quality_at: float | None = None
    rejected_reason: str = "NONE"
    previous_category: str | None = None
    correct_category: str | None = None  # announced, from category_at on
    category_at: float | None = None
    review_at: float | None = None  # when the review is over, unless an operator decides
    pauses: int = 0
    paused_until: float | None = None
    edited_at: tuple[float, ...] = ()

    def component(self, kind: str) -> dict[str, Any] | None:
        """Return the component of a type (`BODY`, `HEADER`...), or None."""
        return next((part for part in self.components if str(part["type"]).upper() == kind), None)

    def buttons(self) -> list[dict[str, Any]]:
        """Return the template's buttons in order."""
        return list((self.component("BUTTONS") or {}).get("buttons", []))

    def to_json(self) -> dict[str, Any]:
        """Return the translation as `GET /{waba}/message_templates` lists it when no fields are named."""
        optional = {name: getattr(self, name) for name in OPTIONAL if getattr(self, name) is not None}
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "parameter_format": self.parameter_format,
            "components": list(self.components),
            **optional,
        }

    def fields(self) -> dict[str, Any]:
        """Return every field that can be asked for by name."""
        date = {} if self.quality_at is None else {"date": int(self.quality_at)}
        return self.to_json() | {
            "quality_score": {"score": self.quality, **date},
            "rejected_reason": self.rejected_reason,
        }


def variables(text: str) -> list[str]:
    """Return the names or numbers of the variables in a text, each once, in order of appearance."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def load(path: Path) -> list[Template]:
    """Read a templates file, or all YAML files below a folder, or raise `TemplatesInvalid`."""
    files = sorted((*path.glob("**/*.yml"), *path.glob("**/*.yaml"))) if path.is_dir() else [path]
    if not files:
        raise TemplatesInvalid(f"{path}: the folder has no YAML file. Give a file, or a folder with some.")
    seen: dict[tuple[str, str], str] = {}
    found = []
    for where, template in (item for file in files for item in _read(file)):
        before = seen.setdefault((template.name, template.language), where)
        if before != where:
            raise TemplatesInvalid(
                f"{where}: {template.name} in {template.language} is there twice, first at {before}. Remove one, or change"
                " its language."
            )
        found.append(template)
    return found


def _read(path: Path) -> Iterable[tuple[str, Template]]:
    try:
        document = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplatesInvalid(f"{path}: cannot be read ({error.strerror}). Give the path of a YAML file.") from None
    except UnicodeDecodeError:
        raise TemplatesInvalid(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TemplatesInvalid(f"{path}:{line}: is not YAML: {error.problem}. Mend the line.") from None
    except YAMLError as error:
        raise TemplatesInvalid(f"{path}: is not YAML: {error}.") from None
    return _templates(document, path)


def _templates(document: Any, path: Path) -> Iterator[tuple[str, Template]]:
    """Yield the templates with their places."""
    entries = document.get("whatsapp_templates") if isinstance(document, dict) else None
    if not isinstance(entries, CommentedSeq):
        raise TemplatesInvalid(f"{path}:1: needs a list under the key whatsapp_templates.")
    for index, entry in enumerate(entries):
        where = f"{path}:{entries.lc.item(index)[0] + 1}"
        yield where, _template(entry, where)


def _template(entry: Any, where: str) -> Template:
    if not isinstance(entry, dict):
        raise TemplatesInvalid(f"{where}: a template is a mapping with name, language, category and components.")
    plain = json.loads(json.dumps(entry, default=str))
    name = _matching(plain, "name", NAME, where, "lower-case letters, digits and underscores")
    language = _matching(plain, "language", LANGUAGE, where, "a code such as en or pt_BR")
    template = Template(
        id=template_id(name, language),
        name=name,
        language=language,
        category=_one_of(plain, "category", CATEGORIES, where),
        status=_one_of(plain, "status", STATUSES, where, default="APPROVED"),
        parameter_format=_one_of(plain, "parameter_format", FORMATS, where, default="POSITIONAL"),
        components=_components(plain, where),
    )
    _check_variables(template, where)
    return template


def _matching(entry: dict[str, Any], key: str, pattern: re.Pattern[str], where: str, expected: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise TemplatesInvalid(f"{where}: {key} is {value!r}, expected {expected}.")
    return value


def _one_of(entry: dict[str, Any], key: str, allowed: Iterable[str], where: str, default: str | None = None) -> str:
    value = str(entry.get(key, default)).upper()
    if value not in allowed:
        raise TemplatesInvalid(f"{where}: {key} is {entry.get(key)!r}, expected one of {', '.join(allowed)}.")
    return value


def _components(entry: dict[str, Any], where: str) -> tuple[dict[str, Any], ...]:
    parts = entry.get("components")
    if not isinstance(parts, list) or not all(isinstance(part, dict) and "type" in part for part in parts):
        raise TemplatesInvalid(f"{where}: components is a list of mappings, each with a type.")
    body = [part for part in parts if str(part["type"]).upper() == "BODY"]
    is_code = str(entry.get("category")).upper() == "AUTHENTICATION"  # its text is Meta's, and may be left out
    if len(body) != 1 or not isinstance(body[0].get("text", "" if is_code else None), str):
        raise TemplatesInvalid(f"{where}: components need one of type BODY with a text.")
    for part in parts:
        buttons = part.get("buttons", [])
        if not isinstance(buttons, list) or not all(isinstance(b, dict) and "type" in b for b in buttons):
            raise TemplatesInvalid(f"{where}: buttons is a list of mappings, each with a type and a text.")
        if str(part["type"]).upper() == "CAROUSEL" and not _are_cards(part.get("cards")):
            raise TemplatesInvalid(f"{where}: a carousel has a list of cards, each with a list of components.")
    return tuple(parts)


def _are_cards(cards: Any) -> bool:
    """Tell whether these are the cards of a carousel."""
    parts = (
        [card.get("components") if isinstance(card, dict) else None for card in cards]
        if isinstance(cards, list)
        else []
    )
    return bool(parts) and all(
        isinstance(each, list) and all(isinstance(part, dict) and "type" in part for part in each) for each in parts
    )


def _check_variables(template: Template, where: str) -> None:
    for part in template.components:
        names = variables(str(part.get("text", "")))
        numbered = all(name.isdecimal() for name in names)
        if template.parameter_format == "POSITIONAL" and names and not numbered:
            raise TemplatesInvalid(f"{where}: {names[0]} is a named variable. Set parameter_format: NAMED.")
        if template.parameter_format == "NAMED" and any(name.isdecimal() for name in names):
            raise TemplatesInvalid(
                f"{where}: numbered variables in a NAMED template. Set parameter_format: POSITIONAL."
            )
