"""The simulator as an aiohttp application: routes, guard, start and stop; nothing is decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import control_routes, graph_routes, media_routes
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.guard import Handler, guard
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.world import World

STATIC = Path(__file__).with_name("static")
# A customer sends media as base64 in JSON: room for 100 MB. Uploads are streamed and have their own limits.
MAX_BODY_BYTES = 140 * 1024 * 1024


def create_app(settings: Settings) -> web.Application:
    """Build the application; raise what is wrong with templates or database."""
    middlewares = [guard(settings.loopback_only), _refusals]
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
    app[WORLD] = World(settings)
    app.cleanup_ctx.append(_life)
    # The signal's declared type differs between releases of aiosignal.
    on_shutdown: Any = app.on_shutdown
    on_shutdown.append(_end_streams)
    routes = (*control_routes.ROUTES, *graph_routes.ROUTES, *media_routes.ROUTES, graph_routes.LAST_ROUTE)
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)
    app.router.add_get("/", _file("phone.html"))
    for file in STATIC.iterdir():
        app.router.add_get(f"/static/{file.name}", _file(file.name))
    return app


def _file(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name)

    return serve


async def _life(app: web.Application) -> AsyncIterator[None]:
    app[WORLD].start()
    yield
    await app[WORLD].close()


async def _end_streams(app: web.Application) -> None:
    app[WORLD].events.close()


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a refused control request into a sentence with status 400."""
    try:
        return await handler(request)
    except ControlRefused as refused:
        return web.json_response({"error": str(refused)}, status=refused.status)
    except control_routes.REFUSALS as refused:
        return web.json_response({"error": str(refused)}, status=400)
