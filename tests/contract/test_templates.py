"""Two opinions of template messages: what our filling makes of a response, the simulator takes, whatever kind of value is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_whatsapp.cloud.templates import TemplateBook
from rasa_whatsapp.cloud.templates.spelling import read_use
from rasa_whatsapp.cloud.templates.values import lawful
from rasa_whatsapp.settings.catalogue import read_catalogue
from rasa_whatsapp.simulator.catalogue import load
from rasa_whatsapp.simulator.kinds import SendContext, read_content

FILES = [Path(__file__).parents[1] / "simulator" / name for name in ("templates.yml", "rarer_templates.yml")]
THEIRS = {(template.name, template.language): template for file in FILES for template in load(file)}
PROBLEMS: list[str] = []
OURS = TemplateBook(tuple(each for file in FILES for each in read_catalogue(file, PROBLEMS)[0].translations))
PRODUCT = {"product": {"product_retailer_id": "c-1", "catalog_id": 19}}
PICTURE = {"image": {"link": "https://shop.example/a.png"}}
ITEMS = {"thumbnail": "c-1", "sections": [{"title": "Cups", "products": ["c-1", "c-2"]}]}
USES = {
    "names": {"name": "order_follow_up", "parameters": {"order_id": 7}, "payloads": ["/affirm", "/deny"]},
    "another language": {"name": "order_follow_up", "language": "de-AT", "parameters": {"order_id": "7"}},
    "numbers": {"name": "two_numbers", "header": {"text": "Lea"}, "parameters": ["one", "two"]},
    "an unruly text": {"name": "free_text", "parameters": ["a\n\n\tb" + " " * 9 + "c\u2028d"]},
    "the longest text": {"name": "free_text", "parameters": ["x" * 997]},
    "picture and address": {"name": "picture", "header": PICTURE, "buttons": [{"suffix": "a b"}]},
    "the longest address": {"name": "picture", "header": PICTURE, "buttons": [{"suffix": "x" * 1979}]},
    "code": {"name": "one_time_code", "code": 482913},
    "code without a text": {"name": "code_of_metas", "code": "482913482913482"},
    "place": {
        "name": "place",
        "header": {"location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Linden 1"}},
    },
    "product": {"name": "one_product", "header": PRODUCT, "parameters": [3]},
    "products and a form": {
        "name": "shopping",
        "buttons": [{"flow": {"token": "t", "data": {"a": 1}}}, ITEMS, {"thumbnail": "c-1"}],
    },
    "products and a form by itself": {"name": "shopping", "buttons": [ITEMS]},
    "offer": {
        "name": "soon_over",
        "parameters": ["25 %"],
        "buttons": [{"code": "x" * 20}],
        "limited_time_offer": {"expires_at": "2026-12-24T18:00:00+01:00"},
    },
    "amount": {
        "name": "soon_over",
        "parameters": [{"currency": {"fallback_value": "10 €", "code": "EUR", "amount_1000": 10000}}],
        "buttons": [{"code": "X"}],
        "limited_time_offer": {"expires_at": "2026-12-24T18:00:00Z"},
    },
    "cards": {
        "name": "cards",
        "cards": [
            {"header": PICTURE, "parameters": ["x" * 152], "buttons": [{"payload": "/a"}, {"suffix": "cups"}]},
            {"header": PICTURE, "parameters": ["plates"], "buttons": [{"suffix": "plates"}]},
        ],
    },
    "products on cards": {"name": "products", "cards": [{"header": PRODUCT}] * 10},
}


@pytest.mark.parametrize("template", USES.values(), ids=USES.keys())
def test_what_a_template_becomes_is_taken(template):
    """Every kind of value, each at its limit somewhere; the phone shows the body as we have it."""
    message = OURS.prepare(read_use(template, "custom.template"), ["en"])
    assert PROBLEMS == []
    context = SendContext(
        sender="4930901820000",
        recipient="4915112345678",
        to_user_id=False,
        find_template=lambda name, code: THEIRS.get((name, code)),
        find_media=lambda _: None,
    )
    shown = read_content("template", {"template": message.content}, context).to_json()
    assert shown["template"]["name"] == template["name"]
    if message.preview != template.get("code"):
        assert shown["text"].endswith(message.preview)
    assert lawful(message.preview) == message.preview
