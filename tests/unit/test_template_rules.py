"""Meta's rules for templates: each one broken on purpose is told, at its place; a template that keeps them all is fine.

The JSON Schema for editors lets pass what the rules let pass, and refuses of the rest all that a schema can tell.
"""

from __future__ import annotations

import copy
import datetime
import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cli import main
from rasa_whatsapp.cloud.templates.rules import faults
from rasa_whatsapp.cloud.templates.schema import schema

BODY, HEADER, FOOTER, BUTTONS = range(4)


def named(**changes):
    """Return a lawful template with everything in it, parameters by name, changed at the top."""
    return copy.deepcopy(
        {
            "name": "order_reminder",
            "language": "en_US",
            "category": "UTILITY",
            "parameter_format": "NAMED",
            "components": [
                {
                    "type": "BODY",
                    "text": "Hello {{first_name}}, your order {{order_id}} is on its way.",
                    "example": {
                        "body_text_named_params": [
                            {"param_name": "first_name", "example": "Lea"},
                            {"param_name": "order_id", "example": "1002"},
                        ]
                    },
                },
                {
                    "type": "HEADER",
                    "format": "TEXT",
                    "text": "Order {{order_id}}",
                    "example": {"header_text_named_params": [{"param_name": "order_id", "example": "1002"}]},
                },
                {"type": "FOOTER", "text": "Reply STOP to end these messages."},
                {
                    "type": "BUTTONS",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Show status"},
                        {"type": "QUICK_REPLY", "text": "No, thanks"},
                        {"type": "URL", "text": "Track", "url": "https://shop.example/{{code}}", "example": ["https://shop.example/A"]},
                        {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+4930901820"},
                        {"type": "COPY_CODE", "example": "SAVE20"},
                    ],
                },
            ],
        }
        | changes
    )  # fmt: skip


def positional(text, *examples):
    """Return a template with this body only, parameters by position."""
    body = {"type": "BODY", "text": text} | ({"example": {"body_text": [list(examples)]}} if examples else {})
    return {"name": "x", "language": "de", "category": "marketing", "components": [body]}


