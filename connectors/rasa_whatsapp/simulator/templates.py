"""The templates as the business account has them now: from the file, with the statuses that were changed since."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage

KEPT = "template_statuses"
DEFAULT_LIMIT = 25
FILTERS = ("name", "language", "status", "category")


class Templates:
    """Looks templates up, lists them, changes their status."""

    def __init__(self, templates: list[Template], storage: Storage) -> None:
        """Take the templates of the file and apply the statuses that were changed in an earlier run."""
        self._from_file = templates
        self._storage = storage
        self.reload()

    def reload(self) -> None:
        """Read the changed statuses again."""
        changed: dict[str, str] = self._storage.kept(KEPT, {})
        self._templates = {
            (template.name, template.language): replace(template, status=changed.get(template.id, template.status))
            for template in self._from_file
        }

    def find(self, name: str, language: str) -> Template | None:
        """Return the translation with exactly this name and language."""
        return self._templates.get((name, language))

    def all(self) -> list[Template]:
        """Return all translations in the order of the file."""
        return list(self._templates.values())

    def change_status(self, template: Template, status: str) -> Template:
        """Give a translation another status and remember it."""
        self._storage.keep(KEPT, {**self._storage.kept(KEPT, {}), template.id: status})
        self.reload()
        return self._templates[(template.name, template.language)]

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of `GET /{waba}/message_templates`."""
        wanted = {name: query[name] for name in FILTERS if name in query}
        found = [template.to_json() for template in self.all()]
        # Meta's name filter may match a part of the name (fact sheet 6.2).
        found = [entry for entry in found if all(value.lower() in entry[key].lower() for key, value in wanted.items())]
        limit, start = _limit(query), _start(query)
        shown = [_selected(entry, query.get("fields")) for entry in found[start : start + limit]]
        paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(shown))}}
        if start + len(shown) < len(found):
            paging["next"] = f"?limit={limit}&after={paging['cursors']['after']}"
        return {"data": shown, "paging": paging}


def _selected(entry: dict[str, Any], fields: str | None) -> dict[str, Any]:
    if not fields:
        return entry
    known = entry | {"quality_score": {"score": "UNKNOWN"}, "rejected_reason": "NONE"}
    return {name: known[name] for name in ["id", *fields.split(",")] if name in known}


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise Refused(100, "Param limit must be a number from 1 to 1000.")
    return int(text)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _start(query: Mapping[str, str]) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(query.get("after", _cursor(0))).decode().partition(":")
        if word == "at":
            return max(int(number), 0)
    except ValueError:
        pass
    raise Refused(131059, "The cursor is not valid, list again from the start")
