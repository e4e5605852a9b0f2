"""A button that opens a flow, Meta's forms (M:messages/interactive-flow-messages)."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.frame import ACTION, ANY_HEADER, PARAMETERS, framed, named_action
from rasa_whatsapp.simulator.refusals import Refused

OPENER = 30
VERSION = "3"
# The token of a flow that was sent without one.
UNUSED = "unused"


def read_flow(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read the invitation to fill in a flow."""
    parameters = fields.object_at(named_action(interactive, "flow"), "parameters", ACTION)
    fields.one_of(parameters, "flow_message_version", PARAMETERS, (VERSION,))
    if (parameters.get("flow_id") is None) == (parameters.get("flow_name") is None):
        raise Refused(100, f"Param {PARAMETERS} must have exactly one of flow_id and flow_name.")
    fields.identifier(parameters, "flow_name" if parameters.get("flow_id") is None else "flow_id", PARAMETERS)
    title = fields.bounded(parameters, "flow_cta", PARAMETERS, label="Flow CTA", limit=OPENER)
    if any(unicodedata.category(character) == "So" for character in title):
        raise Refused(131009, "Flow CTA must not contain emoji")
    _check_options(parameters)
    return replace(
        framed(interactive, context, headers=ANY_HEADER), buttons=(Button(id="0", title=title, kind="flow"),)
    )


def _check_options(parameters: dict[str, Any]) -> None:
    fields.optional_string(parameters, "flow_token", PARAMETERS)
    for name, allowed in (("flow_action", ("navigate", "data_exchange")), ("mode", ("draft", "published"))):
        if parameters.get(name) is not None:
            fields.one_of(parameters, name, PARAMETERS, allowed)
    if parameters.get("flow_action_payload") is None:
        return
    payload = fields.object_at(parameters, "flow_action_payload", PARAMETERS)
    fields.identifier(payload, "screen", f"{PARAMETERS}['flow_action_payload']")
    if payload.get("data") is not None:
        fields.object_at(payload, "data", f"{PARAMETERS}['flow_action_payload']")
