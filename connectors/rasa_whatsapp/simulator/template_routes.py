"""The Graph addresses by which a business manages its templates; one translation is looked up where media are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import access
from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.graph_routes import check_access, journalled, json_body
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.world import World


async def listing(request: web.Request) -> web.StreamResponse:
    """`GET /{version}/{business-account-id}/message_templates`."""
    return await journalled(request, _listing)


async def create(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{business-account-id}/message_templates`."""
    return await journalled(request, _create)


async def delete(request: web.Request) -> web.StreamResponse:
    """`DELETE /{version}/{business-account-id}/message_templates?name=&hsm_id=`."""
    return await journalled(request, _delete)


async def edit(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{template-id}`."""
    return await journalled(request, _edit)


async def unpause(request: web.Request) -> web.StreamResponse:
    """`POST /{version}/{template-id}/unpause`."""
    return await journalled(request, _unpause)


async def _listing(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    _check_account(world, request)
    return web.json_response(world.templates.page(request.query))


async def _create(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    _check_account(world, request)
    return web.json_response(world.template_management.create(await _object(request, entry)))


async def _delete(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    _check_account(world, request)
    return web.json_response(world.template_management.delete(request.query))


async def _edit(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    template = _template(world, request)
    return web.json_response(world.template_management.edit(template, await _object(request, entry)))


async def _unpause(world: World, request: web.Request, entry: dict[str, Any]) -> web.Response:
    return web.json_response(world.template_management.unpause(_template(world, request)))


async def _object(request: web.Request, entry: dict[str, Any]) -> dict[str, Any]:
    entry["body"] = body = await json_body(request)
    if not isinstance(body, dict):
        raise Refused(100, "The request body must be a JSON object")
    return body


def _check_account(world: World, request: web.Request) -> None:
    check_access(world, request)
    node = request.match_info["node"]
    if node != world.settings.business_account_id:
        raise access.no_such_object(node)


def _template(world: World, request: web.Request) -> Template:
    check_access(world, request)
    template = world.templates.by_id(request.match_info["node"])
    if template is None:
        raise access.no_such_object(request.match_info["node"])
    return template


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("GET", "/{version:v[^/]*}/{node}/message_templates", listing),
    ("POST", "/{version:v[^/]*}/{node}/message_templates", create),
    ("DELETE", "/{version:v[^/]*}/{node}/message_templates", delete),
    ("POST", "/{version:v[^/]*}/{node}/unpause", unpause),
    ("POST", "/{version:v[^/]*}/{node}", edit),
)
