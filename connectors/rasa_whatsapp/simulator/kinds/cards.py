"""Location, contact cards and reactions (M:messages/location-messages, contacts-messages, reaction-messages)."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.refusals import Refused

CONTACTS = 257


def read_location(content: Any, context: SendContext) -> Bubble:
    """Read `{"latitude", "longitude", "name"?, "address"?}`."""
    location = fields.an_object(content, "location")
    latitude, longitude = (_degrees(location, name, limit) for name, limit in (("latitude", 90), ("longitude", 180)))
    lines = [location.get("name"), location.get("address") if location.get("name") else None]
    return Bubble(
        text="\n".join(str(line) for line in (*lines, f"{latitude}, {longitude}") if line), header="[location]"
    )


def _degrees(location: dict[str, Any], name: str, limit: int) -> float:
    value = fields.required(location, name, "location")
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        raise Refused(100, f"Param location['{name}'] must be a number.") from None
    if not -limit <= degrees <= limit:
        raise Refused(131009, f"Param location['{name}'] must lie between -{limit} and {limit}")
    return degrees


def read_contacts(content: Any, context: SendContext) -> Bubble:
    """Read an array of contact cards."""
    if not isinstance(content, list) or not 1 <= len(content) <= CONTACTS:
        raise Refused(100, f"Param contacts must be an array of 1 to {CONTACTS} objects.")
    return Bubble(text="\n".join(_card(card, f"contacts[{i}]") for i, card in enumerate(content)), header="[contacts]")


def _card(value: Any, path: str) -> str:
    name = fields.object_at(fields.an_object(value, path), "name", path)
    formatted = fields.string_at(name, "formatted_name", f"{path}['name']")
    if len(name) < 2:
        raise Refused(131009, "A contact's name needs formatted_name and at least one other part")
    return formatted


def read_reaction(content: Any, context: SendContext) -> Bubble:
    """Read `{"message_id", "emoji"}`; an empty emoji takes the reaction back."""
    reaction = fields.an_object(content, "reaction")
    fields.string_at(reaction, "message_id", "reaction")
    emoji = reaction.get("emoji", "")
    if not isinstance(emoji, str):
        raise Refused(100, "Param reaction['emoji'] must be a string.")
    return Bubble(text=emoji or "[reaction removed]", header="[reaction]")
