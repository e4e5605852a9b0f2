"""Template messages held against the approved templates, and the file that lists these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rasa_whatsapp.simulator.catalogue import TemplatesInvalid, load
from rasa_whatsapp.simulator.kinds import SendContext, read_content
from rasa_whatsapp.simulator.refusals import Refused

CATALOGUE = {
    (template.name, template.language): template
    for name in ("templates.yml", "rarer_templates.yml")
    for template in load(Path(__file__).with_name(name))
}


def template(name: str, *components: dict[str, Any], language: str = "en") -> dict[str, Any]:
    """Return a template content."""
    return {"name": name, "language": {"code": language}, "components": list(components)}


def read(content: dict[str, Any], *, to_user_id: bool = False) -> dict[str, Any]:
    """Read a template content and return what the phone shows."""
    context = SendContext(
        sender="4930901820000",
        recipient="4915112345678",
        to_user_id=to_user_id,
        find_template=lambda name, code: CATALOGUE.get((name, code)),
        find_media=lambda media_id: None,
    )
    return read_content("template", {"template": content}, context).to_json()


def text(value: Any, name: str | None = None) -> dict[str, Any]:
    """Return a text parameter."""
    return {"type": "text", "text": value, **({"parameter_name": name} if name is not None else {})}


def part(kind: str, *parameters: dict[str, Any], **extras: Any) -> dict[str, Any]:
    """Return a component."""
    return {"type": kind, "parameters": list(parameters), **extras}


def payload(index: Any, value: str) -> dict[str, Any]:
    """Return a quick reply component."""
    return part("button", {"type": "payload", "payload": value}, sub_type="quick_reply", index=index)


ORDER = part("body", text("1002", "order_id"))
PICTURE = part("header", {"type": "image", "image": {"link": "https://shop.example/a.png"}})
SUFFIX = part("button", text("sale"), sub_type="url", index=0)


def action(sub_type: str, index: int, value: Any) -> dict[str, Any]:
    """Return the component of a button that takes an action."""
    return part("button", {"type": "action", "action": value}, sub_type=sub_type, index=index)


def cards(*components: list[dict[str, Any]], **extras: Any) -> dict[str, Any]:
    """Return a carousel, each card given by its components."""
    return {
        "type": "carousel",
        "cards": [{"card_index": index, "components": parts, **extras} for index, parts in enumerate(components)],
    }


def code(value: str, button: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the components of a template with a code."""
    return part("body", text(value)), part("button", text(button or value), sub_type="url", index="0")


PLACE = {"latitude": "52.5", "longitude": "13.4", "name": "Shop", "address": "Linden 1"}
PRODUCT = {"product_retailer_id": "c-1", "catalog_id": "19"}
SECTIONS = [{"title": "Cups", "product_items": [{"product_retailer_id": "c-1"}]}]
ITEMS = {"thumbnail_product_retailer_id": "c-1", "sections": SECTIONS}
MPM = action("mpm", 1, ITEMS)
COUPON = part("button", {"type": "coupon_code", "coupon_code": "SALE"}, sub_type="copy_code", index=0)
END = part(
    "limited_time_offer",
    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1798131600000}},
)
QUARTER = part("body", text("25 %"))
CUPS = part("body", text("cups"))
CARD = [PICTURE, CUPS, part("button", text("cups"), sub_type="url", index=1)]
PRODUCT_CARD = [part("header", {"type": "product", "product": PRODUCT})]
NUMBERS = (part("header", text("Lea")), part("body", text("one"), text("two")))


def test_named_parameters_and_payloads_fill_the_template() -> None:
    """The phone shows the filled text, the static footer and the buttons with their payloads."""
    shown = read(template("order_follow_up", ORDER, payload("0", "/affirm"), payload(1, "/deny")))
    assert shown == {
        "text": "Hi, did your order 1002 arrive well?",
        "footer": "STOP ends these messages.",
        "buttons": [
            {"id": "0", "title": "Yes", "kind": "quick_reply", "payload": "/affirm"},
            {"id": "1", "title": "No", "kind": "quick_reply", "payload": "/deny"},
        ],
        "template": {"name": "order_follow_up", "language": "en", "category": "UTILITY"},
    }


def test_payload_is_the_label_when_none_was_given() -> None:
    """A quick reply without a payload sends its label back."""
    assert [button["payload"] for button in read(template("order_follow_up", ORDER))["buttons"]] == ["Yes", "No"]


