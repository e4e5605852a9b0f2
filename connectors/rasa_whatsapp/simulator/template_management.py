"""What the business does with its templates: create, edit, delete, unpause, with Meta's limits (fact sheet 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.identifiers import new_template_id
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.template_life import TemplateLife
from rasa_whatsapp.simulator.template_rules import DAY, check_duplicate, check_sample, edited_template, new_template
from rasa_whatsapp.simulator.template_texts import refused
from rasa_whatsapp.simulator.templates import Templates

CREATIONS_PER_HOUR = 100
# Of a business that is not verified; each language counts.
MOST_TEMPLATES = 250
LOCK_SECONDS = 30 * DAY
TOO_MANY = 2388019
BEING_DELETED = 2388023
EXISTS = 2388024
# Names in the store: moments of creation; (name or name/language) -> locked until.
CREATIONS = "template_creations"
LOCKS = "template_locks"


class TemplateManagement:
    """The business's side of its templates."""

    def __init__(
        self,
        storage: Storage,
        templates: Templates,
        life: TemplateLife,
        clock: Clock,
        type_of: Callable[[str], str | None],
    ) -> None:
        """Take what is needed; `type_of` returns the type of the file behind a handle that was given here."""
        self._storage = storage
        self._templates = templates
        self._life = life
        self._clock = clock
        self._type_of = type_of

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create a template and return Meta's answer; the category may be another one than was asked for."""
        now = self._clock.timestamp()
        recent = [at for at in self._storage.kept(CREATIONS, []) if at > now - 3600]
        if len(recent) >= CREATIONS_PER_HOUR:
            raise Refused(80007, f"A business account can create {CREATIONS_PER_HOUR} templates in an hour.")
        template = new_template(body, new_template_id())
        self._check_place(template)
        check_sample(template, self._type_of)
        check_duplicate(template, self._templates.all())
        self._storage.keep(CREATIONS, [*recent, now])
        self._life.create(template)
        return {"id": template.id, "status": template.status, "category": template.category}

    def edit(self, template: Template, body: dict[str, Any]) -> dict[str, Any]:
        """Change a template and return Meta's answer."""
        edited = edited_template(template, body, self._clock.timestamp())
        check_sample(edited, self._type_of)
        check_duplicate(edited, (other for other in self._templates.all() if other.id != template.id))
        self._life.edit(edited)
        return {"success": True}

    def delete(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Delete a template in all languages, or with `hsm_id` in one, and return Meta's answer."""
        name, template_id = query.get("name", ""), query.get("hsm_id")
        if not name:
            raise Refused(100, "The parameter name is required.")
        found = [
            template
            for template in self._templates.all()
            if template.name == name and template_id in (None, template.id)
        ]
        if not found:
            raise Refused(
                100, f"There is no message template {name}{f' with id {template_id}' if template_id else ''}."
            )
        if any(template.status == "DISABLED" for template in found):
            raise refused("A disabled template cannot be deleted.")
        for template in found:
            self._lock(template, template.name if template_id is None else f"{template.name}/{template.language}")
            self._life.delete(template)
        return {"success": True}

    def unpause(self, template: Template) -> dict[str, Any]:
        """End a pause and return Meta's answer."""
        if template.status != "PAUSED":
            raise refused(f"Only a paused template can be unpaused, this one is {template.status}.")
        self._life.change_status(template, "APPROVED")
        return {"success": True}

    def _check_place(self, template: Template) -> None:
        name, language = template.name, template.language
        if self._templates.find(name, language) is not None:
            raise refused(f"There is already {language} content for the template {name}.", EXISTS)
        locks = self._locks()
        if name in locks or f"{name}/{language}" in locks:
            raise refused(
                f"New {language} content for the template {name} can't be added while it is being deleted. Try again"
                " in 4 weeks or create a new message template.",
                BEING_DELETED,
            )
        if len(self._templates.all()) >= MOST_TEMPLATES:
            raise refused(f"A business account can have {MOST_TEMPLATES} templates, each language counts.", TOO_MANY)

    def _lock(self, template: Template, place: str) -> None:
        """Only the name of an approved template is locked; one that is paused was approved."""
        if template.status in ("APPROVED", "PAUSED"):
            self._storage.keep(LOCKS, {**self._locks(), place: self._clock.timestamp() + LOCK_SECONDS})

    def _locks(self) -> dict[str, float]:
        now = self._clock.timestamp()
        return {place: until for place, until in self._storage.kept(LOCKS, {}).items() if until > now}
