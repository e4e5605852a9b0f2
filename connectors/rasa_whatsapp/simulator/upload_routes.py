"""The Graph addresses by which a business uploads a file for its app, in one piece or after a break in more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import access
from rasa_whatsapp.simulator.graph_routes import broken, check_access, journalled
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.upload_sessions import Session
from rasa_whatsapp.simulator.world import World


async def begin(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{app-id}/uploads?file_name=&file_length=&file_type=`."""
    return await journalled(request, _begin)


async def take(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/upload:{session}`, with bytes and the header `file_offset`."""
    return await journalled(request, _take)


async def state(request: web.Request) -> web.StreamResponse:
    """`GET /{version}/upload:{session}`."""
    return await journalled(request, _state)


async def _begin(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    check_access(world, request, access.SCHEMES)
    if request.match_info["node"] != world.settings.app_id:
        raise access.no_such_object(request.match_info["node"])
    return web.json_response({"id": world.upload_sessions.begin(request.query)})


async def _take(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    session = _session(world, request)
    entry["body"] = {"file_offset": request.headers.get("file_offset"), "size": request.content_length}
    if request.headers.get("file_offset") != str(session.offset):
        raise Refused(100, f"file_offset must be {session.offset}, which is how many bytes are here.")
    if world.faults.strike("cut_upload"):
        session.take(await request.content.read((request.content_length or 0) // 2))
        return broken(world, request)
    # What has come stays, also if the connection breaks.
    async for piece in request.content.iter_any():
        session.take(piece)
    return web.json_response({"h": world.upload_sessions.finish(session)} if session.is_whole else _told(session))


async def _state(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    return web.json_response(_told(_session(world, request)))


def _session(world: World, request: web.Request) -> Session:
    """Return the session of an address; its id has a query of its own, the signature."""
    check_access(world, request, ("oauth",))
    session_id = f"{request.match_info['upload']}?{request.query_string}"
    session = world.upload_sessions.find(session_id)
    if session is None:
        raise access.no_such_object(request.match_info["upload"])
    return session


def _told(session: Session) -> dict[str, Any]:
    return {"id": session.id, "file_offset": session.offset}


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("POST", "/{version:v[^/]*}/{node}/uploads", begin),
    ("POST", "/{version:v[^/]*}/{upload:upload:[^/]+}", take),
    ("GET", "/{version:v[^/]*}/{upload:upload:[^/]+}", state),
)
