"""`GET /control/media/{id}`: a file for the page, under a type that a browser cannot be tricked with.

What it is was said by whoever sent it, so only types that a browser plays and never runs are passed on; all else is
a download of unknown kind.
"""

from __future__ import annotations

import re

from aiohttp import web

from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.media_kinds import KINDS, essence

SHOWN = frozenset(mime for kind in ("audio", "image", "sticker", "video") for mime in KINDS[kind][0])
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


async def media_file(request: web.Request) -> web.Response:
    """Return a file's bytes."""
    library = request.app[WORLD].library
    media = library.on_phone(request.match_info["id"])
    if media is None:
        raise ControlRefused("there is no media with this id", 404)
    data, mime_type = library.data(media), essence(media.mime_type)
    if mime_type in SHOWN:
        return web.Response(body=data, headers={"Content-Type": mime_type})
    name = _UNSAFE.sub("_", media.filename or "file").strip(".")[-100:] or "file"
    headers = {"Content-Type": "application/octet-stream", "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=data, headers=headers)