def code(**parts):
    """Return an authentication template; `parts` change its components."""
    components = {
        "body": {"type": "BODY", "add_security_recommendation": True},
        "footer": {"type": "FOOTER", "code_expiration_minutes": 5},
        "buttons": {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    } | parts
    kept = [part for part in components.values() if part is not None]
    return {"name": "code", "language": "en", "category": "AUTHENTICATION", "components": kept}


APP = {"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}
ONE_TAP = {"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [APP]}
ZERO_TAP = ONE_TAP | {"otp_type": "ZERO_TAP", "zero_tap_terms_accepted": True}


@pytest.mark.parametrize(
    "template",
    [
        named(),
        named(components=named()["components"][:1]),
        named(message_send_ttl_seconds=-1),
        named(message_send_ttl_seconds=43_200),
        named(name="a" * 512),
        named(name="0_1", language="fil"),
        positional("Hello {{1}}, your parcel is {{2}} now.", "Lea", "here"),
        positional("Hello {{2}}, your parcel is {{1}} now, {{2}}.", "here", "Lea"),
        positional("x" * 1024),
        named(components=[named()["components"][BODY], {"type": "HEADER", "format": "LOCATION"}]),
        named(components=[named()["components"][BODY], {"type": "header", "format": "product"}]),
        code(),
        code(footer=None),
        code(buttons={"type": "buttons", "buttons": [{**ZERO_TAP, "type": "otp", "otp_type": "zero_tap"}]}),
        code(buttons={"type": "BUTTONS", "buttons": [ONE_TAP]}),
        code(buttons={"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "ONE_TAP", **APP}]}),
        {**code(), "message_send_ttl_seconds": 30},
    ],
)
def test_lawful_templates(template):
    """Nothing is wrong with them."""
    assert faults(template) == []


# (what is changed, where it is told, a part of what is told)
TOP = [
    ({"name": "Order"}, ("name",), "'Order': small letters"),
    ({"name": "a" * 513}, ("name",), "at most 512"),
    ({"name": 5}, ("name",), "name 5 is no text in YAML but a number: put it in quotes"),
    ({"name": datetime.date(2026, 1, 1)}, ("name",), "name 2026-01-01 is no text in YAML but a date: put it in quotes"),
    ({"language": False}, ("language",), "language false is no text in YAML but true or false: put it in quotes"),
    ({"name": ["order"]}, ("name",), "name is a list, not a text"),
    ({"name": None}, ("name",), "name '': small letters"),
    ({"name": ""}, ("name",), "name ''"),
    ({"language": "en-US"}, ("language",), "Meta writes 'en_US'"),
    ({"language": "english"}, ("language",), "as en, en_US or pt_BR"),
    ({"language": None}, ("language",), "language ''"),
    ({"category": "TRANSACTIONAL"}, ("category",), "one of UTILITY, MARKETING, AUTHENTICATION"),
    ({"parameter_format": "BOTH"}, ("parameter_format",), "one of POSITIONAL, NAMED"),
    ({"message_send_ttl_seconds": 29}, ("message_send_ttl_seconds",), "for UTILITY it is 30 to 43200, or -1"),
    ({"message_send_ttl_seconds": 43_201}, ("message_send_ttl_seconds",), "30 to 43200"),
    ({"message_send_ttl_seconds": "60"}, ("message_send_ttl_seconds",), "30 to 43200"),
    ({"category": "MARKETING", "message_send_ttl_seconds": -1}, ("message_send_ttl_seconds",), "43200 to 2592000"),
    ({"components": None}, ("components",), "missing or not a list"),
    ({"components": ["BODY"]}, ("components",), "missing or not a list"),
    ({"components": []}, ("components",), "there is no BODY"),
    ({"components": [*named()["components"], {"type": "FOOTER", "text": "x"}]}, ("components",), "2 components of type FOOTER"),
    ({"components": [named()["components"][BODY], {"type": "POEM"}]}, ("components", 1), "component type 'POEM'"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "where", "text"), TOP)
def test_of_the_whole(changes, where, text):
    """Name, language, category, lifetime, and which components there are."""
    (fault,) = faults(named(**changes))
    assert (fault.where, text in fault.text) == (where, True), fault.text


# (component, what is changed in it, where below it it is told, a part of what is told)
PARTS = [
    (HEADER, {"text": "x" * 61, "example": {}}, ("text",), "the header has 61 characters; Meta allows 60"),
    (HEADER, {"text": "News \u2764\ufe0f", "example": {}}, ("text",), "the header has an emoji; Meta allows none there (2388072)"),
    (HEADER, {"text": "News\n", "example": {}}, ("text",), "the header has a line break"),
    (HEADER, {"text": "*Order* {{order_id}}"}, ("text",), "the header has a sign of markup, *"),
    (HEADER, {"text": " "}, ("text",), "the header has no text"),
    (HEADER, {"format": "POEM"}, ("format",), "header format 'POEM'"),
    (HEADER, {"format": ""}, ("format",), "header format '': it is one of TEXT, IMAGE"),
    (HEADER, {"format": "IMAGE", "example": {}}, ("example",), "a header with IMAGE needs an example: header_handle"),
    (HEADER, {"format": "video", "example": {"header_handle": ["4::a", "4::b"]}}, ("example",), "one handle"),
    (HEADER, {"format": "IMAGE", "example": {"header_handle": ["1602186516975000"]}}, ("example", "header_handle"),
     "'1602186516975000' is a media id"),
    (HEADER, {"format": "IMAGE", "example": {"file": "a.png", "header_handle": ["4::a"]}}, ("example",), "file and header_handle: keep one"),
    (HEADER, {"format": "IMAGE", "example": {"file": " "}}, ("example", "file"), "file is the path of the sample"),
    (HEADER, {"format": "IMAGE", "example": {"file": ["a.png"]}}, ("example", "file"), "file is the path of the sample"),
    (HEADER, {"example": {}}, (), "variable {{order_id}} of the header has no example in header_text_named_params"),
    (BODY, {"text": "x" * 1025}, ("text",), "the body has 1025 characters; Meta allows 1024"),
    (BODY, {"text": ""}, ("text",), "the body has no text"),
    (BODY, {"text": None}, ("text",), "the body has no text"),
    (BODY, {"text": "{{first_name}} bought {{order_id}} here in our shop."}, ("text",), "begins or ends with a variable"),
    (BODY, {"text": "This is only for you, {{first_name}}: {{order_id}} "}, ("text",), "begins or ends with a variable"),
    (BODY, {"text": "Hi there {{first_name}} {{order_id}}, it is here!"}, ("text",), "stand side by side"),
    (BODY, {"text": "Hi there, {{first_name}} and {{Order}}!"}, ("text",), "{{Order}}: with parameter_format NAMED"),
    (BODY, {"text": "Hello {{first_name}}, {{order_id}} came today!"}, ("text",), "beside 2 of them it has 3 words, write at least 5"),
    (BODY, {"text": "Hello {{first_name}} & {{order_id}} - now it came!"}, ("text",), "it has 4 words, write at least 5"),
    (BODY, {"text": "Hi {{first_name}, hello!"}, ("text",), "braces do not match"),
    (BODY, {"example": {"body_text_named_params": [{"param_name": "first_name", "example": "Lea"}]}},
     ("example", "body_text_named_params"), "variable {{order_id}} of the body has no example"),
    (BODY, {"example": {"body_text_named_params": [{"param_name": "first_name", "example": "Lea"},
                                                   {"param_name": "order_id", "example": ""}]}},
     ("example", "body_text_named_params"), "variable {{order_id}} of the body has no example"),
    (FOOTER, {"text": "x" * 61}, ("text",), "the footer has 61 characters; Meta allows 60"),
    (FOOTER, {"text": "Bye {{first_name}}"}, ("text",), "the footer has a variable"),
    (FOOTER, {"text": "Bye {{first_name"}, ("text",), "the footer has a variable"),
    (FOOTER, {"text": ""}, ("text",), "the footer has no text"),
    (BUTTONS, {"buttons": []}, ("buttons",), "buttons is missing"),
    (BUTTONS, {"buttons": [{"type": "QUICK_REPLY", "text": str(number)} for number in range(11)]}, ("buttons",), "11 buttons; Meta allows 10"),
]  # fmt: skip


@pytest.mark.parametrize(("component", "changes", "where", "text"), PARTS)
def test_of_a_component(component, changes, where, text):
    """Lengths, variables, examples."""
    template = named()
    template["components"][component] |= changes
    told = [(fault.where, fault.text) for fault in faults(template)]
    assert [(place, text in said) for place, said in told] == [(("components", component, *where), True)], told


QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
OTP = {"type": "OTP", "otp_type": "COPY_CODE"}
URL = {"type": "URL", "text": "Look", "url": "https://shop.example/"}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "4930901820"}
COPY = {"type": "COPY_CODE", "example": ["SAVE20"]}

# (the buttons, where it is told, a part of what is told)
ROWS = [
    ([QUICK, URL, QUICK | {"text": "No"}], (), "quick replies must stand together"),
    ([URL, URL | {"text": "Buy"}, URL | {"text": "Ask"}], (), "3 buttons of type URL; Meta allows 2"),
    ([PHONE, PHONE | {"text": "Ring"}], (), "2 buttons of type PHONE_NUMBER; Meta allows 1"),
    ([COPY, COPY], (), "2 buttons of type COPY_CODE; Meta allows 1"),
    ([QUICK | {"text": "x" * 26}], (0, "text"), "the button has 26 characters; Meta allows 25"),
    ([QUICK | {"text": ""}], (0, "text"), "the button has no text"),
    ([QUICK, QUICK | {"text": "{{first_name}}"}], (1, "text"), "the label of a button has a variable"),
    ([QUICK | {"text": "Order 1}}"}], (0, "text"), "the label of a button has a variable"),
    ([QUICK, QUICK], (1, "text"), "two buttons have the label 'Yes'"),
    ([QUICK, URL | {"text": "Yes "}], (1, "text"), "two buttons have the label 'Yes'"),
    ([QUICK | {"text": "Yes \U0001f44d"}], (0, "text"), "has an emoji; Meta allows none there (2388060)"),
    ([URL | {"text": "Track\nit"}], (0, "text"), "the label of a button has a line break"),
    ([PHONE | {"text": "*Call* us"}], (0, "text"), "has a sign of markup, *; Meta"),
    ([QUICK | {"text": "my_order"}], (0, "text"), "has a sign of markup, _; Meta"),
    ([QUICK | {"text": "~No"}], (0, "text"), "has a sign of markup, ~; Meta"),
    ([QUICK | {"text": "```Yes"}], (0, "text"), "has a sign of markup, ```; Meta"),
    ([{"type": "FLOW", "text": "Book"}], (0,), "a FLOW button needs one of flow_id, flow_name, flow_json"),
    ([{"type": "DANCE", "text": "x"}], (0, "type"), "button type 'DANCE'"),
    ([{"type": "OTP", "text": "x"}], (0, "type"), "belongs to a template of category AUTHENTICATION"),
    ([URL | {"url": "shop.example"}], (0, "url"), "begins with https://"),
    ([URL | {"url": "https://{{host}}/"}], (0, "url"), "begins with https://"),
    ([URL | {"url": "https://shop.example/" + "x" * 1980}], (0, "url"), "Meta allows 2000"),
    ([URL | {"url": "https://shop.example/a b"}], (0, "url"), "url has a blank in it: write %20"),
    ([URL | {"url": "https://shop.example/{{code}}"}], (0, "url"), "needs an example"),
    ([URL | {"url": "https://shop.example/{{code}}", "example": [""]}], (0, "url"), "needs an example"),
    ([URL | {"url": "https://shop.example/{{code}}/{{code}}", "example": ["x"]}], (0, "url"), "at its end"),
    ([URL | {"url": "https://shop.example/{{code}}/x", "example": ["https://shop.example/A/x"]}], (0, "url"), "at its end"),
    ([URL | {"url": "https://shop.example/{{1}}"}], (0, "url"), "needs an example"),
    ([URL | {"url": "https://shop.example/{{2}}", "example": ["x"]}], (0, "url"), "{{2}}: with parameter_format NAMED"),
    ([PHONE | {"phone_number": "call us"}], (0, "phone_number"), "digits with the country's code"),
    ([COPY | {"example": "x" * 21}], (0, "example"), "at most 20 characters"),
    ([{"type": "COPY_CODE"}], (0, "example"), "needs an example"),
]  # fmt: skip


@pytest.mark.parametrize(("buttons", "where", "text"), ROWS)
def test_of_buttons(buttons, where, text):
    """How many of which kind, in which order, and what each holds."""
    template = named()
    template["components"][BUTTONS]["buttons"] = buttons
    told = [(fault.where, fault.text) for fault in faults(template)]
    assert [(place, text in said) for place, said in told] == [(("components", BUTTONS, "buttons", *where), True)], told


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (positional("Hello {{1}}, your parcel is {{3}} now.", "a", "b", "c"), "the body's variables are {{1}}, {{3}}"),
        (positional("Hello to {{2}} there.", "a", "b"), "the body's variables are {{2}}"),
        (positional("Hello {{name}} there."), "{{name}}: with parameter_format POSITIONAL"),
        (
            positional("Hello {{1}}, your parcel is {{2}} now.", "a"),
            "variable {{2}} of the body has no example in body_text",
        ),
        (positional("Hello to {{1}} there."), "variable {{1}} of the body has no example in body_text"),
        (
            positional("Hello {{1}}, your parcel is {{2}} now.", "", "b"),
            "variable {{1}} of the body has no example in body_text",
        ),
        (positional("Hello to {{1}} there.", 1002), "{{1}} of the body has an example in body_text that is no text"),
        (positional("Hello {{01}} there.", "a"), "{{01}}: with parameter_format POSITIONAL"),
    ],
)
def test_of_positions(template, text):
    """They count from one, and each has its example."""
    (fault,) = faults(template)
    assert text in fault.text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (code(body={"type": "BODY", "text": "Your code"}), "the body of an AUTHENTICATION template is Meta's"),
        (code(body={"type": "BODY", "add_security_recommendation": "yes"}), "true or false"),
        (code(footer={"type": "FOOTER", "text": "Bye"}), "the footer of an AUTHENTICATION template is Meta's"),
        (code(footer={"type": "FOOTER", "code_expiration_minutes": 91}), "it is 1 to 90"),
        (code(footer={"type": "FOOTER"}), "code_expiration_minutes None: it is 1 to 90"),
        (code(footer={"type": "FOOTER", "code_expiration_minutes": None}), "it is 1 to 90"),
        (code(footer={"type": "FOOTER", "code_expiration_minutes": True}), "it is 1 to 90"),
        (code(buttons=None), "one button of type OTP"),
        (code(buttons={"type": "BUTTONS", "buttons": [URL]}), "one button of type OTP"),
        (code(buttons={"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "SMS"}]}), "otp_type 'SMS'"),
        (
            code(buttons={"type": "BUTTONS", "buttons": [OTP | {"text": "x" * 26}]}),
            "the button has 26 characters; Meta allows 25",
        ),
        (code(buttons={"type": "BUTTONS", "buttons": [OTP | {"text": " "}]}), "the button has no text"),
        (code(buttons={"type": "BUTTONS", "buttons": [OTP | {"text": "Copy *it*"}]}), "has a sign of markup, *"),
        (
            code(buttons={"type": "BUTTONS", "buttons": [ONE_TAP | {"supported_apps": [{}]}]}),
            "otp_type ONE_TAP needs supported_apps: a list with package_name and signature_hash of each app",
        ),
        (
            code(buttons={"type": "BUTTONS", "buttons": [ZERO_TAP | {"zero_tap_terms_accepted": "yes"}]}),
            "otp_type ZERO_TAP needs zero_tap_terms_accepted: true",
        ),
        (code(header={"type": "HEADER", "text": "x"}), "has no header"),
        ({**code(), "message_send_ttl_seconds": 901}, "for AUTHENTICATION it is 30 to 900"),
    ],
)
def test_of_codes(template, text):
    """Their text is Meta's own."""
    (fault,) = faults(template)
    assert text in fault.text


IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}}
PRODUCT = {"type": "HEADER", "format": "PRODUCT"}
CARD_TEXT = {"type": "BODY", "text": "Our very best now"}


def card(*buttons, header=IMAGE, more=()):
    """Return a card of a carousel."""
    return {"components": [header, *more, {"type": "BUTTONS", "buttons": list(buttons)}]}


def carousel(*cards, category="MARKETING", beside=()):
    """Return a template with a carousel."""
    components = [{"type": "BODY", "text": "New today:"}, {"type": "CAROUSEL", "cards": list(cards)}, *beside]
    return {"name": "new", "language": "en", "category": category, "components": components}


SPM = {"type": "SPM", "text": "View"}
FINE = card(QUICK, URL)


@pytest.mark.parametrize(
    ("template", "where", "text"),
    [
        (carousel(FINE), ("cards",), "the carousel has 1 cards; Meta wants 2 to 10"),
        (carousel(*[FINE] * 11), ("cards",), "the carousel has 11 cards"),
        (carousel(FINE, 5), ("cards",), "cards is missing or not a list"),
        (carousel(FINE, {}), ("cards", 1, "components"), "components is missing"),
        (carousel(FINE, {"components": [CARD_TEXT]}), ("cards", 1, "components"), "the card has no HEADER"),
        (carousel(FINE, {"components": [IMAGE, {"type": "FOOTER", "text": "x"}]}), ("cards", 1, "components", 1), "type 'FOOTER' on a card"),
        (carousel(FINE, {"components": [IMAGE, IMAGE]}), ("cards", 1, "components", 0), "2 components of type 'HEADER'"),
        (carousel(FINE, card(QUICK, URL, header={"type": "HEADER", "text": "x"})), ("cards", 1, "components", 0, "format"), "header format '' on a card"),
        (carousel(FINE, card(QUICK, URL, header=IMAGE | {"example": {}})), ("cards", 1, "components", 0, "example"), "needs an example"),
        (carousel(FINE, card(QUICK, URL, PHONE)), ("cards", 1, "components", 1, "buttons"), "3 buttons on a card with IMAGE; Meta allows 2"),
        (carousel(FINE, card(QUICK, COPY)), ("cards", 1, "components", 1, "buttons", 1, "type"), "button type COPY_CODE on a card with IMAGE"),
        (carousel(FINE, card(QUICK, URL | {"url": "x"})), ("cards", 1, "components", 1, "buttons", 1, "url"), "begins with https://"),
        (carousel(card(SPM, URL, header=PRODUCT), card(SPM, header=PRODUCT)), ("cards", 0, "components", 1, "buttons"), "2 buttons on a card with PRODUCT; Meta allows 1"),
        (carousel(FINE, card(QUICK, URL, more=[{"type": "BODY", "text": "x" * 161}])), ("cards", 1, "components", 1, "text"), "Meta allows 160"),
        (carousel(FINE, card(QUICK, URL, more=[CARD_TEXT])), ("cards", 1), "the card has a header with IMAGE, a body, QUICK_REPLY, URL, another one a header with IMAGE, QUICK_REPLY, URL"),
        (carousel(FINE, card(URL, QUICK)), ("cards", 1), "all need the same"),
    ],
)  # fmt: skip
def test_of_a_carousel(template, where, text):
    """Two to ten cards, all made of the same parts, each of which is lawful."""
    told = [(fault.where, fault.text) for fault in faults(template)]
    assert [(place, text in said) for place, said in told] == [(("components", 1, *where), True)], told


def offer(
    *, header=IMAGE, body="Only today at our shop", buttons=(COPY, URL), category="MARKETING", beside=(), **changes
):
    """Return a template with a limited-time offer."""
    promise = {"text": "Soon over", "has_expiration": True} | changes
    components = [
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": promise},
        header,
        {"type": "BODY", "text": body},
        {"type": "BUTTONS", "buttons": list(buttons)},
        *beside,
    ]
    return {"name": "sale", "language": "en", "category": category, "components": components}


@pytest.mark.parametrize(
    ("template", "where", "text"),
    [
        (offer(text="x" * 17), ("components", 0, "limited_time_offer", "text"), "the offer has 17 characters; Meta allows 16"),
        (offer(text=""), ("components", 0, "limited_time_offer", "text"), "the offer has no text"),
        (offer(text="Until {{1}}"), ("components", 0, "limited_time_offer", "text"), "the offer has a variable"),
        (offer(has_expiration="yes"), ("components", 0, "limited_time_offer", "has_expiration"), "true or false"),
        (offer(header={"type": "HEADER", "format": "TEXT", "text": "Sale"}), ("components", 1), "header format 'TEXT' beside a LIMITED_TIME_OFFER"),
        (offer(body="x" * 601), ("components", 2, "text"), "the body has 601 characters; beside a LIMITED_TIME_OFFER Meta allows 600"),
        (offer(buttons=[URL, COPY]), ("components", 3, "buttons"), "the COPY_CODE button is the first one"),
        (offer(beside=[{"type": "FOOTER", "text": "Bye"}]), ("components", 4), "there is no FOOTER"),
        (offer(category="UTILITY"), ("category",), "a template with LIMITED_TIME_OFFER is of category MARKETING"),
        (carousel(FINE, FINE, category="UTILITY"), ("category",), "a template with CAROUSEL is of category MARKETING"),
        (carousel(FINE, FINE, beside=[{"type": "FOOTER", "text": "Bye"}]), ("components", 2), "beside a CAROUSEL there is only a BODY, no FOOTER"),
    ],
)  # fmt: skip
def test_of_offers_and_what_stands_beside(template, where, text):
    """They are marketing's, and have few neighbours."""
    (fault,) = faults(template)
    assert (fault.where, text in fault.text) == (where, True), fault.text


@pytest.mark.parametrize(
    "template",
    [
        offer(),
        offer(buttons=[URL], has_expiration=False),
        carousel(FINE, FINE),
        carousel(*[card(SPM, header=PRODUCT)] * 10),
        carousel(*[card(PHONE, header=IMAGE | {"format": "video"}, more=[CARD_TEXT])] * 2),
    ],
)
def test_lawful_promotions(template):
    """Nothing is wrong with them."""
    assert faults(template) == []


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], {"x": 1}, [None], True, [{"components": [{"type": 5}]}]])
@pytest.mark.parametrize("key", ["cards", "limited_time_offer", "type"])
def test_nothing_raises_in_promotions(key, value):
    """Whatever stands there."""
    for template, position in ((carousel(FINE, FINE), 1), (offer(), 0), (offer(), 3)):
        changed = copy.deepcopy(template)
        changed["components"][position][key] = value
        faults(changed)


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], {"x": 1}, [None], {"type": None}, True])
@pytest.mark.parametrize(
    "key", ["name", "language", "category", "parameter_format", "components", "message_send_ttl_seconds"]
)
def test_nothing_raises(key, value):
    """Whatever stands in a file."""
    faults(named(**{key: value}))


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], {"x": 1}, [None], [{"type": None}], True])
@pytest.mark.parametrize("key", ["text", "example", "buttons", "format", "type"])
@pytest.mark.parametrize("component", [BODY, HEADER, FOOTER, BUTTONS])
def test_nothing_raises_in_a_component(component, key, value):
    """Nor there."""
    template = named()
    template["components"][component][key] = value
    faults(template)
    faults({**template, "category": "AUTHENTICATION"})


