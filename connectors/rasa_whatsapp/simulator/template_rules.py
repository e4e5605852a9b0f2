"""A template that is created or edited, held against Meta's rules (fact sheet 6.2, 6.3): a `Template`, or `Refused`.

Pure, and the simulator's own opinion. What only a reader can judge (does the wording suit the category) is left to the
operator, but for words that make a utility template a marketing one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.catalogue import CATEGORIES, FORMATS, LANGUAGE, NAME, Template
from rasa_whatsapp.simulator.template_parts import read_components
from rasa_whatsapp.simulator.template_texts import HEADER, refused
from rasa_whatsapp.simulator.upload_sessions import SAMPLES

EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
DAY = 24 * 3600
EDITS_IN_30_DAYS = 10
# category -> seconds that a message may wait for its delivery; -1 stands for 30 days, not for marketing.
LIFETIMES = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
_PROMOTIONAL = re.compile(
    r"\d ?% off\b|\b(sale|discounts?|coupons?|vouchers?|promo|promotions?|special offers?|limited offer"
    r"|rabatt\w*|gutschein\w*|sonderangebot\w*|schlussverkauf)\b",
    re.IGNORECASE,
)


def new_template(body: dict[str, Any], template_id: str) -> Template:
    """Return the template that a request would create, in review."""
    for name in ("library_template_name", "library_template_button_inputs", "library_template_body_inputs"):
        if name in body:
            raise refused(f"The simulator does not play the template library, leave out {name}.")
    category, form = _one_of(body, "category", CATEGORIES), _one_of(body, "parameter_format", FORMATS, "POSITIONAL")
    template = Template(
        id=template_id,
        name=_matching(body, "name", NAME, "lower-case letters, digits and underscores, at most 512 of them"),
        language=_matching(body, "language", LANGUAGE, "a code such as en or pt_BR"),
        category=category,
        status="PENDING",
        parameter_format=form,
        components=read_components(body.get("components"), category, form),
        message_send_ttl_seconds=_lifetime(body.get("message_send_ttl_seconds"), category),
    )
    # Since April 2025 that is decided at once, whatever was asked for (fact sheet 6.4).
    return replace(template, category="MARKETING") if is_promotional(template) else template


def edited_template(template: Template, body: dict[str, Any], now: float) -> Template:
    """Return the template as a request would change it, in review again."""
    if template.status not in EDITABLE:
        raise refused(f"Only templates that are {', '.join(EDITABLE)} can be edited, this one is {template.status}.")
    category = _one_of(body, "category", CATEGORIES, template.category)
    if category != template.category and template.status == "APPROVED":
        raise refused("The category of an approved template cannot be changed.")
    if not {"components", "category", "message_send_ttl_seconds"} & set(body):
        raise refused("Give components, category or message_send_ttl_seconds.")
    _check_edits(template, now)
    form, parts = template.parameter_format, template.components
    if "components" in body:
        form = _one_of(body, "parameter_format", FORMATS, form)
    if "components" in body or category != template.category:
        parts = read_components(body.get("components", list(parts)), category, form)
    return replace(
        template,
        status="PENDING",
        category=category,
        parameter_format=form,
        components=parts,
        message_send_ttl_seconds=_lifetime(
            body.get("message_send_ttl_seconds", template.message_send_ttl_seconds), category
        ),
        rejected_reason="NONE",
        edited_at=(*(at for at in template.edited_at if at > now - 30 * DAY), now),
    )


def check_duplicate(template: Template, others: Iterable[Template]) -> None:
    """Refuse a template that says what another one says; translations of one template may."""
    if template.category == "AUTHENTICATION":
        return
    said = _words(template)
    for other in others:
        if other.name != template.name and _words(other) == said:
            raise refused(f"The template {other.name} has the same body and footer in {other.language}.")


def check_sample(template: Template, type_of: Callable[[str], str | None]) -> None:
    """Refuse a header whose sample was uploaded here as something else; handles from elsewhere are taken as they are."""
    header = template.component("HEADER") or {}
    kind, example = str(header.get("format", "TEXT")).upper(), header.get("example")
    handles = example.get("header_handle") if isinstance(example, dict) else None
    for handle in handles if isinstance(handles, list) else ():
        mime_type = type_of(str(handle))
        if mime_type is not None and mime_type not in SAMPLES.get(kind, ()):
            raise refused(f"The sample of a header of format {kind} is of type {mime_type}.", HEADER)


def is_promotional(template: Template) -> bool:
    """Tell whether a utility template advertises something."""
    return template.category == "UTILITY" and any(
        _PROMOTIONAL.search(str(part.get("text", ""))) for part in template.components
    )


def _words(template: Template) -> tuple[Any, Any]:
    return (template.component("BODY") or {}).get("text"), (template.component("FOOTER") or {}).get("text")


def _check_edits(template: Template, now: float) -> None:
    recent = [at for at in template.edited_at if at > now - 30 * DAY]
    if len(recent) >= EDITS_IN_30_DAYS:
        raise refused(f"A template can be edited {EDITS_IN_30_DAYS} times in 30 days.")
    if template.status == "APPROVED" and any(at > now - DAY for at in recent):
        raise refused("An approved template can be edited once in 24 hours.")


def _lifetime(seconds: Any, category: str) -> int | None:
    if seconds is None or (seconds == -1 and category != "MARKETING"):
        return None if seconds is None else -1
    least, most = LIFETIMES[category]
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not least <= seconds <= most:
        raise refused(f"message_send_ttl_seconds must be from {least} to {most} for category {category}.")
    return seconds


def _matching(body: dict[str, Any], key: str, pattern: re.Pattern[str], expected: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise refused(f"{key} must be {expected}.")
    return value


def _one_of(body: dict[str, Any], key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = str(body.get(key) or default).upper()
    if value not in allowed:
        raise refused(f"{key} must be one of {', '.join(allowed)}.")
    return value
