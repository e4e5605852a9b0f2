"""The templates as the business account has them now: those of the file and those that it created, with all changes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage

DEFAULT_LIMIT = 25
FILTERS = ("name", "language", "status", "category")
FIELDS = tuple(field.name for field in fields(Template))
# JSON knows no tuples.
_TUPLES = ("components", "edited_at")


class Templates:
    """Looks templates up, lists them, keeps them."""

    def __init__(self, templates: list[Template], storage: Storage) -> None:
        """Take the templates of the file, and what became of them and of others in an earlier run."""
        self._from_file = {template.id: template for template in templates}
        self._table = storage.templates
        self.reload()

    def reload(self) -> None:
        """Read what was kept again."""
        kept = self._table.all()
        self._by_id: dict[str, Template] = {}
        for template in self._from_file.values():
            changes = kept.get(template.id, {})
            if changes is not None:
                self._by_id[template.id] = replace(template, **_values(changes))
        names = {(template.name, template.language) for template in self._by_id.values()}
        for template_id, values in kept.items():
            # What was changed of a template that the file no longer has is no template.
            if template_id in self._from_file or not values or "name" not in values:
                continue
            created = Template(**_values(values))
            if (created.name, created.language) not in names:
                self._by_id[template_id] = created
        self._index()

    def find(self, name: str, language: str) -> Template | None:
        """Return the translation with exactly this name and language."""
        return self._by_name.get((name, language))

    def by_id(self, template_id: str) -> Template | None:
        """Return the translation with an id."""
        return self._by_id.get(template_id)

    def all(self) -> list[Template]:
        """Return all translations: those of the file in its order, then those that were created."""
        return list(self._by_id.values())

    def save(self, template: Template) -> Template:
        """Keep a translation that is new or has changed."""
        before = self._from_file.get(template.id)
        values = {name: getattr(template, name) for name in FIELDS}
        if before is not None:
            values = {name: value for name, value in values.items() if value != getattr(before, name)}
        self._table.save(template.id, values)
        self._by_id[template.id] = template
        self._index()
        return template

    def delete(self, template: Template) -> None:
        """Forget a translation."""
        if template.id in self._from_file:
            self._table.save(template.id, None)
        else:
            self._table.forget(template.id)
        del self._by_id[template.id]
        self._index()

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of `GET /{waba}/message_templates`."""
        wanted = {name: query[name] for name in FILTERS if name in query}
        # Meta's name filter may match a part of the name (fact sheet 6.2).
        found = [
            template
            for template in self.all()
            if all(value.lower() in str(getattr(template, key)).lower() for key, value in wanted.items())
        ]
        limit, start = _limit(query), _start(query)
        shown = [selected(template, query.get("fields")) for template in found[start : start + limit]]
        paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(shown))}}
        if start + len(shown) < len(found):
            paging["next"] = f"?limit={limit}&after={paging['cursors']['after']}"
        return {"data": shown, "paging": paging}

    def _index(self) -> None:
        self._by_name = {(template.name, template.language): template for template in self._by_id.values()}


def selected(template: Template, names: str | None) -> dict[str, Any]:
    """Return the fields of a template that are named, separated by commas; without names the usual ones."""
    if not names:
        return template.to_json()
    known = template.fields()
    return {name: known[name] for name in ["id", *names.split(",")] if name in known}


def _values(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in _TUPLES else value for name, value in kept.items()}


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
