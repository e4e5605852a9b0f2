"""The simulator as an aiohttp application: routes, guard, start and stop; nothing is decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import control_routes, graph_routes, media_routes, template_routes, upload_routes
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.guard import PAGES, Handler, guarded
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.world import World

STATIC = Path(__file__).with_name("static")
# A customer sends media as base64 in JSON: room for 100 MB. Uploads are streamed and have their own limits.
MAX_BODY_BYTES = 140 * 1024 * 1024


def create_app(settings: Settings) -> web.Application:
    """Build the application; raise what is wrong with templates or database."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[WORLD] = World(settings)
    app.cleanup_ctx.append(_life)
    # The signal's declared type differs between releases of aiosignal.
    on_shutdown: Any = app.on_shutdown
    on_shutdown.append(_end_streams)
    # Sends come first: the router tries one after the other.
    for method, path, handler in (
        *graph_routes.ROUTES,
        *upload_routes.ROUTES,
        *media_routes.ROUTES,
        *template_routes.ROUTES,
        graph_routes.LAST_ROUTE,
    ):
        app.router.add_route(method, path, handler)
    for method, path, handler in (*control_routes.ROUTES, *_pages()):
        guarding = guarded(_explained(handler), loopback_only=settings.loopback_only)
        app.router.add_route(method, path, guarding)
    return app


def _pages() -> Iterator[tuple[str, str, Handler]]:
    for path, name in PAGES.items():
        yield "GET", path, _file(name)
    for file in STATIC.iterdir():
        yield "GET", f"/static/{file.name}", _file(file.name)


def _file(name: str) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name)

    return serve


async def _life(app: web.Application) -> AsyncIterator[None]:
    app[WORLD].start()
    yield
    await app[WORLD].close()


async def _end_streams(app: web.Application) -> None:
    app[WORLD].events.close()


def _explained(handler: Handler) -> Handler:
    """Return a handler that turns a refused control request into a sentence with status 400."""

    async def explaining(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlRefused as refused:
            return web.json_response({"error": str(refused)}, status=refused.status)
        except control_routes.REFUSALS as refused:
            return web.json_response({"error": str(refused)}, status=400)

    return explaining
