"""Keys of a declared template that look like misspelt ones: what they say would be passed over without a word.

A key is known if it is the catalogue's own or one that Meta takes or gives; others are Meta's business, unless they are near to a known one.
https://developers.facebook.com/docs/graph-api/reference/whats-app-business-hsm/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.cloud.templates.declared import KEYS
from rasa_whatsapp.cloud.templates.part_rules import FLOWS, SAMPLE_FILE, Fault
from rasa_whatsapp.cloud.templates.rules import APP
from rasa_whatsapp.cloud.wire import JSONDict

_OF_TEMPLATE = (
    *KEYS, "name", "language", "category", "status", "parameter_format", "message_send_ttl_seconds", "components", "id",
    "sub_category", "correct_category", "previous_category", "allow_category_change", "quality_score", "rejected_reason",
    "library_template_name", "library_template_body_inputs", "library_template_button_inputs", "display_format",
    "cta_url_link_tracking_opted_out", "degrees_of_freedom_spec", "bid_spec", "is_primary_device_delivery_only",
)  # fmt: skip
_OF_COMPONENT = (
    "type", "format", "text", "example", "buttons", "cards", "limited_time_offer", "add_security_recommendation",
    "code_expiration_minutes",
)  # fmt: skip
_OF_BUTTON = (
    "type", "text", "url", "phone_number", "example", "otp_type", "autofill_text", "supported_apps",
    "zero_tap_terms_accepted", *APP, *FLOWS, "flow_action", "navigate_screen", "icon", "ttl_minutes",
)  # fmt: skip
# key of a mapping, or of a list of them -> what it is called, and the keys that it may have
_BELOW: dict[str, tuple[str, Sequence[str]]] = {
    "components": ("component", _OF_COMPONENT),
    "cards": ("card", ("components",)),
    "buttons": ("button", _OF_BUTTON),
    "example": (
        "part's example",
        (SAMPLE_FILE, *(f"{part}_text{named}" for part in ("header", "body") for named in ("", "_named_params")), "header_handle"),
    ),
    "header_text_named_params": ("named example", ("param_name", "example")),
    "body_text_named_params": ("named example", ("param_name", "example")),
    "limited_time_offer": ("offer", ("text", "has_expiration")),
    "supported_apps": ("app", APP),
}  # fmt: skip


def misspelt_keys(entry: JSONDict) -> Iterator[Fault]:
    """Yield the unknown keys of an entry that are nearly a known one."""
    yield from _misspelt(entry, "template", _OF_TEMPLATE, ())


def _misspelt(holder: JSONDict, what: str, known: Sequence[str], where: tuple[str | int, ...]) -> Iterator[Fault]:
    for key, value in holder.items():
        if key not in known:
            question = meant(key, known)
            if question:
                yield Fault((*where, key), f"{key!r} is no key of a {what}{question}")
        elif key in _BELOW:
            for place, part in _mappings(value):
                yield from _misspelt(part, *_BELOW[key], (*where, key, *place))


def _mappings(value: Any) -> Iterator[tuple[tuple[int, ...], JSONDict]]:
    """Yield a mapping, or those of a list with their positions."""
    if isinstance(value, dict):
        yield (), value
    elif isinstance(value, list):
        yield from (((position,), part) for position, part in enumerate(value) if isinstance(part, dict))
