"""One product, several products, the whole catalogue (M:catalogs/sell-products-and-services/share-products).

The simulator has no catalogue: any catalogue and product id is taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.choices import check_sections, section_title
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.frame import ACTION, PARAMETERS, TEXT_HEADER, action_of, framed, named_action
from rasa_whatsapp.simulator.refusals import Refused

PRODUCTS = 30


def read_product(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read one product; its card needs no words."""
    product = product_of(action_of(interactive), ACTION)
    button = Button(id="0", title="View", kind="product")
    bubble = framed(interactive, context, body_required=False)
    return replace(bubble, buttons=(button,), parts={"product": product})


def product_of(action: dict[str, Any], path: str) -> dict[str, str]:
    """Return `{"catalog_id", "product_retailer_id"}`."""
    return {name: fields.identifier(action, name, path) for name in ("catalog_id", "product_retailer_id")}


def read_product_list(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read up to thirty products in up to ten sections, under a header that is text."""
    action = action_of(interactive)
    catalog = fields.identifier(action, "catalog_id", ACTION)
    shown = sections_of(action, ACTION)
    fields.required(interactive, "header", "interactive")
    bubble = framed(interactive, context, headers=TEXT_HEADER)
    button = Button(id="0", title="View items", kind="product")
    return replace(bubble, buttons=(button,), parts={"products": {"catalog_id": catalog, "sections": shown}})


def sections_of(action: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Return the sections of an action with their products."""
    sections = fields.list_at(action, "sections", path)
    check_sections(sections)
    shown = [_section(section, f"{path}['sections'][{i}]", len(sections) > 1) for i, section in enumerate(sections)]
    if sum(len(section["product_items"]) for section in shown) > PRODUCTS:
        raise Refused(131009, f"Total product count exceed max allowed count: {PRODUCTS}")
    return shown


def _section(value: Any, path: str, must_have_title: bool) -> dict[str, Any]:
    section = fields.an_object(value, path)
    title = section_title(section, path, required=must_have_title)
    items = fields.list_at(section, "product_items", path)
    if not items:
        raise Refused(131009, "Invalid product_items count. Min allowed product_items: 1")
    return {"title": title or "", "product_items": [_item(item, f"{path}['product_items']") for item in items]}


def _item(value: Any, path: str) -> dict[str, str]:
    return {"product_retailer_id": fields.identifier(fields.an_object(value, path), "product_retailer_id", path)}


def read_catalog(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read the invitation to open the catalogue."""
    action = named_action(interactive, "catalog_message")
    if action.get("parameters") is not None:
        parameters = fields.object_at(action, "parameters", ACTION)
        fields.optional_string(parameters, "thumbnail_product_retailer_id", PARAMETERS)
    button = Button(id="0", title="View catalog", kind="catalog")
    return replace(framed(interactive, context), buttons=(button,))
