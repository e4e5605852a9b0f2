"""The part of the control API for a driver of many customers and for a judge: write in bulk, read everything, count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import control_bodies as bodies
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.customer_routes import prepared
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.guard import PAGE_HEADERS
from rasa_whatsapp.simulator.phones import PhoneRefused
from rasa_whatsapp.simulator.record import line
from rasa_whatsapp.simulator.taps import TapRefused
from rasa_whatsapp.simulator.world import World

MAX_MESSAGES = 10_000
# After so many messages or lines the sends of the business get their turn.
AT_ONCE = 50


async def write_many(request: web.Request) -> web.Response:
    """Let many customers write; all is checked before the first message is sent."""
    world, body = request.app[WORLD], await bodies.read(request)
    entries = bodies.objects(body, "messages")
    if len(entries) > MAX_MESSAGES:
        raise ControlRefused(f"messages must be at most {MAX_MESSAGES}")
    host = f"{request.scheme}://{request.host}"
    writers = []
    for place, entry in enumerate(entries):
        writers.append(_writer(world, entry, place, host))
        await _breathe(place)
    ids = []
    for place, writer in enumerate(writers):
        ids.append(writer())
        await _breathe(place)
    return web.json_response({"ids": ids}, status=201)


async def record(request: web.Request) -> web.StreamResponse:
    """Stream the lines of all messages after a cursor, oldest first, as they are now."""
    world, after, limit = request.app[WORLD], bodies.cursor(request), bodies.limit(request)
    response = web.StreamResponse(headers={**PAGE_HEADERS, "Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    while limit > 0:
        found = world.storage.messages.after(after, min(limit, AT_ONCE))
        if not found:
            break
        lines = (json.dumps(line(cursor, message)) + "\n" for cursor, message in found)
        await response.write("".join(lines).encode("ascii"))
        await asyncio.sleep(0)
        after, limit = found[-1][0], limit - len(found)
    return response


async def counts(request: web.Request) -> web.Response:
    """Return how much happened since the start or the last reset."""
    world = request.app[WORLD]
    return web.json_response(world.counts.to_json(world.deliveries.waiting))


def _writer(world: World, entry: dict[str, Any], place: int, host: str) -> Callable[[], str]:
    try:
        return prepared(world, bodies.wa_id(entry.get("wa_id")), entry, host)
    except (ControlRefused, PhoneRefused, TapRefused) as refused:
        raise ControlRefused(f"messages[{place}]: {refused}") from None


async def _breathe(place: int) -> None:
    if place % AT_ONCE == AT_ONCE - 1:
        await asyncio.sleep(0)


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("POST", "/control/messages", write_many),
    ("GET", "/control/record", record),
    ("GET", "/control/counts", counts),
)
