"""What a bot says of its own accord, held against the templates that its responses carry: domain, rules, stories and actions to findings.

Proactive is what rules and stories have follow an external intent, EXTERNAL_* or one that an action schedules with ReminderScheduled,
up to the customer's next message. Where they say that the care window is open, nothing needs a template; nor does it if every
reminder of the intent is due while the window is open: within 24 hours, less the margin before its end, after the turn that
schedules it, as the code tells; nor what the code of an action says where it has asked whether the window is open
(`if window.is_open:`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.policy.window import LENGTH
from rasa_whatsapp.responses.domain import SLOT, Domain, Variation
from rasa_whatsapp.slots import CARE_WINDOW_OPEN
from rasa_whatsapp.templates.actions import Actions, Place, Reminder
from rasa_whatsapp.templates.catalogue import Misread
from rasa_whatsapp.templates.dialogues import Step

_EXTERNAL = "EXTERNAL_"
_OF_RASA = ("requested_slot", "session_started_metadata")  # slots that Rasa adds to each domain


@dataclass(frozen=True, slots=True)
class Bot:
    """What lint reads of a bot beside its templates; `misread` are the rules and stories that cannot be read.

    `templates` are the names of those that its settings ask for, `margin` is the time before the window's end in which a template is to go.
    """

    domain: Domain
    steps: Sequence[Step]
    actions: Actions
    misread: Sequence[Misread]
    templates: Collection[str]
    margin: timedelta

    def is_late(self, after: timedelta) -> bool:
        """Tell whether what is due so long after the customer's message meets a window that is closed, or as good as that."""
        return after >= LENGTH - self.margin


@dataclass(frozen=True, slots=True)
class Lack:
    """What a bot lacks at one place; `response` is the one that it is about, if it is about one."""

    file: Path
    line: int
    response: str
    text: str


def lacks(bot: Bot, declared: Collection[str] = ()) -> list[Lack]:
    """Return what cannot be said once the window is closed, the reminders that lead to it, and unknown slots.

    For the `declared` responses the catalogue itself names a template.
    """
    return [
        *_without_template(bot, declared),
        *_in_own_words(bot),
        *_late_reminders(bot, declared),
        *_unknown_slots(bot),
    ]


def _without_template(bot: Bot, declared: Collection[str]) -> Iterator[Lack]:
    told: set[tuple[str, int]] = set()
    for step in _proactive(bot):
        if not _is_timely(step.intent, bot):
            for variation in _bare(_said(step.action, bot).difference(declared), bot.domain):
                place = (variation.response, variation.position)
                if place not in told:
                    told.add(place)
                    yield Lack(
                        variation.file,
                        variation.document.line(["responses", variation.response, variation.position]),
                        variation.response,
                        f"it is said after {step.intent} ({step.file}:{step.line}) and has no template (custom.template): "
                        "when the care window is closed, it cannot be sent",
                    )


def _late_reminders(bot: Bot, declared: Collection[str]) -> Iterator[Lack]:
    for reminder in bot.actions.reminders:
        if reminder.after is None or not bot.is_late(reminder.after):
            continue
        after = [step for step in _proactive(bot) if step.intent == reminder.intent]
        said = set().union(*(_said(step.action, bot) for step in after))
        names = sorted({variation.response for variation in _bare(said.difference(declared), bot.domain)})
        if names:
            yield Lack(reminder.file, reminder.line, "", f"{_due(reminder)}, and {_listed(names)} no template")


def _due(reminder: Reminder) -> str:
    after = reminder.after or timedelta()
    closes = "is closed" if after >= LENGTH else "is about to close (care_window_margin_seconds)"
    return (
        f"the reminder {reminder.intent} is due after {after / timedelta(hours=1):g} h, when the care window {closes}"
    )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"


def _proactive(bot: Bot) -> list[Step]:
    """Return the steps that may come when the customer has not written, and the window may be closed."""
    scheduled = {reminder.intent for reminder in bot.actions.reminders}
    return [
        step
        for step in bot.steps
        if not step.is_inside and (step.intent.startswith(_EXTERNAL) or step.intent in scheduled)
    ]


def _is_timely(intent: str, bot: Bot) -> bool:
    """Tell whether all reminders of the intent are surely due while the window is open."""
    due = [reminder.after for reminder in bot.actions.reminders if reminder.intent in (intent, None)]
    return bool(due) and all(after is not None and not bot.is_late(after) for after in due)


def _in_own_words(bot: Bot) -> Iterator[Lack]:
    told: set[Place] = set()
    for step in _proactive(bot):
        places = {place for name in _reached(step.action, bot) for place in bot.actions.own_words.get(name, ())}
        if not _is_timely(step.intent, bot):
            for place in sorted(places - told):
                told.add(place)
                yield Lack(
                    place.file,
                    place.line,
                    "",
                    f"these words are said after {step.intent} ({step.file}:{step.line}), and no response: when the care window is "
                    "closed, they cannot be sent; say a response that has a template",
                )


def _said(action: str, bot: Bot) -> set[str]:
    """Return the responses that may be said when an action runs."""
    return set(_reached(action, bot)) & bot.domain.names


def _reached(action: str, bot: Bot) -> list[str]:
    """Return the responses and actions that may follow when an action runs, itself too: what its code says, a form's questions."""
    reached = [action]
    for name in reached:  # it grows meanwhile
        further = [*sorted(bot.actions.leads_to.get(name, ())), *_questions(name, bot.domain)]
        reached += [each for each in further if each not in reached]
    return reached


def _questions(form: str, domain: Domain) -> list[str]:
    """Return the responses and actions that ask for a form's slots; nothing of what is no form."""
    slots = domain.forms.get(form, {}).get("required_slots")
    return [
        f"{kind}_ask_{name}"
        for slot in (slots if isinstance(slots, list) else ())
        for kind in ("utter", "action")
        for name in (f"{form}_{slot}", str(slot))
    ]


def _bare(responses: set[str], domain: Domain) -> list[Variation]:
    """Return the variations without a template that may be said while the window is closed."""
    return [
        variation
        for variation in domain.variations
        if variation.response in responses and not variation.templates and not _is_inside(variation)
    ]


def _is_inside(variation: Variation) -> bool:
    condition = variation.content.get("condition")
    return isinstance(condition, list) and any(
        isinstance(each, dict) and each.get("name") == CARE_WINDOW_OPEN and each.get("value") is True
        for each in condition
    )


def _unknown_slots(bot: Bot) -> Iterator[Lack]:
    known = {*bot.domain.slots, *_OF_RASA}
    for variation in bot.domain.variations:
        custom = variation.content.get("custom")
        template = custom.get("template") if isinstance(custom, dict) else None
        for path, slot in _slots_in(template, "custom.template"):
            if slot not in known and not bot.actions.gives(variation.response, slot):
                problem = variation.problem(
                    f"{path}: the domain has no slot {slot!r}, and no action gives it to utter_message"
                    f"{meant(slot, sorted(known))}"
                )
                yield Lack(problem.file, problem.line, variation.response, problem.text)


def _slots_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each `{slot}` in the texts of a value, with the path that leads to it."""
    if isinstance(value, str):
        yield from ((path, found[1:-1]) for found in SLOT.findall(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _slots_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _slots_in(item, f"{path}[{position}]")