VALIDATOR = jsonschema.Draft7Validator(schema())
ROOT = Path(__file__).parents[2]

# What is told of cases that a schema cannot tell: how parts, variables, examples and numbers go together.
BEYOND = (
    "2 components of type",
    "has no example",
    "that is no text",
    "words, write at least",
    "with parameter_format",
    "braces do not match",
    "the body's variables are",
    "must stand together",
    "has an emoji",
    "two buttons have the label",
    "buttons of type",
    "buttons on a card with PRODUCT",
    "all need the same",
    "the card has a header with IMAGE, a body",
    "beside a LIMITED_TIME_OFFER Meta allows 600",
    "the COPY_CODE button is the first one",
    "header format 'TEXT' beside a LIMITED_TIME_OFFER",
)


def part_changed(component, changes):
    """Return a template with one component changed."""
    template = named()
    template["components"][component] |= changes
    return template


def of_buttons(buttons):
    """Return a template with these buttons."""
    return part_changed(BUTTONS, {"buttons": buttons})


def cases_of(test):
    """Return the rows of a table of cases."""
    (mark,) = [mark for mark in test.pytestmark if mark.name == "parametrize"]
    return mark.args[1]


LAWFUL = [*cases_of(test_lawful_templates), *cases_of(test_lawful_promotions)]
BROKEN = [
    *((named(**changes), text) for changes, _, text in TOP),
    *((part_changed(component, changes), text) for component, changes, _, text in PARTS),
    *((of_buttons(buttons), text) for buttons, _, text in ROWS),
    *cases_of(test_of_positions),
    *cases_of(test_of_codes),
    *((template, text) for template, _, text in cases_of(test_of_a_carousel)),
    *((template, text) for template, _, text in cases_of(test_of_offers_and_what_stands_beside)),
]


