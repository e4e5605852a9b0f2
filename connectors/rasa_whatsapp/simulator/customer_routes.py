"""The part of the control API that is about customers: who there is, what they send, what happens to them, their chats."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import control_bodies as bodies
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.world import World


async def list_customers(request: web.Request) -> web.Response:
    """Return all customers with their care windows."""
    world = request.app[WORLD]
    return web.json_response(
        {"customers": [world.phones.shown(customer) for customer in world.storage.customers.all()]}
    )


async def save_customer(request: web.Request) -> web.Response:
    """Create or change a customer."""
    world, body = request.app[WORLD], await bodies.read(request)
    customer = world.phones.upsert(bodies.wa_id(body.get("wa_id")), bodies.customer_changes(body))
    return web.json_response(world.phones.shown(customer))


async def write(request: web.Request) -> web.Response:
    """Let a customer send something of any kind, or tap."""
    world, body = request.app[WORLD], await bodies.read(request)
    wa_id, host = bodies.wa_id(request.match_info["wa_id"]), f"{request.scheme}://{request.host}"
    return web.json_response({"id": prepared(world, wa_id, body, host)()}, status=201)


def prepared(world: World, wa_id: str, body: dict[str, Any], host: str) -> Callable[[], str]:
    """Check what a customer is to send; return what sends it and returns its id."""
    when = bodies.when(body)
    if body.get("type") == "tap":
        return world.phones.tap(wa_id, bodies.text(body, "message_id"), bodies.text(body, "button"), when)
    number = bodies.business_number(world.settings, body.get("number_id"))
    return world.phones.write(wa_id, number, body, when, host=host)


async def call(request: web.Request) -> web.Response:
    """Let a customer call the business."""
    world, body = request.app[WORLD], await bodies.read(request)
    number = bodies.business_number(world.settings, body.get("number_id"))
    call_id = world.happenings.call(bodies.wa_id(request.match_info["wa_id"]), number, bodies.call_seconds(body))
    return web.json_response({"id": call_id}, status=201)


async def change_number(request: web.Request) -> web.Response:
    """Let a customer move to another phone number."""
    (world, customer), body = _known(request), await bodies.read(request)
    user_id = bodies.user_id(body) if "user_id" in body else None
    changed = world.happenings.change_number(customer, bodies.wa_id(body.get("new_wa_id"), "new_wa_id"), user_id)
    return web.json_response(world.phones.shown(changed))


async def change_user_id(request: web.Request) -> web.Response:
    """Give a customer a new user id."""
    (world, customer), body = _known(request), await bodies.read(request)
    user_id = bodies.user_id(body) if "user_id" in body else None
    return web.json_response(world.phones.shown(world.happenings.change_user_id(customer, user_id)))


async def echo(request: web.Request) -> web.Response:
    """Let a human answer the customer from the business's app."""
    (world, customer), body = _known(request), await bodies.read(request)
    number = bodies.business_number(world.settings, body.get("number_id"))
    message_id = world.happenings.echo(customer, number, bodies.text(body, "text", 65_536))
    return web.json_response({"id": message_id}, status=201)


async def chat(request: web.Request) -> web.Response:
    """Return a customer's chat with a business number."""
    world, customer = _known(request)
    number = bodies.business_number(world.settings, request.query.get("number_id"))
    shown = world.phones.shown(customer, number)
    messages = [message.to_json() for message in world.storage.messages.chat(customer.wa_id, number.id)]
    return web.json_response({"customer": shown, "window": shown["window"], "messages": messages})


async def read_chat(request: web.Request) -> web.Response:
    """Let a customer open the chat: everything delivered is read."""
    (world, customer), body = _known(request), await bodies.read(request)
    number = bodies.business_number(world.settings, body.get("number_id"))
    world.statuses.read_chat(customer.wa_id, number.id)
    return web.json_response(world.phones.shown(customer, number))


async def choose_marketing(request: web.Request) -> web.Response:
    """Let a customer stop or resume marketing messages."""
    world, customer = _known(request)
    choice = bodies.marketing(await bodies.read(request))
    changed = world.phones.choose_marketing(customer.wa_id, world.settings.first_number, choice)
    return web.json_response(world.phones.shown(changed))


def _known(request: web.Request) -> tuple[World, Customer]:
    world = request.app[WORLD]
    customer = world.storage.customers.find(bodies.wa_id(request.match_info["wa_id"]))
    if customer is None:
        raise ControlRefused("there is no customer with this number", 404)
    return world, customer


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("GET", "/control/customers", list_customers),
    ("POST", "/control/customers", save_customer),
    ("POST", "/control/customers/{wa_id}/messages", write),
    ("POST", "/control/customers/{wa_id}/call", call),
    ("POST", "/control/customers/{wa_id}/number", change_number),
    ("POST", "/control/customers/{wa_id}/user_id", change_user_id),
    ("POST", "/control/customers/{wa_id}/echo", echo),
    ("GET", "/control/customers/{wa_id}/chat", chat),
    ("POST", "/control/customers/{wa_id}/read", read_chat),
    ("PUT", "/control/customers/{wa_id}/marketing", choose_marketing),
)
