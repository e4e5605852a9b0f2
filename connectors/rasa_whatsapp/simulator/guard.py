"""Keeps foreign web pages from driving the control API through a visitor's browser.

A page on the web can post to 127.0.0.1, and with a DNS name that it points there it could even read the answers. So:
loopback names only when bound to loopback, no foreign origin, and JSON bodies, which a form cannot send.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The pages and their files; a link from anywhere may lead to one of them, it shows nothing to who made the link.
PAGES = {"/": "phone.html", "/templates": "templates.html"}

# Media that the bot links to on this machine may be shown, by the browser itself; nothing from elsewhere.
_MEDIA_SOURCES = "'self' http://127.0.0.1:* http://localhost:*"

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        f" img-src {_MEDIA_SOURCES}; media-src {_MEDIA_SOURCES};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def problem(request: web.Request, *, loopback_only: bool) -> tuple[int, str] | None:
    """Return why a request to page or control API is refused, or None."""
    if loopback_only and not is_loopback(_host_name(request.host)):
        return 403, "This simulator answers to loopback names only: open it as http://127.0.0.1 or http://localhost."
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return 403, "Requests from other web pages are refused."
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and request.path not in PAGES:
        return 403, "Requests from other web pages are refused."
    if request.method in ("POST", "PUT") and request.content_type != "application/json":
        return 415, "Send the header Content-Type: application/json."
    return None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def guarded(handler: Handler, *, loopback_only: bool) -> Handler:
    """Return a handler that refuses and sets the page's headers; the Graph side has its token instead.

    Each handler is wrapped rather than all by one middleware, which every send would have to pass.
    """

    async def guarding(request: web.Request) -> web.StreamResponse:
        refused = problem(request, loopback_only=loopback_only)
        if refused is not None:
            return web.json_response({"error": refused[1]}, status=refused[0], headers=PAGE_HEADERS)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(PAGE_HEADERS)
        return response

    return guarding