def catalogue(template):
    """Return a catalogue with one template."""
    return {"whatsapp_templates": [template]}


def test_it_is_a_schema():
    """Of draft 7, and printed as it is."""
    jsonschema.Draft7Validator.check_schema(schema())
    assert json.loads(CliRunner().invoke(main, ["templates", "schema"]).output) == schema()


@pytest.mark.parametrize("template", LAWFUL)
def test_lawful_templates_pass(template):
    """An editor marks nothing."""
    assert [error.message for error in VALIDATOR.iter_errors(catalogue(template))] == []


@pytest.mark.parametrize(("template", "text"), BROKEN)
def test_broken_templates_fail(template, text):
    """An editor marks what a schema can tell, and nothing else of it."""
    assert VALIDATOR.is_valid(catalogue(template)) is any(beyond in text for beyond in BEYOND), text


@pytest.mark.parametrize("content", [{}, {"whatsapp_templates": {}}, [], {"whatsapp_templates": ["news"]}])
def test_no_catalogue(content):
    """The list has its key."""
    assert not VALIDATOR.is_valid(content)


def test_the_example_bots_catalogue_passes():
    """An editor marks nothing in it."""
    content = yaml_files.load(ROOT / "data/whatsapp_templates.yml")
    assert [error.message for error in VALIDATOR.iter_errors(content)] == []
