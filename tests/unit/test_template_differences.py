"""A declared template against the account's: what Meta adds or writes otherwise is no difference, everything else is one."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.templates.differences import Difference, differences

BODY = {"type": "BODY", "text": "Your order {{order_id}} is here.", "example": {"body_text_named_params": [
    {"param_name": "order_id", "example": "1002"}]}}  # fmt: skip
QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
LINK = {"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}", "example": ["https://shop.example/7"]}


def template(*components, **more):
    """Return a template in one language with these components."""
    return {"name": "news", "language": "en", "category": "UTILITY", "parameter_format": "NAMED"} | {
        "components": list(components or [BODY]),
        **more,
    }


def buttons(*given):
    """Return a component of buttons."""
    return {"type": "BUTTONS", "buttons": list(given)}


def header(**more):
    """Return a component of type HEADER."""
    return {"type": "HEADER", **more}


def named(kind, **examples):
    """Return a text component with two variables and their examples in the order given."""
    params = [{"param_name": name, "example": example} for name, example in examples.items()]
    return {"type": kind, "text": "{{a}} and {{b}}", "example": {f"{kind.lower()}_text_named_params": params}}


CODE = [{"type": "BODY", "add_security_recommendation": True}, {"type": "FOOTER", "code_expiration_minutes": 5},
        buttons({"type": "OTP", "otp_type": "copy_code"})]  # fmt: skip
CODE_AT_META = [
    {"type": "BODY", "text": "*{{1}}* is your verification code.", "add_security_recommendation": True,
     "example": {"body_text": [["123456"]]}},
    {"type": "FOOTER", "text": "This code expires in 5 minutes.", "code_expiration_minutes": 5},
    buttons({"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "at_meta"),
    [
        (template(), template()),
        (template(), template(id="1", status="APPROVED", quality_score={"score": "GREEN"}, message_send_ttl_seconds=43200)),
        (template(BODY | {"type": "body"}), template()),
        (template(category="utility", parameter_format="named"), template()),
        (template({"type": "BODY", "text": "Hello!"}, parameter_format="NAMED"),
         template({"type": "BODY", "text": "Hello!"}, parameter_format="POSITIONAL")),
        (template(BODY | {"text": "Your order {{ order_id }} is here.\n"}), template()),
        (template(named("BODY", a="1", b="2")), template(named("BODY", b="2", a="1"))),
        (template(BODY), template({"type": "BODY", "text": BODY["text"]})),
        (template(BODY, {"type": "FOOTER", "text": "Bye"}), template({"type": "FOOTER", "text": "Bye"}, BODY)),
        (template(BODY, header(text="Hi")), template(header(format="TEXT", text="Hi"), BODY)),
        (template(header(format="image", example={"file": "media/offer.png"}), BODY),
         template(header(format="IMAGE", example={"header_handle": ["https://scontent.example/x.jpg"]}), BODY)),
        (template(header(format="image", example={"header_handle": ["4::abc"]}), BODY),
         template(header(format="IMAGE", example={"header_handle": ["https://scontent.example/x.jpg"]}), BODY)),
        (template(BODY, buttons(QUICK, LINK)), template(BODY, buttons(QUICK, LINK))),
        (template(BODY, buttons(LINK | {"example": "https://shop.example/7"})), template(BODY, buttons(LINK))),
        (template(BODY, buttons({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "4930901820"})),
         template(BODY, buttons({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+4930901820"}))),
        (template(BODY, buttons({"type": "COPY_CODE", "example": "SAVE5"})),
         template(BODY, buttons({"type": "COPY_CODE", "text": "Copy offer code", "example": ["SAVE5"]}))),
        (template(BODY, buttons({"type": "FLOW", "text": "Book", "flow_id": 12, "flow_action": "navigate"})),
         template(BODY, buttons({"type": "FLOW", "text": "Book", "flow_id": "12", "flow_action": "NAVIGATE", "icon": "DEFAULT"}))),
        (template(BODY, {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon"}}),
         template(BODY, {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon", "has_expiration": True}})),
        (template(BODY, buttons()), template(BODY)),
        (template({"type": "BODY", "add_security_recommendation": False}), template({"type": "BODY", "text": "{{1}} is it."})),
    ],
    ids=["itself", "what Meta adds", "case of a type", "case of words", "form without variables", "blanks",
         "order of examples", "no examples given back", "order of components", "default format", "file of a sample", "handle of a medium", "buttons",
         "example in a list", "plus of a number", "Meta's label", "default fields of a flow", "offer", "no buttons", "false"],
)  # fmt: skip
def test_the_same(declared, at_meta):
    """What Meta adds or writes in another way is no difference."""
    assert differences(declared, at_meta) == []


def test_a_template_for_codes():
    """The words of an AUTHENTICATION template are Meta's; of its button it also gives another type."""
    declared = template(*CODE, category="AUTHENTICATION", parameter_format="POSITIONAL")
    assert (
        differences(declared, template(*CODE_AT_META, category="AUTHENTICATION", parameter_format="POSITIONAL")) == []
    )
    later = [CODE_AT_META[0], CODE_AT_META[1] | {"code_expiration_minutes": 10}, CODE_AT_META[2]]
    assert differences(declared, template(*later, category="AUTHENTICATION")) == [
        Difference("footer.code_expiration_minutes", "5", "10")
    ]
    one_tap = [*CODE[:2], buttons({"type": "OTP", "otp_type": "ONE_TAP"})]
    assert differences(
        template(*one_tap, category="AUTHENTICATION"), template(*CODE_AT_META, category="AUTHENTICATION")
    ) == [Difference("button 1", "OTP", "Copy code")]


