"""The Graph API's addresses: token, number, journal and faults around what `graph` decides."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator.clock import to_iso
from rasa_whatsapp.simulator.faults import Fault
from rasa_whatsapp.simulator.refusals import Refused, to_answer
from rasa_whatsapp.simulator.wire import NotJson, decode
from rasa_whatsapp.simulator.world import World

WORLD: web.AppKey[World] = web.AppKey("world", World)

_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
Answerer = Callable[[World, web.Request, Any], Awaitable[web.Response]]


async def messages(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{phone-number-id}/messages`."""
    return await _journalled(request, _messages)


async def listed_templates(request: web.Request) -> web.StreamResponse:
    """`GET /{version}/{business-account-id}/message_templates`."""
    return await _journalled(request, _templates)


async def phone_number(request: web.Request) -> web.StreamResponse:
    """`GET /{version}/{phone-number-id}`."""
    return await _journalled(request, _number)


async def elsewhere(request: web.Request) -> web.StreamResponse:
    """Everything that Meta has and the simulator has not."""
    return await _journalled(request, _elsewhere)


async def _journalled(request: web.Request, answerer: Answerer) -> web.StreamResponse:
    """Answer, and write down what was asked and answered; the token stays out."""
    world = request.app[WORLD]
    status: int | None = None
    body: Any = None
    try:
        _check_access(world, request)
        body = await _body(request)
        answer = await answerer(world, request, body)
        # A broken connection has answered nothing.
        status = answer.status if request.transport is not None and not request.transport.is_closing() else None
        return answer
    except Refused as refused:
        status = refused.status
        return web.json_response(to_answer(refused), status=status)
    finally:
        entry = {"at": to_iso(world.clock.timestamp()), "method": request.method, "path": request.path}
        world.storage.add_request({**entry, "status": status, "body": body})


def _check_access(world: World, request: web.Request) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(given, world.settings.access_token.encode()):
        raise Refused(190, "Invalid OAuth access token - Cannot parse access token")
    version, only = request.match_info["version"], world.settings.api_version
    if not _VERSION.fullmatch(version) or only not in (None, version):
        raise Refused(100, f"The address must begin with {only or 'a version such as v26.0'}")


async def _body(request: web.Request) -> Any:
    if request.method != "POST":
        return None
    if request.content_type != "application/json":
        raise Refused(100, "The parameter messaging_product is required.")
    try:
        return decode(await request.text())
    except (NotJson, LookupError, UnicodeDecodeError):
        raise Refused(100, "The request body is not valid JSON") from None


async def _messages(world: World, request: web.Request, body: Any) -> web.Response:
    _check_node(request, world.settings.phone_number_id)
    if not isinstance(body, dict):
        raise Refused(100, "The request body must be a JSON object")
    if world.graph.is_receipt(body):
        return web.json_response(world.graph.receipt(body))
    if world.faults.strike("drop_before"):
        return _broken(request)
    fault = world.faults.strike("http_error")
    if fault is not None:
        raise Refused(int(fault.settings["code"]), "A fault was asked for", status=int(fault.settings["status"]))
    answer = await world.graph.send(body)
    return await _late_or_never(world, request, answer)


async def _late_or_never(world: World, request: web.Request, answer: dict[str, Any]) -> web.Response:
    if world.faults.strike("drop_after"):
        return _broken(request)
    slow: Fault | None = world.faults.strike("slow_answer")
    if slow is not None:
        await asyncio.sleep(slow.settings["seconds"])
    return web.json_response(answer)


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _templates(world: World, request: web.Request, body: Any) -> web.Response:
    _check_node(request, world.settings.business_account_id)
    return web.json_response(world.templates.page(request.query))


async def _number(world: World, request: web.Request, body: Any) -> web.Response:
    _check_node(request, world.settings.phone_number_id)
    known = {
        "id": world.settings.phone_number_id,
        "display_phone_number": world.settings.display_phone_number,
        "verified_name": world.settings.verified_name,
        "quality_rating": "GREEN",
        "name_status": "APPROVED",
        "code_verification_status": "VERIFIED",
        "status": "CONNECTED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
    }
    default = "display_phone_number,verified_name,quality_rating"
    wanted = ["id", *request.query.get("fields", default).split(",")]
    return web.json_response({name: known[name] for name in wanted if name in known})


async def _elsewhere(world: World, request: web.Request, body: Any) -> web.Response:
    raise Refused(100, "The simulator does not play this address", subcode=33)


def _check_node(request: web.Request, expected: str) -> None:
    node = request.match_info["node"]
    if node != expected:
        raise Refused(
            100,
            f"Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support"
            " this operation",
            subcode=33,
        )


# Order matters to nobody: the router tries the plain addresses before the one that takes everything else.
ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("POST", "/{version:v[^/]*}/{node}/messages", messages),
    ("GET", "/{version:v[^/]*}/{node}/message_templates", listed_templates),
    ("GET", "/{version:v[^/]*}/{node}", phone_number),
    ("*", "/{version:v[^/]*}/{rest:.*}", elsewhere),
)
