"""A template as Meta gives it back to an entry of a catalogue, as a designer would declare it; and into an entry that is there.

What Meta adds stays out, so that the entry can be handed in again; what is the catalogue's alone stays in it.
"""

from __future__ import annotations

import re
from typing import Any

from rasa_whatsapp.cloud.templates.calls import AccountTemplate
from rasa_whatsapp.cloud.templates.differences import Difference, differences, examples_differ, is_same
from rasa_whatsapp.cloud.wire import JSONDict

_OTP_TYPE = re.compile(r"otp_type=(\w+)", re.IGNORECASE)
_APPROVED = "APPROVED"  # what an entry without a status says


def to_entry(template: AccountTemplate) -> JSONDict:
    """Return the entry that declares a template as the account has it."""
    content = template.content
    entry: JSONDict = {
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "status": template.status,
    }
    if str(content.get("parameter_format") or "POSITIONAL").upper() != "POSITIONAL":
        entry["parameter_format"] = str(content["parameter_format"]).upper()
    if content.get("message_send_ttl_seconds") is not None:
        entry["message_send_ttl_seconds"] = content["message_send_ttl_seconds"]
    is_for_codes = template.category == "AUTHENTICATION"
    entry["components"] = [_code_component(part) if is_for_codes else _component(part) for part in _components(content)]
    return entry


def update(entry: JSONDict, template: AccountTemplate) -> list[Difference]:
    """Change an entry in place to what the account has, where that is different; return what was."""
    wanted = to_entry(template)
    changed = differences(entry, wanted)
    for part in {difference.part for difference in changed}:
        if part in ("category", "parameter_format", "message_send_ttl_seconds"):
            _set_or_remove(entry, part, wanted.get(part))
    if not isinstance(entry.get("components"), list):
        entry["components"] = wanted["components"]
    elif changed:
        _update_components(entry["components"], wanted["components"])
    said = str(entry.get("status", _APPROVED)).upper()
    if said != template.status:
        entry["status"] = template.status
        changed.insert(0, Difference("status", said, template.status))
    return changed


def _update_components(ours: list[Any], theirs: list[JSONDict]) -> None:
    wanted = {part["type"]: part for part in theirs}
    for position in range(len(ours) - 1, -1, -1):
        part = ours[position]
        kind = str(part.get("type", "")).upper() if isinstance(part, dict) else ""
        if kind not in wanted:
            del ours[position]
            continue
        their = wanted.pop(kind)
        if str(part.get("format", "TEXT")).upper() == str(their.get("format", "TEXT")).upper():
            _update_part(part, their)
        else:
            ours[position] = their
    ours.extend(part for part in theirs if part["type"] in wanted)


def _update_part(ours: JSONDict, theirs: JSONDict) -> None:
    """Change what a component or button says of itself and is not so; what it does not say stays unsaid."""
    needs_example = "example" in theirs and "example" not in ours and ours.get("text") != theirs.get("text")
    for key in [key for key in ours if key not in ("type", "format", "example")]:
        if isinstance(ours[key], list) and isinstance(theirs.get(key), list):
            _update_list(ours[key], theirs[key])
        elif not is_same(key, ours[key], theirs.get(key)):
            _set_or_remove(ours, key, theirs.get(key))
    if needs_example or examples_differ(ours, theirs):
        ours["example"] = theirs["example"]


def _update_list(ours: list[Any], theirs: list[Any]) -> None:
    """Change the buttons or cards of a component, each for itself where it is still of its type."""
    for position, their in enumerate(theirs):
        if position == len(ours):
            ours.append(their)
            continue
        our = ours[position]
        both = isinstance(our, dict) and isinstance(their, dict)
        if both and isinstance(our.get("components"), list):
            _update_components(our["components"], their.get("components", []))
        elif both and str(our.get("type", "")).upper() == their.get("type"):
            _update_part(our, their)
        else:
            ours[position] = their
    del ours[len(theirs) :]


def _component(part: JSONDict) -> JSONDict:
    kept = _typed(part)
    if isinstance(part.get("buttons"), list):
        kept["buttons"] = [_button(button) for button in part["buttons"] if isinstance(button, dict)]
    if isinstance(part.get("cards"), list):
        kept["cards"] = [{"components": [_component(each) for each in _components(card)]} for card in part["cards"]]
    return kept


def _code_component(part: JSONDict) -> JSONDict:
    """Return what a designer says of a component whose words are Meta's."""
    kind = str(part.get("type", "")).upper()
    if kind == "BUTTONS":
        return {"type": kind, "buttons": [_code_button(button) for button in part.get("buttons") or ()]}
    return {"type": kind} | {
        key: part[key]
        for key in ("add_security_recommendation", "code_expiration_minutes")
        if part.get(key) is not None
    }


def _code_button(button: JSONDict) -> JSONDict:
    """Return the declared form of a button for codes, which Meta gives back as a link of its own."""
    found = _OTP_TYPE.search(str(button.get("url", "")))
    kind = button.get("otp_type") or (found[1] if found else "COPY_CODE")
    kept = {key: button[key] for key in ("text", "autofill_text", "supported_apps") if button.get(key)}
    # Not given back; without it Meta would not have created the template.
    accepted = {"zero_tap_terms_accepted": True} if str(kind).upper() == "ZERO_TAP" else {}
    return {"type": "OTP", "otp_type": str(kind).upper(), **kept, **accepted}


def _button(button: JSONDict) -> JSONDict:
    kept = _typed(button)
    if kept["type"] == "COPY_CODE":
        kept.pop("text", None)  # the label is Meta's
    return kept


def _typed(part: JSONDict) -> JSONDict:
    """Return a part with its type first, in capitals as Meta writes it."""
    kept = {"type": str(part.get("type", "")).upper()} | {key: value for key, value in part.items() if key != "type"}
    if "format" in kept:
        kept["format"] = str(kept["format"]).upper()
    return kept


def _components(holder: JSONDict) -> list[JSONDict]:
    parts = holder.get("components")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _set_or_remove(holder: JSONDict, key: str, value: Any) -> None:
    if value is None:
        holder.pop(key, None)
    else:
        holder[key] = value