def test_numbered_parameters_go_by_number() -> None:
    """The first parameter fills {{1}} wherever it stands."""
    shown = read(template("two_numbers", *NUMBERS))
    assert (shown["header"], shown["text"]) == ("News for Lea", "two is the second, one the first.")


def test_media_header_and_url_button() -> None:
    """A picture header is media; the suffix is added to the address."""
    shown = read(template("picture", PICTURE, SUFFIX))
    assert shown["media"] == {"kind": "image", "link": "https://shop.example/a.png"}
    assert shown["buttons"] == [
        {"id": "0", "title": "Shop", "kind": "url", "url": "https://shop.example/sale"},
        {"id": "1", "title": "Call", "kind": "phone_number"},
    ]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (template("code_of_metas", *code("482913")), {"text": "482913 is your verification code."}),
        (
            template("place", part("header", {"type": "location", "location": PLACE})),
            {"location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Linden 1"}},
        ),
        (
            template("one_product", *PRODUCT_CARD, part("body", text("3"))),
            {"product": PRODUCT, "buttons": [{"id": "0", "title": "View", "kind": "product"}]},
        ),
        (
            template("shopping", MPM, action("flow", 2, {"flow_token": "t", "flow_action_data": {"a": 1}})),
            {
                "products": {"catalog_id": "connected", "sections": SECTIONS},
                "buttons": [
                    {"id": "0", "title": "View catalog", "kind": "catalog"},
                    {"id": "1", "title": "View items", "kind": "product"},
                    {"id": "2", "title": "Ask us", "kind": "flow"},
                ],
            },
        ),
        (
            template("soon_over", QUARTER, END, COUPON),
            {"text": "Soon over (until 2026-12-24 17:00 UTC)\n\n25 % off."},
        ),
        (
            template("cards", cards(CARD, [*CARD, payload(0, "/more")])),
            {
                "carousel": [
                    {
                        "card_index": index,
                        "media": {"kind": "image", "link": "https://shop.example/a.png"},
                        "text": "Our cups now",
                        "buttons": [
                            {"id": f"{index}.0", "title": "More", "kind": "quick_reply", "payload": sent},
                            {"id": f"{index}.1", "title": "Shop", "kind": "url", "url": "https://shop.example/cups"},
                        ],
                    }
                    for index, sent in enumerate(("More", "/more"))
                ]
            },
        ),
        (
            template("products", cards(PRODUCT_CARD, PRODUCT_CARD, PRODUCT_CARD)),
            {"carousel": [{"card_index": index, "buttons": [], "product": PRODUCT} for index in range(3)]},
        ),
    ],
)
def test_rarer_components(content: dict[str, Any], shown: dict[str, Any]) -> None:
    """Codes, places, products, forms, offers and carousels are played, too."""
    assert {name: value for name, value in read(content).items() if name in shown} == shown


def test_template_without_variables_needs_no_components() -> None:
    """Static templates are sent by name and language alone."""
    shown = read({"name": "spring_sale", "language": {"code": "pt_BR"}})
    assert shown["template"] == {"name": "spring_sale", "language": "pt_BR", "category": "MARKETING"}


