"""`GET /control/events`: what happens, as Server-Sent Events; `?open={wa_id}&number_id=` is the chat on screen."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator.control_bodies import business_number
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.guard import PAGE_HEADERS
from rasa_whatsapp.simulator.identifiers import to_wa_id

# A comment now and then shows both ends that the connection lives.
SILENCE_SECONDS = 15


async def events(request: web.Request) -> web.StreamResponse:
    """Stream events until the watcher goes away or the simulator stops."""
    world = request.app[WORLD]
    wa_id = to_wa_id(request.query.get("open", ""))
    number = business_number(world.settings, request.query.get("number_id"))
    open_chat = (wa_id, number.id) if wa_id is not None else None
    response = web.StreamResponse(headers={**PAGE_HEADERS, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    with world.events.watch(open_chat) as watcher:
        # First of all, so that whoever reads the chat after the first event sees it as read.
        if open_chat is not None:
            world.statuses.read_chat(*open_chat)
        with suppress(ConnectionError):  # the watcher went away
            await response.write(_frame("clock", world.shown_clock()))
            await _pass_on(response, watcher.queue)
    return response


async def _pass_on(response: web.StreamResponse, queue: asyncio.Queue[tuple[str, dict[str, Any]] | None]) -> None:
    while True:
        try:
            told = await asyncio.wait_for(queue.get(), SILENCE_SECONDS)
            if told is None:
                return
            await response.write(_frame(*told))
        except asyncio.TimeoutError:
            await response.write(b": still here\n\n")


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode("ascii")
