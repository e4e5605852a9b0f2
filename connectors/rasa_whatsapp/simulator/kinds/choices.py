"""Reply buttons and lists (M:messages/interactive-reply-buttons-messages, interactive-list-messages)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.frame import ACTION, ANY_HEADER, TEXT_HEADER, action_of, framed
from rasa_whatsapp.simulator.refusals import Refused

LIST_BODY = 4096
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
SECTIONS, SECTION_TITLE, ROWS = 10, 24, 10
ROW_TITLE, ROW_DESCRIPTION, ROW_ID, LIST_BUTTON = 24, 72, 200, 20


def read_reply_buttons(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read one to three reply buttons."""
    buttons = fields.list_at(action_of(interactive), "buttons", ACTION)
    if not 1 <= len(buttons) <= BUTTONS:
        raise Refused(131009, f"Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {BUTTONS}")
    shown = tuple(_button(button, f"{ACTION}['buttons'][{index}]") for index, button in enumerate(buttons))
    fields.refuse_duplicates([button.id for button in shown], "Button ids")
    fields.refuse_duplicates([button.title for button in shown], "Button titles")
    return replace(framed(interactive, context, headers=ANY_HEADER), buttons=shown)


def read_list(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a list of up to ten rows in up to ten sections."""
    action = action_of(interactive)
    opener = fields.bounded(action, "button", ACTION, label="Button text", limit=LIST_BUTTON)
    sections = fields.list_at(action, "sections", ACTION)
    check_sections(sections)
    shown = [_section(section, f"{ACTION}['sections'][{i}]", len(sections) > 1) for i, section in enumerate(sections)]
    rows = [row for section in shown for row in section["rows"]]
    if len(rows) > ROWS:
        raise Refused(131009, f"Total row count exceed max allowed count: {ROWS}")
    fields.refuse_duplicates([row["id"] for row in rows], "Row ids")
    bubble = framed(interactive, context, headers=TEXT_HEADER, body_limit=LIST_BODY)
    return replace(bubble, menu={"button": opener, "sections": shown})


def check_sections(sections: list[Any]) -> None:
    """Refuse no section, and more than ten."""
    if not 1 <= len(sections) <= SECTIONS:
        raise Refused(131009, f"Invalid sections count. Min allowed sections: 1, Max allowed sections: {SECTIONS}")


def section_title(section: dict[str, Any], path: str, *, required: bool) -> str | None:
    """Return a section's title; Meta's page calls it required, in practice only a second section makes it so (5.4)."""
    title = fields.optional_bounded(section, "title", path, label="Section title", limit=SECTION_TITLE)
    if required and title is None:
        raise Refused(100, f"The parameter {path}['title'] is required.")
    return title


def _button(value: Any, path: str) -> Button:
    button = fields.an_object(value, path)
    fields.one_of(button, "type", path, ("reply",))
    return reply_button(fields.object_at(button, "reply", path), f"{path}['reply']")


def reply_button(reply: dict[str, Any], path: str) -> Button:
    """Return a button that answers with its id and title."""
    return Button(
        id=fields.bounded(reply, "id", path, label="Button id", limit=BUTTON_ID),
        title=fields.bounded(reply, "title", path, label="Button title", limit=BUTTON_TITLE),
    )


def _section(value: Any, path: str, must_have_title: bool) -> dict[str, Any]:
    section = fields.an_object(value, path)
    title = section_title(section, path, required=must_have_title)
    rows = fields.list_at(section, "rows", path)
    if not rows:
        raise Refused(131009, "Invalid rows count. Min allowed rows: 1")
    return {"title": title or "", "rows": [_row(row, f"{path}['rows'][{i}]") for i, row in enumerate(rows)]}


def _row(value: Any, path: str) -> dict[str, str]:
    row = fields.an_object(value, path)
    shown = {
        "id": fields.bounded(row, "id", path, label="Row id", limit=ROW_ID),
        "title": fields.bounded(row, "title", path, label="Row title", limit=ROW_TITLE),
    }
    description = fields.optional_bounded(row, "description", path, label="Row description", limit=ROW_DESCRIPTION)
    return shown | ({"description": description} if description is not None else {})
