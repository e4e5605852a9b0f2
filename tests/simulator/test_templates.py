"""Template messages held against the approved templates, and the file that lists these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rasa_whatsapp.simulator.catalogue import TemplatesInvalid, load
from rasa_whatsapp.simulator.kinds import SendContext, read_content
from rasa_whatsapp.simulator.refusals import Refused

CATALOGUE = {
    (template.name, template.language): template for template in load(Path(__file__).with_name("templates.yml"))
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
    pytest.param(template("order_follow_up", ORDER, part("carousel")), 131051, id="component not played"),
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