REFUSED = [
    pytest.param(template("nowhere"), 132001, id="unknown name"),
    pytest.param(template("order_follow_up", ORDER, language="en_US"), 132001, id="en_US is not en"),
    pytest.param(template("pending"), 132001, id="not approved yet"),
    pytest.param(template("paused"), 132015, id="paused"),
    pytest.param(template("disabled"), 132016, id="disabled"),
    pytest.param({"name": "spring_sale"}, 100, id="no language"),
    pytest.param({"language": {"code": "en"}}, 100, id="no name"),
    pytest.param(template("order_follow_up"), 132000, id="parameter missing"),
    pytest.param(
        template("order_follow_up", part("body", text("1", "order_id"), text("2", "x"))), 132000, id="one too many"
    ),
    pytest.param(template("order_follow_up", part("body", text("1002"))), 100, id="parameter without its name"),
    pytest.param(template("order_follow_up", part("body", text("1002", "order"))), 100, id="parameter of another name"),
    pytest.param(template("two_numbers", part("body", text("a"), text("b"))), 132000, id="header parameter missing"),
    pytest.param(template("spring_sale", part("body", text("a")), language="pt_BR"), 132000, id="nothing to fill"),
    pytest.param(
        template("order_follow_up", part("body", {"type": "image", "parameter_name": "order_id"})),
        132012,
        id="picture for a text",
    ),
    pytest.param(template("order_follow_up", part("body", text("", "order_id"))), 131008, id="empty parameter"),
    pytest.param(template("order_follow_up", part("body", text("a\nb", "order_id"))), 132018, id="line break"),
    pytest.param(template("order_follow_up", part("body", text("a\tb", "order_id"))), 132018, id="tab"),
    pytest.param(template("order_follow_up", part("body", text("a     b", "order_id"))), 132018, id="five spaces"),
    pytest.param(template("free_text", part("body", text("x" * 1000))), 132005, id="too long when filled"),
    pytest.param(template("picture", part("header", text("x")), SUFFIX), 132012, id="text for a picture"),
    pytest.param(template("picture", SUFFIX), 132000, id="picture missing"),
    pytest.param(template("picture", PICTURE), 131008, id="address suffix missing"),
    pytest.param(template("order_follow_up", ORDER, payload(2, "x")), 132018, id="button that is not there"),
    pytest.param(template("order_follow_up", ORDER, payload(None, "x")), 131008, id="button without index"),
    pytest.param(template("order_follow_up", ORDER, payload(0, "x"), payload("0", "y")), 100, id="button twice"),
    pytest.param(template("order_follow_up", ORDER, payload(0, "")), 131008, id="empty payload"),
    pytest.param(
        template("order_follow_up", ORDER, part("button", text("x"), sub_type="url", index=0)),
        132018,
        id="address for a quick reply",
    ),
    pytest.param(template("order_follow_up", ORDER, ORDER), 100, id="two bodies"),
    pytest.param(template("order_follow_up", ORDER, part("footer")), 131051, id="component not played"),
    pytest.param(template("order_follow_up", ORDER, cards(CARD, CARD)), 132000, id="cards for none"),
    pytest.param(template("order_follow_up", ORDER, END), 132000, id="offer for none"),
    pytest.param(template("code_of_metas", *code("4829134829134829")), 131009, id="code too long"),
    pytest.param(template("code_of_metas", code("482913")[0]), 131008, id="code missing on the button of Meta's"),
    pytest.param(template("two_numbers", part("header", text("x" * 55)), NUMBERS[1]), 132005, id="header too long"),
    pytest.param(template("place"), 132000, id="place missing"),
    pytest.param(
        template("place", part("header", {"type": "location", "location": {"latitude": 1}})), 100, id="half a place"
    ),
    pytest.param(template("shopping"), 131008, id="products missing"),
    pytest.param(template("shopping", action("mpm", 1, {"sections": SECTIONS})), 100, id="thumbnail missing"),
    pytest.param(template("shopping", action("mpm", 1, {**ITEMS, "sections": []})), 131009, id="no section"),
    pytest.param(template("shopping", MPM, action("flow", 2, {"flow_token": 5})), 100, id="token that is no text"),
    pytest.param(template("shopping", MPM, action("flow", 0, {})), 132018, id="form for a catalogue"),
    pytest.param(
        template("picture", PICTURE, part("button", text("x" * 1990), sub_type="url", index=0)),
        131009,
        id="address too long",
    ),
    pytest.param(template("soon_over", QUARTER, COUPON), 132000, id="end of the offer missing"),
    pytest.param(template("soon_over", QUARTER, END), 131008, id="coupon missing"),
    pytest.param(
        template("soon_over", QUARTER, part("limited_time_offer", text("x")), COUPON), 132012, id="text for an end"
    ),
    pytest.param(template("cards"), 132000, id="no cards"),
    pytest.param(template("cards", cards(CARD)), 132000, id="a card too few"),
    pytest.param(template("cards", cards(CARD, CARD, CARD)), 132000, id="a card too many"),
    pytest.param(template("cards", cards(CARD, CARD, card_index=0)), 131009, id="cards out of order"),
    pytest.param(template("cards", cards(CARD, CARD[1:])), 132000, id="card without its picture"),
    pytest.param(template("cards", cards(CARD, CARD[:2])), 131008, id="card without its address"),
    pytest.param(
        template("cards", cards(CARD, [PICTURE, part("body", text("x" * 153)), CARD[2]])), 132005, id="card too long"
    ),
    pytest.param(template("products", cards(PRODUCT_CARD)), 132000, id="a product too few"),
    pytest.param(template("one_time_code", part("body", text("123"))), 131008, id="code missing on the button"),
]


