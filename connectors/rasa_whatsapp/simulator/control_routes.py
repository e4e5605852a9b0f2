"""The control API: what the phone page, tests and the demo drive the simulator with. Described in control_api.yaml."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from rasa_whatsapp.simulator import control_bodies as bodies
from rasa_whatsapp.simulator import customer_routes, judge_routes, review_routes
from rasa_whatsapp.simulator.clock import ClockRefused
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.direct_send import Access
from rasa_whatsapp.simulator.event_stream import events
from rasa_whatsapp.simulator.faults import FaultRefused
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.media_file import media_file
from rasa_whatsapp.simulator.openapi import description
from rasa_whatsapp.simulator.phones import PhoneRefused
from rasa_whatsapp.simulator.settings import Provider
from rasa_whatsapp.simulator.taps import TapRefused
from rasa_whatsapp.simulator.webhooks import envelope

REFUSALS = (ClockRefused, FaultRefused, PhoneRefused, TapRefused)


async def health(request: web.Request) -> web.Response:
    """Say that the simulator is up."""
    return web.json_response({"status": "ok"})


async def settings(request: web.Request) -> web.Response:
    """Say which business is played; no secrets."""
    chosen = request.app[WORLD].settings
    return web.json_response(
        {
            "phone_number_id": chosen.phone_number_id,
            "business_account_id": chosen.business_account_id,
            "display_phone_number": chosen.display_phone_number,
            "verified_name": chosen.verified_name,
            "webhook_url": chosen.webhook_url,
            "window_errors": chosen.window_errors.value,
            "provider": chosen.provider.value,
            "numbers": [
                {"phone_number_id": number.id, "display_phone_number": number.display} for number in chosen.numbers
            ],
        }
    )


async def get_clock(request: web.Request) -> web.Response:
    """Return the simulated time."""
    return web.json_response(request.app[WORLD].shown_clock())


async def move_clock(request: web.Request) -> web.Response:
    """Move the simulated time forward."""
    world, body = request.app[WORLD], await bodies.read(request)
    if ("advance_seconds" in body) == ("now" in body):
        raise ControlRefused("give either advance_seconds or now")
    if "now" in body:
        world.clock.move_to(bodies.moment(body))
    else:
        world.clock.advance(float(bodies.number(body, "advance_seconds")))
    world.clock_moved()
    return web.json_response(world.shown_clock())


async def requests(request: web.Request) -> web.Response:
    """Return the journal of Graph requests."""
    return web.json_response({"requests": request.app[WORLD].storage.journals.requests(bodies.limit(request))})


async def deliveries(request: web.Request) -> web.Response:
    """Return the webhook deliveries."""
    return web.json_response({"deliveries": request.app[WORLD].storage.journals.deliveries(bodies.limit(request))})


async def send_webhook(request: web.Request) -> web.Response:
    """Sign and deliver any value, or a whole body, as it is."""
    world, body = request.app[WORLD], await bodies.read(request)
    whole = body.get("body")
    if whole is None:
        if "value" not in body:
            raise ControlRefused("give field and value, or a whole body")
        whole = envelope(world.settings.business_account_id, bodies.text(body, "field"), body["value"])
    if request.query.get("wait") == "true":
        shown = await world.deliveries.send_body_once(whole)
        return web.json_response({"status": shown["last_status"], **shown})
    number = world.deliveries.send_body(whole)
    return web.json_response(world.storage.journals.delivery(number), status=202)


async def subscribe(request: web.Request) -> web.Response:
    """Ask the bot for the subscription challenge, as Meta does when the webhook is set up."""
    world = request.app[WORLD]
    if world.settings.provider is Provider.DIALOG_360:
        raise ControlRefused("360dialog asks for no subscription challenge")
    status = await world.deliveries.subscribe(secrets.token_hex(8))
    return web.json_response({"verified": status == 200, "status": status or None})


async def get_faults(request: web.Request) -> web.Response:
    """Return the faults that are switched on."""
    return web.json_response(request.app[WORLD].faults.shown())


async def put_faults(request: web.Request) -> web.Response:
    """Switch on exactly these faults."""
    world, body = request.app[WORLD], await bodies.read(request)
    world.faults.replace(body.get("faults"), body.get("seed"))
    world.statuses.release()
    return web.json_response(world.faults.shown())


async def get_direct_send(request: web.Request) -> web.Response:
    """Return what Meta lets the account do without templates."""
    return web.json_response({"access": request.app[WORLD].direct_send.access.value})


async def put_direct_send(request: web.Request) -> web.Response:
    """Give the account access to Direct Send, block it, or take it away."""
    world, body = request.app[WORLD], await bodies.read(request)
    known = {access.value: access for access in Access}
    if body.get("access") not in known:
        raise ControlRefused(f"access must be one of {', '.join(known)}")
    world.direct_send.change(known[body["access"]])
    return web.json_response({"access": body["access"]})


async def reset(request: web.Request) -> web.Response:
    """Forget everything but the time."""
    request.app[WORLD].reset()
    return web.json_response({"status": "ok"})


async def openapi(request: web.Request) -> web.Response:
    """Return the description of this API."""
    return web.json_response(description())


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    *customer_routes.ROUTES,
    *judge_routes.ROUTES,
    *review_routes.ROUTES,
    ("GET", "/control/health", health),
    ("GET", "/control/settings", settings),
    ("GET", "/control/clock", get_clock),
    ("POST", "/control/clock", move_clock),
    ("GET", "/control/media/{id}", media_file),
    ("GET", "/control/events", events),
    ("GET", "/control/requests", requests),
    ("GET", "/control/deliveries", deliveries),
    ("POST", "/control/webhooks", send_webhook),
    ("POST", "/control/subscription", subscribe),
    ("GET", "/control/faults", get_faults),
    ("PUT", "/control/faults", put_faults),
    ("GET", "/control/direct_send", get_direct_send),
    ("PUT", "/control/direct_send", put_direct_send),
    ("POST", "/control/reset", reset),
    ("GET", "/control/openapi.json", openapi),
)
