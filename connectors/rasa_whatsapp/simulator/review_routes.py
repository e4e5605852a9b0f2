"""The part of the control API that is about templates: what there is, and what an operator decides in Meta's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator import control_bodies as bodies
from rasa_whatsapp.simulator.catalogue import CATEGORIES, STATUSES, Template
from rasa_whatsapp.simulator.clock import to_iso
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.graph_routes import WORLD
from rasa_whatsapp.simulator.template_life import QUALITIES, REASONS, TemplateLife
from rasa_whatsapp.simulator.template_previews import preview

MOMENTS = ("review_at", "paused_until", "category_at")


async def list_templates(request: web.Request) -> web.Response:
    """Return the templates as they are now and as the phone would show them."""
    return web.json_response({"templates": [shown(template) for template in request.app[WORLD].templates.all()]})


async def change_template(request: web.Request) -> web.Response:
    """Give a template another status, quality or category, and tell the bot."""
    world, body = request.app[WORLD], await bodies.read(request)
    template = world.templates.find(request.match_info["name"], request.match_info["language"])
    if template is None:
        raise ControlRefused("there is no template with this name and language", 404)
    asked = [name for name in CHANGES if name in body]
    if len(asked) != 1:
        raise ControlRefused(f"give one of {', '.join(CHANGES)}")
    return web.json_response(shown(CHANGES[asked[0]](world.template_life, template, body)))


def shown(template: Template) -> dict[str, Any]:
    """Return a template as the control API shows it."""
    moments = {name: getattr(template, name) for name in MOMENTS}
    planned = {name: None if moment is None else to_iso(moment) for name, moment in moments.items()}
    return {**template.fields(), "pauses": template.pauses, **planned, "preview": preview(template).to_json()}


def _status(life: TemplateLife, template: Template, body: dict[str, Any]) -> Template:
    status = _one_of(body, "status", STATUSES)
    is_rejection = status == "REJECTED"
    for name in ("reason", "recommendation"):
        if name in body and not is_rejection:
            raise ControlRefused(f"{name} goes with the status REJECTED only")
    reason = _one_of(body, "reason", REASONS) if "reason" in body else "NONE"
    advice = bodies.text(body, "recommendation", 1000) if "recommendation" in body else ""
    return life.change_status(template, status, reason, advice)


def _quality(life: TemplateLife, template: Template, body: dict[str, Any]) -> Template:
    return life.change_quality(template, _one_of(body, "quality", QUALITIES))


def _category(life: TemplateLife, template: Template, body: dict[str, Any]) -> Template:
    category = _one_of(body, "category", CATEGORIES)
    if category == template.category:
        raise ControlRefused(f"the template is of category {category} already")
    return life.change_category(template, category, announced=bodies.flag(body, "announced"))


def _one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    if body.get(name) not in allowed:
        raise ControlRefused(f"{name} must be one of {', '.join(allowed)}")
    return str(body[name])


CHANGES: dict[str, Callable[[TemplateLife, Template, dict[str, Any]], Template]] = {
    "status": _status,
    "quality": _quality,
    "category": _category,
}
ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]], ...] = (
    ("GET", "/control/templates", list_templates),
    ("PUT", "/control/templates/{name}/{language}", change_template),
)
