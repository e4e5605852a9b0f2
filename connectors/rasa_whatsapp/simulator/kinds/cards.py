"""Location, contact cards and reactions (M:messages/location-messages, contacts-messages, reaction-messages)."""

from __future__ import annotations

import re
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.refusals import Refused

CONTACTS = 257
LISTED = ("phones", "emails", "addresses", "urls")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_location(content: Any, context: SendContext) -> Bubble:
    """Read `{"latitude", "longitude", "name"?, "address"?}`."""
    location = fields.an_object(content, "location")
    latitude, longitude = (_degrees(location, name, limit) for name, limit in (("latitude", 90), ("longitude", 180)))
    names = {name: fields.optional_string(location, name, "location") for name in ("name", "address")}
    if not names["name"]:
        # The phone shows an address under a name only.
        names["address"] = None
    shown = {name: text for name, text in names.items() if text}
    place = {"latitude": latitude, "longitude": longitude, **shown}
    return Bubble(text="\n".join([*shown.values(), f"{latitude}, {longitude}"]), parts={"location": place})


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
    names = [_card(card, f"contacts[{index}]") for index, card in enumerate(content)]
    return Bubble(text="\n".join(names), parts={"contacts": content})


def _card(value: Any, path: str) -> str:
    card = fields.an_object(value, path)
    name = fields.object_at(card, "name", path)
    formatted = fields.string_at(name, "formatted_name", f"{path}['name']")
    if len(name) < 2:
        raise Refused(131009, "A contact's name needs formatted_name and at least one other part")
    for part in LISTED:
        for index, entry in enumerate(fields.list_at(card, part, path) if card.get(part) is not None else []):
            fields.an_object(entry, f"{path}['{part}'][{index}]")
    birthday = fields.optional_string(card, "birthday", path)
    if birthday is not None and not _DAY.fullmatch(birthday):
        raise Refused(131009, f"Param {path}['birthday'] must be written YYYY-MM-DD")
    return formatted


def read_reaction(content: Any, context: SendContext) -> Bubble:
    """Read `{"message_id", "emoji"}`; an empty emoji takes the reaction back."""
    reaction = fields.an_object(content, "reaction")
    target = fields.identifier(reaction, "message_id", "reaction")
    emoji = reaction.get("emoji", "")
    if not isinstance(emoji, str):
        raise Refused(100, "Param reaction['emoji'] must be a string.")
    shown = {"message_id": target, "emoji": emoji or None}
    return Bubble(text=emoji or "[reaction removed]", parts={"reaction": shown})
