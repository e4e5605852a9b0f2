"""Interactive messages: reply buttons, lists, and the kinds with one fixed button (M:messages/interactive-*).

Over-long titles are refused, never cut: Meta does the same. A new interactive type is one reader and one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.media import check_source, is_web_address
from rasa_whatsapp.simulator.refusals import Refused

HEADER, BODY, LIST_BODY, FOOTER = 60, 1024, 4096, 60
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
SECTIONS, SECTION_TITLE, ROWS = 10, 24, 10
ROW_TITLE, ROW_DESCRIPTION, ROW_ID, LIST_BUTTON = 24, 72, 200, 20
MEDIA_HEADERS = ("image", "video", "document")

# Known to Meta, not played here.
ELSEWHERE = frozenset(
    {
        "address_message",
        "call_permission_request",
        "carousel",
        "catalog_message",
        "contact_request",
        "flow",
        "order_details",
        "order_status",
        "product",
        "product_list",
        "voice_call",
    }
)


def read_interactive(content: Any, context: SendContext) -> Bubble:
    """Read `{"type", "header"?, "body", "footer"?, "action"}` of the types in the table below."""
    interactive = fields.an_object(content, "interactive")
    kind = fields.string_at(interactive, "type", "interactive")
    if kind in ELSEWHERE:
        raise Refused(131051, f"The simulator does not play interactive messages of type {kind}")
    if kind not in TYPES:
        raise Refused(100, f"Param interactive['type'] must be one of {{{', '.join(sorted(TYPES)).upper()}}}.")
    return TYPES[kind](interactive)


def _buttons(interactive: dict[str, Any]) -> Bubble:
    action = fields.object_at(interactive, "action", "interactive")
    buttons = fields.list_at(action, "buttons", "interactive['action']")
    if not 1 <= len(buttons) <= BUTTONS:
        raise Refused(131009, f"Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {BUTTONS}")
    shown = tuple(_button(button, index) for index, button in enumerate(buttons))
    fields.refuse_duplicates([button.id for button in shown], "Button ids")
    fields.refuse_duplicates([button.title for button in shown], "Button titles")
    return _bubble(interactive, body_limit=BODY, media_header=True, buttons=shown)


def _button(value: Any, index: int) -> Button:
    path = f"interactive['action']['buttons'][{index}]"
    button = fields.an_object(value, path)
    if fields.string_at(button, "type", path) != "reply":
        raise Refused(100, f"Param {path}['type'] must be one of {{REPLY}}.")
    reply = fields.object_at(button, "reply", path)
    return Button(
        id=fields.bounded(reply, "id", f"{path}['reply']", label="Button id", limit=BUTTON_ID),
        title=fields.bounded(reply, "title", f"{path}['reply']", label="Button title", limit=BUTTON_TITLE),
    )


def _list(interactive: dict[str, Any]) -> Bubble:
    path = "interactive['action']"
    action = fields.object_at(interactive, "action", "interactive")
    opener = fields.bounded(action, "button", path, label="Button text", limit=LIST_BUTTON)
    sections = fields.list_at(action, "sections", path)
    if not 1 <= len(sections) <= SECTIONS:
        raise Refused(131009, f"Invalid sections count. Min allowed sections: 1, Max allowed sections: {SECTIONS}")
    shown = [_section(section, f"{path}['sections'][{i}]", len(sections) > 1) for i, section in enumerate(sections)]
    rows = [row for section in shown for row in section["rows"]]
    if len(rows) > ROWS:
        raise Refused(131009, f"Total row count exceed max allowed count: {ROWS}")
    fields.refuse_duplicates([row["id"] for row in rows], "Row ids")
    return _bubble(interactive, body_limit=LIST_BODY, menu={"button": opener, "sections": shown})


def _section(value: Any, path: str, must_have_title: bool) -> dict[str, Any]:
    section = fields.an_object(value, path)
    title = fields.optional_bounded(section, "title", path, label="Section title", limit=SECTION_TITLE)
    # Meta's page calls the title required; in practice only a second section makes it so (fact sheet 5.4).
    if must_have_title and title is None:
        raise Refused(100, f"The parameter {path}['title'] is required.")
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


def _link(interactive: dict[str, Any]) -> Bubble:
    path = "interactive['action']['parameters']"
    action = _named_action(interactive, "cta_url")
    parameters = fields.object_at(action, "parameters", "interactive['action']")
    title = fields.bounded(parameters, "display_text", path, label="Display text", limit=BUTTON_TITLE)
    url = fields.string_at(parameters, "url", path)
    if not is_web_address(url):
        raise Refused(131009, "URL must begin with http:// or https://")
    button = Button(id="0", title=title, kind="url", url=url)
    return _bubble(interactive, body_limit=BODY, media_header=True, buttons=(button,))


def _location_request(interactive: dict[str, Any]) -> Bubble:
    _named_action(interactive, "send_location")
    return _bubble(interactive, body_limit=BODY, buttons=(Button(id="0", title="Send location", kind="location"),))


def _named_action(interactive: dict[str, Any], name: str) -> dict[str, Any]:
    action = fields.object_at(interactive, "action", "interactive")
    if fields.string_at(action, "name", "interactive['action']") != name:
        raise Refused(131009, f"Action name must be {name}")
    return action


def _bubble(
    interactive: dict[str, Any],
    *,
    body_limit: int,
    media_header: bool = False,
    buttons: tuple[Button, ...] = (),
    menu: dict[str, Any] | None = None,
) -> Bubble:
    body = fields.object_at(interactive, "body", "interactive")
    text = fields.bounded(body, "text", "interactive['body']", label="Body text", limit=body_limit)
    footer = _footer(interactive)
    header = _header(interactive, media_header)
    return Bubble(text=text, header=header, footer=footer, buttons=buttons, menu=menu)


def _header(interactive: dict[str, Any], media_allowed: bool) -> str | None:
    if interactive.get("header") is None:
        return None
    path = "interactive['header']"
    header = fields.object_at(interactive, "header", "interactive")
    kind = fields.string_at(header, "type", path)
    if kind == "text":
        return fields.bounded(header, "text", path, label="Header text", limit=HEADER)
    if kind in MEDIA_HEADERS and media_allowed:
        check_source(fields.object_at(header, kind, path), f"{path}['{kind}']")
        return f"[{kind}]"
    raise Refused(131009, f"Header type {kind} is not allowed for this interactive message")


def _footer(interactive: dict[str, Any]) -> str | None:
    if interactive.get("footer") is None:
        return None
    footer = fields.object_at(interactive, "footer", "interactive")
    return fields.bounded(footer, "text", "interactive['footer']", label="Footer text", limit=FOOTER)


TYPES: dict[str, Callable[[dict[str, Any]], Bubble]] = {
    "button": _buttons,
    "list": _list,
    "cta_url": _link,
    "location_request_message": _location_request,
}