@pytest.mark.parametrize(
    ("declared", "at_meta", "expected"),
    [
        (template(), template(category="MARKETING"), [("category", "UTILITY", "MARKETING")]),
        (template(), template(parameter_format="POSITIONAL"), [("parameter_format", "NAMED", "POSITIONAL")]),
        (template(message_send_ttl_seconds=60), template(message_send_ttl_seconds=90), [("message_send_ttl_seconds", 60, 90)]),
        (template(message_send_ttl_seconds=60), template(), [("message_send_ttl_seconds", 60, None)]),
        (template(BODY | {"text": "It is here."}), template(),
         [("body.text", "It is here.", "Your order {{order_id}} is here.")]),
        (template(named("BODY", a="1", b="2")), template(named("BODY", a="1", b="3")),
         [("body.example", {"a": "1", "b": "2"}, {"a": "1", "b": "3"})]),
        (template(BODY, {"type": "FOOTER", "text": "Bye"}), template(), [("footer", "Bye", None)]),
        (template(), template(BODY, {"type": "FOOTER", "text": "Bye"}), [("footer", None, "Bye")]),
        (template(BODY, header(text="Hi")), template(BODY, header(format="IMAGE")),
         [("header.text", "Hi", None), ("header.format", "TEXT", "IMAGE")]),
        (template(BODY, buttons(QUICK)), template(BODY, buttons(QUICK | {"text": "No"})), [("button 1.text", "Yes", "No")]),
        (template(BODY, buttons(QUICK, LINK)), template(BODY, buttons(LINK, QUICK)),
         [("button 1", "Yes", "Track"), ("button 2", "Track", "Yes")]),
        (template(BODY, buttons(QUICK)), template(BODY, buttons(QUICK, LINK)), [("button 2", None, "Track")]),
        (template(BODY, buttons(QUICK)), template(BODY), [("buttons", "BUTTONS", None)]),
        (template(BODY, buttons(LINK | {"url": "https://shop.example/a/{{1}}"})), template(BODY, buttons(LINK)),
         [("button 1.url", "https://shop.example/a/{{1}}", "https://shop.example/{{1}}")]),
        (template({"type": "CAROUSEL", "cards": [{"components": [BODY]}, {"components": [BODY | {"text": "One"}]}]}),
         template({"type": "CAROUSEL", "cards": [{"components": [BODY]}, {"components": [BODY | {"text": "Two"}]}]}),
         [("card 2 body.text", "One", "Two")]),
        (template({"type": "CAROUSEL", "cards": [{"components": [BODY]}]}), template({"type": "CAROUSEL", "cards": []}),
         [("card 1", {"components": [BODY]}, None)]),
    ],
    ids=["category", "form", "lifetime", "lifetime that Meta has not", "text", "example", "a footer more", "a footer less",
         "kind of header", "label", "order of buttons", "a button less", "no buttons", "address", "card", "a card more"],
)  # fmt: skip
def test_different(declared, at_meta, expected):
    """Each difference names its part, what is declared and what Meta has."""
    assert differences(declared, at_meta) == [Difference(*each) for each in expected]
