"""The Graph API's addresses, and 360dialog's beside them: journal and faults around what `graph` and `media` decide."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import access
from rasa_whatsapp.simulator.clock import to_iso
from rasa_whatsapp.simulator.faults import Fault
from rasa_whatsapp.simulator.refusals import Refused, to_answer
from rasa_whatsapp.simulator.settings import Number
from rasa_whatsapp.simulator.wire import NotJson, decode
from rasa_whatsapp.simulator.world import World

WORLD: web.AppKey[World] = web.AppKey("world", World)

JSON = {"Content-Type": "application/json; charset=utf-8"}
_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
Answerer = Callable[[World, web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


async def messages(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{phone-number-id}/messages`."""
    return await journalled(request, _messages)


async def messages_by_key(request: web.Request) -> web.StreamResponse:
    """`POST /messages` at 360dialog's door."""
    return await journalled(request, _messages_by_key)


async def elsewhere(request: web.Request) -> web.StreamResponse:
    """Everything that Meta has and the simulator has not."""
    return await journalled(request, _elsewhere)


async def journalled(request: web.Request, answerer: Answerer) -> web.StreamResponse:
    """Answer, and write down what was asked and answered; the token stays out.

    The answerer puts what was asked under `body` of the journal's entry.
    """
    world = request.app[WORLD]
    entry: dict[str, Any] = {
        "at": to_iso(world.clock.timestamp()),
        "method": request.method,
        "path": request.path,
        "status": None,
        "body": None,
    }
    try:
        if world.faults.strike("unreachable"):
            return broken(world, request)
        answer = await answerer(world, request, entry)
        # A broken connection has answered nothing.
        if request.transport is not None and not request.transport.is_closing():
            entry["status"] = answer.status
        return answer
    except Refused as refused:
        entry["status"] = refused.status
        return web.json_response(to_answer(refused), status=refused.status)
    except ConnectionResetError:
        return web.Response()  # who asked has gone before all was read: nobody hears it
    finally:
        world.storage.journals.add_request(entry)


def check_access(world: World, request: web.Request, schemes: Collection[str] = access.SCHEMES[:1]) -> None:
    """Refuse a request at Meta's door without a token, or with a version that is none."""
    access.check_bearer(world.settings, request, schemes)
    version, only = request.match_info["version"], world.settings.api_version
    if not _VERSION.fullmatch(version) or only not in (None, version):
        raise Refused(100, f"The address must begin with {only or 'a version such as v26.0'}")


async def _messages(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request)
    entry["body"] = body = await json_body(request)
    return await _answered(world, request, body, access.number_at(world.settings, request))


async def _messages_by_key(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    number = access.number_by_key(world.settings, request)
    entry["body"] = body = await json_body(request)
    return await _answered(world, request, body, number)


async def json_body(request: web.Request) -> Any:
    """Return the JSON value in a request at the Graph doors."""
    # The plain header, which nearly everybody sends, needs no parser.
    is_plain = request.headers.get("Content-Type") == "application/json"
    if not is_plain and request.content_type != "application/json":
        raise Refused(100, "The parameter messaging_product is required.")
    try:
        return decode((await request.read()).decode() if is_plain else await request.text())
    except (NotJson, LookupError, UnicodeDecodeError):
        raise Refused(100, "The request body is not valid JSON") from None


async def _answered(world: World, request: web.Request, body: Any, number: Number) -> web.Response:
    if not isinstance(body, dict):
        raise Refused(100, "The request body must be a JSON object")
    if world.graph.is_receipt(body):
        return _json(world.graph.receipt(body, number))
    if world.faults.strike("drop_before"):
        return broken(world, request)
    fault = world.faults.strike("http_error")
    if fault is not None:
        world.counts.refused[int(fault.settings["code"])] += 1
        raise _asked_for(fault)
    return await _late_or_never(world, request, await _sent(world, body, number))


async def _sent(world: World, body: dict[str, Any], number: Number) -> dict[str, Any]:
    try:
        return await world.graph.send(body, number)
    except Refused as refused:
        world.counts.refused[refused.code] += 1
        raise


def _asked_for(fault: Fault) -> Refused:
    return Refused(int(fault.settings["code"]), "A fault was asked for", status=int(fault.settings["status"]))


async def _late_or_never(world: World, request: web.Request, answer: dict[str, Any]) -> web.Response:
    if world.faults.strike("drop_after"):
        return broken(world, request)
    refused = world.faults.strike("accepted_error")
    if refused is not None:
        raise _asked_for(refused)
    slow = world.faults.strike("slow_answer")
    if slow is not None:
        await asyncio.sleep(slow.settings["seconds"])
    return _json(answer)


def _json(answer: dict[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(answer).encode("ascii"), headers=JSON)


def broken(world: World, request: web.Request) -> web.Response:
    """Break the connection instead of answering, as a fault asked for."""
    world.counts.connections_broken += 1
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _elsewhere(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request)
    raise Refused(100, "The simulator does not play this address", subcode=33)


# Order matters to nobody: the router tries the plain addresses before the one that takes everything else.
ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("POST", "/{version:v[^/]*}/{node}/messages", messages),
    ("POST", "/messages", messages_by_key),
)
LAST_ROUTE = ("*", "/{version:v[^/]*}/{rest:.*}", elsewhere)