@pytest.mark.parametrize(("content", "code"), REFUSED)
def test_refuses_with_metas_code(content: dict[str, Any], code: int) -> None:
    """What does not fit the approved template gets Meta's code."""
    with pytest.raises(Refused) as refused:
        read(content)
    assert refused.value.code == code


def test_wrong_count_says_both_numbers() -> None:
    """The details of 132000 are Meta's."""
    with pytest.raises(Refused) as refused:
        read(template("order_follow_up"))
    assert refused.value.details == (
        "body: number of localizable_params (0) does not match the expected number of params (1)"
    )


def test_code_template_cannot_go_to_a_user_id() -> None:
    """One-time code templates need a phone number."""
    with pytest.raises(Refused) as refused:
        read(template("one_time_code", part("body", text("123"))), to_user_id=True)
    assert refused.value.code == 131062


def test_other_templates_can_go_to_a_user_id() -> None:
    """Only codes need a phone number."""
    assert read(template("order_follow_up", ORDER), to_user_id=True)["template"]["category"] == "UTILITY"


FILE_PROBLEMS = [
    pytest.param("a: [", "templates.yml:1: is not YAML", id="not YAML"),
    pytest.param("templates: []", "templates.yml:1: needs a list under the key whatsapp_templates", id="other key"),
    pytest.param("- a", "templates.yml:1: needs a list", id="a list at the top"),
    pytest.param(
        "whatsapp_templates:\n- {name: Big, language: en, category: UTILITY, components: [{type: BODY, text: x}]}",
        "templates.yml:2: name is 'Big', expected lower-case letters",
        id="upper-case name",
    ),
    pytest.param(
        "whatsapp_templates:\n- {name: a, language: en, category: NEWS, components: [{type: BODY, text: x}]}",
        "templates.yml:2: category is 'NEWS', expected one of UTILITY, MARKETING, AUTHENTICATION",
        id="unknown category",
    ),
    pytest.param(
        "whatsapp_templates:\n- {name: a, language: en, category: UTILITY, components: []}",
        "templates.yml:2: components need one of type BODY",
        id="no body",
    ),
    pytest.param(
        "whatsapp_templates:\n- {name: a, language: en, category: UTILITY, components: [{type: BODY, text: 'x {{a}} y'}]}",
        "templates.yml:2: a is a named variable. Set parameter_format: NAMED",
        id="named variable in a numbered template",
    ),
    pytest.param(
        "whatsapp_templates:\n"
        "- {name: a, language: en, category: UTILITY, components: [{type: BODY, text: x}]}\n"
        "- {name: a, language: en, category: UTILITY, components: [{type: BODY, text: y}]}",
        "templates.yml:3: a in en is there twice",
        id="translation twice",
    ),
]


@pytest.mark.parametrize(("content", "problem"), FILE_PROBLEMS)
def test_bad_file_is_named_with_its_line(tmp_path: Path, content: str, problem: str) -> None:
    """Every problem says file, line and what to do."""
    path = tmp_path / "templates.yml"
    path.write_text(content)
    with pytest.raises(TemplatesInvalid) as invalid:
        load(path)
    assert problem in str(invalid.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(TemplatesInvalid, match=r"nowhere\.yml: cannot be read"):
        load(tmp_path / "nowhere.yml")


def test_a_folder_of_files(tmp_path: Path) -> None:
    """All YAML files below it; a translation that is in two of them is named with both places."""
    one = "whatsapp_templates:\n- {name: a, language: en, category: UTILITY, components: [{type: BODY, text: Hi}]}\n"
    with pytest.raises(TemplatesInvalid, match="has no YAML file"):
        load(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.yml").write_text(one)
    (tmp_path / "deep/a.yaml").write_text(one.replace("name: a", "name: b"))
    (tmp_path / "README.md").write_text("a: [")
    assert [template.name for template in load(tmp_path)] == ["a", "b"]
    (tmp_path / "deep/a.yaml").write_text(one)
    with pytest.raises(TemplatesInvalid, match=r"deep/a\.yaml:2: a in en is there twice, first at .*/b\.yml:2\."):
        load(tmp_path)
