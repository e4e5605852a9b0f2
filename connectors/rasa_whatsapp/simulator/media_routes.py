"""Media at both doors: upload, look up, fetch, delete (fact sheet 10, 12.1); and numbers and templates, whose address is alike.

At 360dialog's door addresses lead to Meta's host, as they do in life: the client puts the provider's host in its place.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import access
from rasa_whatsapp.simulator.graph_routes import WORLD, broken, check_access, journalled
from rasa_whatsapp.simulator.media import answer
from rasa_whatsapp.simulator.media_table import StoredMedia
from rasa_whatsapp.simulator.settings import Number
from rasa_whatsapp.simulator.templates import selected
from rasa_whatsapp.simulator.uploads import read_upload
from rasa_whatsapp.simulator.world import World

META_HOST = "https://lookaside.fbsbx.com"
# Names that HTTP libraries give themselves; Meta's media host refuses some of them (observed).
_LIBRARY = re.compile(r"(python|aiohttp|axios|node|go-http-client|okhttp|java)", re.IGNORECASE)


async def upload(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{phone-number-id}/media`."""
    return await journalled(request, _upload)


async def upload_by_key(request: web.Request) -> web.StreamResponse:
    """`POST /media` at 360dialog's door."""
    return await journalled(request, _upload_by_key)


async def node(request: web.Request) -> web.StreamResponse:
    """`GET /{version}/{phone-number-id, template-id or media-id}`."""
    return await journalled(request, _node)


async def media_by_key(request: web.Request) -> web.StreamResponse:
    """`GET /{media-id}` at 360dialog's door."""
    return await journalled(request, _media_by_key)


async def delete(request: web.Request) -> web.StreamResponse:
    """`DELETE /{version}/{media-id}`."""
    return await journalled(request, _delete)


async def delete_by_key(request: web.Request) -> web.StreamResponse:
    """`DELETE /{media-id}` at 360dialog's door."""
    return await journalled(request, _delete_by_key)


async def fetch(request: web.Request) -> web.StreamResponse:
    """`GET /media-bytes/{token}`: the address that a look-up gave; not journalled, the address opens the file."""
    world = request.app[WORLD]
    if world.faults.strike("unreachable"):
        return broken(world, request)
    numbers = access.opened_by(world.settings, access.bearer(request) or request.headers.get(access.KEY_HEADER, ""))
    if not numbers:
        return web.Response(status=401)
    name = request.headers.get("User-Agent", "")
    if not name or _LIBRARY.match(name):
        return web.Response(status=403, text="Set a plain User-Agent.")
    media = world.library.addressed(request.match_info["token"])
    if media is None or media.number_id not in {number.id for number in numbers}:
        return web.Response(status=404)
    headers = {"Content-Type": media.mime_type, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=world.library.data(media), headers=headers)


async def _upload(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request)
    return await _kept(world, request, entry, access.number_at(world.settings, request))


async def _upload_by_key(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    return await _kept(world, request, entry, access.number_by_key(world.settings, request))


async def _kept(world: World, request: web.Request, entry: dict[str, Any], number: Number) -> web.Response:
    file = await read_upload(request)
    entry["body"] = {"filename": file.filename, "type": file.mime_type, "size": len(file.data)}
    media = world.library.keep(
        file.data, number_id=number.id, uploaded=True, mime_type=file.mime_type, filename=file.filename
    )
    return web.json_response({"id": media.id})


async def _node(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request)
    if world.settings.number(request.match_info["node"]) is not None:
        return _number(world, request)
    template = world.templates.by_id(request.match_info["node"])
    if template is not None:
        return web.json_response(selected(template, request.query.get("fields")))
    media = _owned(world, request)
    return web.json_response(answer(media, f"{request.scheme}://{request.host}{world.library.new_address(media)}"))


async def _media_by_key(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    media = _owned_by_key(world, request)
    return web.json_response(answer(media, f"{META_HOST}{world.library.new_address(media)}"))


async def _delete(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request)
    world.library.delete(_owned(world, request))
    return web.json_response({"success": True})


async def _delete_by_key(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    world.library.delete(_owned_by_key(world, request))
    return web.json_response({"success": True})


def _owned(world: World, request: web.Request) -> StoredMedia:
    """Return the media at Meta's door: of any number that the token opens, or of the one that is named."""
    media_id = request.match_info["node"]
    media = world.library.find(media_id, request.query.get("phone_number_id"))
    numbers = access.opened_by(world.settings, access.bearer(request))
    if media is None or media.number_id not in {number.id for number in numbers}:
        raise access.no_such_object(media_id)
    return media


def _owned_by_key(world: World, request: web.Request) -> StoredMedia:
    number, media_id = access.number_by_key(world.settings, request), request.match_info["media_id"]
    media = world.library.find(media_id, number.id)
    if media is None:
        raise access.no_such_object(media_id)
    return media


def _number(world: World, request: web.Request) -> web.Response:
    number = access.number_at(world.settings, request)
    known = {
        "id": number.id,
        "display_phone_number": number.display,
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


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("POST", "/{version:v[^/]*}/{node}/media", upload),
    ("GET", "/{version:v[^/]*}/{node}", node),
    ("DELETE", "/{version:v[^/]*}/{node}", delete),
    ("GET", "/media-bytes/{token}", fetch),
    ("POST", "/media", upload_by_key),
    ("GET", r"/{media_id:\d+}", media_by_key),
    ("DELETE", r"/{media_id:\d+}", delete_by_key),
)
