"""What becomes of a template: status, quality and category as they change, each told to the bot by webhook.

Some of it happens by itself, by the simulated clock: a review is over, a pause ends, an announced category comes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.templates import Templates

QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
REASONS = (
    "ABUSIVE_CONTENT", "INCORRECT_CATEGORY", "INVALID_FORMAT", "PROMOTIONAL", "SCAM", "TAG_CONTENT_MISMATCH",
)  # fmt: skip
# The third pause is none, the template is disabled (fact sheet 6.4).
PAUSE_SECONDS = (3 * 3600, 6 * 3600)
PAUSE_TITLES = ("FIRST_PAUSE", "SECOND_PAUSE")
NOTICE_SECONDS = 24 * 3600


class TemplateLife:
    """Changes templates, and lets happen what is due."""

    def __init__(
        self, settings: Settings, templates: Templates, events: Events, clock: Clock, deliveries: Deliveries
    ) -> None:
        """Take what is needed; `look` begins to let things happen."""
        self._settings = settings
        self._templates = templates
        self._events = events
        self._clock = clock
        self._deliveries = deliveries
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Let happen what is due, and plan the next look."""
        now = self._clock.timestamp()
        for template in self._templates.all():
            self._let_happen(template, now)
        self._plan()

    def stop(self) -> None:
        """Let nothing happen any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def create(self, template: Template) -> None:
        """Keep a new template, and begin its review."""
        self._keep(self._in_review(template))

    def edit(self, template: Template) -> None:
        """Keep an edited template, and review it again."""
        before = self._templates.by_id(template.id)
        kept = self._tell_status(self._keep(self._in_review(template)), "PENDING")
        if before is None or before.components != kept.components:
            self._deliver("message_template_components_update", webhooks.template_components_value(kept), kept)

    def delete(self, template: Template) -> None:
        """Forget a template."""
        self._templates.delete(template)
        self._tell_status(template, "DELETED")
        self._events.tell("templates", dict)
        self._plan()

    def change_status(self, template: Template, status: str, reason: str = "NONE", advice: str = "") -> Template:
        """Give a template a status, as a review, its quality or an operator has it; `reason` goes with REJECTED."""
        if status == "APPROVED":
            return self._approve(template)
        if status == "PAUSED":
            return self._pause(template)
        if status == "DISABLED":
            return self._disable(template)
        rejected_reason = reason if status == "REJECTED" else "NONE"
        kept = self._keep(replace(_settled(template), status=status, rejected_reason=rejected_reason))
        words = reason.replace("_", " ").capitalize()
        return self._tell_status(
            kept, status, **({"rejection_info": {"reason": words, "recommendation": advice}} if advice else {})
        )

    def change_quality(self, template: Template, quality: str) -> Template:
        """Give a template a quality score."""
        kept = self._keep(replace(template, quality=quality, quality_at=self._clock.timestamp()))
        self._deliver("message_template_quality_update", webhooks.template_quality_value(kept, template.quality), kept)
        return kept

    def change_category(self, template: Template, category: str, *, announced: bool) -> Template:
        """Give a template another category, at once or after 24 hours of notice."""
        if not announced:
            return self._recategorise(template, category)
        due = self._clock.timestamp() + NOTICE_SECONDS
        kept = self._keep(replace(template, correct_category=category, category_at=due))
        self._deliver("template_category_update", webhooks.template_category_value(kept), kept)
        return kept

    def _let_happen(self, template: Template, now: float) -> None:
        """Let happen what is due; a category comes first, so that an approval is told with it."""
        changed = template
        if template.category_at is not None and template.category_at <= now:
            changed = self._recategorise(template, template.correct_category or template.category)
        if any(moment is not None and moment <= now for moment in (template.review_at, template.paused_until)):
            self._approve(changed)

    def _in_review(self, template: Template) -> Template:
        seconds = self._settings.review_seconds
        due = None if seconds is None else self._clock.timestamp() + seconds
        return replace(_settled(template), status="PENDING", review_at=due)

    def _approve(self, template: Template) -> Template:
        kept = self._keep(replace(_settled(template), status="APPROVED", rejected_reason="NONE"))
        if template.status == "PAUSED":
            return self._tell_status(kept, "APPROVED", other_info=_info("UNPAUSE", "The template can be sent again."))
        return self._tell_status(kept, "REINSTATED" if template.status == "DISABLED" else "APPROVED")

    def _pause(self, template: Template) -> Template:
        if template.pauses >= len(PAUSE_SECONDS):
            return self._disable(template)
        seconds = PAUSE_SECONDS[template.pauses]
        info = _info(PAUSE_TITLES[template.pauses], f"Paused for {seconds // 3600} hours because of its low quality.")
        until = self._clock.timestamp() + seconds
        paused = replace(_settled(template), status="PAUSED", pauses=template.pauses + 1, paused_until=until)
        return self._tell_status(self._keep(paused), "PAUSED", other_info=info)

    def _disable(self, template: Template) -> Template:
        kept = self._keep(replace(_settled(template), status="DISABLED"))
        date = datetime.fromtimestamp(self._clock.timestamp(), timezone.utc).date().isoformat()
        info = _info("DISABLED", "The template is disabled because of its low quality.")
        return self._tell_status(kept, "DISABLED", disable_info={"disable_date": date}, other_info=info)

    def _recategorise(self, template: Template, category: str) -> Template:
        changed = replace(
            template,
            category=category,
            previous_category=template.category,
            correct_category=None,
            category_at=None,
        )
        kept = self._keep(changed)
        self._deliver("template_category_update", webhooks.template_category_value(kept), kept)
        return kept

    def _keep(self, template: Template) -> Template:
        self._templates.save(template)
        self._events.tell("templates", dict)
        self._plan()
        return template

    def _tell_status(self, template: Template, event: str, **more: Any) -> Template:
        value = webhooks.template_status_value(template, event, **more)
        self._deliver("message_template_status_update", value, template)
        return template

    def _deliver(self, field: str, value: dict[str, Any], template: Template) -> None:
        # What is told of one template starts in order, as what is told of one customer does.
        self._deliveries.send(field, value, template.id)

    def _plan(self) -> None:
        self.stop()
        due = [moment for template in self._templates.all() for moment in _moments(template)]
        if due:
            pause = max(min(due) - self._clock.timestamp(), 0)
            self._timer = asyncio.get_running_loop().call_later(pause, self.look)


def _moments(template: Template) -> list[float]:
    planned = (template.review_at, template.paused_until, template.category_at)
    return [moment for moment in planned if moment is not None]


def _settled(template: Template) -> Template:
    """Return a template without what was planned for the status that it has."""
    return replace(template, review_at=None, paused_until=None)


def _info(title: str, description: str) -> dict[str, str]:
    return {"title": title, "description": description}
