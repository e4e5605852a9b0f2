"""What became of the templates: created ones whole, those of the file as far as they were changed."""

from __future__ import annotations

import json
from typing import Any

from rasa_whatsapp.simulator.database import Database


class TemplateTable:
    """One row per template that was created, changed or deleted; few enough to be written at once."""

    def __init__(self, db: Database) -> None:
        """Use a database whose table exists."""
        self._db = db

    def save(self, template_id: str, values: dict[str, Any] | None) -> None:
        """Insert or replace what is known of a template; None: it is in the file and was deleted."""
        self._db.write("insert or replace into templates values (?, ?)", (template_id, json.dumps(values)))

    def forget(self, template_id: str) -> None:
        """Remove what is known of a template."""
        self._db.write("delete from templates where id = ?", (template_id,))

    def all(self) -> dict[str, dict[str, Any] | None]:
        """Return what is known of each template by its id, first come first."""
        return {row[0]: json.loads(row[1]) for row in self._db.read("select id, value from templates order by rowid")}
