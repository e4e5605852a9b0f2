"""Every kind of parameter of fact sheet 6.1: how a response spells it, and the component that Meta gets for it."""

from __future__ import annotations

import json

import pytest

from rasa_whatsapp.cloud.templates import TemplateUnusable, TemplateUse, fill, misfits, read_translation
from rasa_whatsapp.cloud.templates.spelling import read_use, use_from_json
from rasa_whatsapp.errors import DraftImpossible

POSITIONAL, NAMED = "POSITIONAL", "NAMED"


def translation(*components, form=POSITIONAL, category="MARKETING", body="Look."):
    """Return a translation with these components and a body."""
    parts = [{"type": "BODY", "text": body}, *components]
    return read_translation(
        {"name": "t", "language": "en", "category": category, "parameter_format": form, "components": parts}
    )


def header(kind, **more):
    """Return a header of this format."""
    return {"type": "HEADER", "format": kind, **more}


def buttons(*kinds):
    """Return a row of buttons: their types, or whole ones."""
    return {"type": "BUTTONS", "buttons": [kind if isinstance(kind, dict) else {"type": kind} for kind in kinds]}


def sent(template, **given):
    """Return the components that a response's `custom.template` leads to, read and stored as on the way out."""
    use = read_use({"name": "t", **given}, "custom.template")
    assert use_from_json(json.loads(json.dumps(use.to_json()))) == use
    return fill(template, use).content.get("components", [])


def button(sub_type, index, parameter):
    """Return the component of one button."""
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}


IMAGE, VIDEO, DOCUMENT = header("IMAGE"), header("VIDEO"), header("document")
SHOP = {"type": "URL", "text": "Order", "url": "https://shop.example/o/{{1}}"}
STATIC = {"type": "URL", "text": "Shop", "url": "https://shop.example/"}
PLACE = {"latitude": "52.52", "longitude": "13.4", "name": "Shop", "address": "Linden 1, Berlin"}
SECTIONS = [{"title": "Cups", "products": ["c-1", "c-2"]}, {"title": "Plates", "products": ["p-1"]}]
MEDIA = [
    pytest.param(kind, {kind.lower(): given}, {"type": kind.lower(), kind.lower(): goes}, id=f"{kind} {name}")
    for kind, name, given, goes in (
        ("IMAGE", "by link", {"link": "https://shop.example/a.png"}, {"link": "https://shop.example/a.png"}),
        ("IMAGE", "by id", {"id": 555}, {"id": "555"}),
        ("VIDEO", "by link", {"link": "https://shop.example/a.mp4"}, {"link": "https://shop.example/a.mp4"}),
        ("VIDEO", "by id", {"id": "556"}, {"id": "556"}),
        ("DOCUMENT", "by link", {"link": "https://shop.example/a.pdf"}, {"link": "https://shop.example/a.pdf"}),
        ("DOCUMENT", "by id, with a name", {"id": "7", "filename": "Bill.pdf"}, {"id": "7", "filename": "Bill.pdf"}),
        ("LOCATION", "", PLACE, PLACE),
        (
            "PRODUCT", "", {"product_retailer_id": "c-1", "catalog_id": 19}, {"product_retailer_id": "c-1", "catalog_id": "19"},
        ),
    )
]  # fmt: skip


@pytest.mark.parametrize("form", [POSITIONAL, NAMED])
@pytest.mark.parametrize(("kind", "given", "parameter"), MEDIA)
def test_headers(kind, given, parameter, form):
    """A file, a place or a product is no variable: it has no name in either form."""
    expected = [{"type": "header", "parameters": [parameter]}]
    assert sent(translation(header(kind), form=form), header=given) == expected


@pytest.mark.parametrize(
    ("form", "text", "given", "parameter"),
    [
        (POSITIONAL, "Order {{1}}", {"parameters": {1: "A"}}, {"type": "text", "text": "A"}),
        (POSITIONAL, "Order {{1}}", {"parameters": ["A"]}, {"type": "text", "text": "A"}),
        (POSITIONAL, "Order {{1}}", {"header": {"text": "A"}}, {"type": "text", "text": "A"}),
        (NAMED, "Order {{no}}", {"parameters": {"no": 7}}, {"type": "text", "text": "7", "parameter_name": "no"}),
        (NAMED, "Order {{no}}", {"header": {"text": "A"}}, {"type": "text", "text": "A", "parameter_name": "no"}),
    ],
)
def test_text_headers(form, text, given, parameter):
    """The value stands in `header.text`, or among the parameters."""
    expected = [{"type": "header", "parameters": [parameter]}]
    assert sent(translation(header("TEXT", text=text), form=form), **given) == expected


def test_a_counted_header_has_a_value_of_its_own():
    """`{{1}}` of the header and `{{1}}` of the body are two variables for Meta."""
    found = sent(
        translation(header("TEXT", text="For {{1}}"), body="Order {{1}}."), header={"text": "Lea"}, parameters=["A-1"]
    )
    assert found == [
        {"type": "header", "parameters": [{"type": "text", "text": "Lea"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "A-1"}]},
    ]


CURRENCY = {"currency": {"fallback_value": "10 €", "code": "EUR", "amount_1000": 10000}}
DATE = {"date_time": {"fallback_value": "24 Dec"}}


@pytest.mark.parametrize(
    ("form", "body", "given", "parameters"),
    [
        pytest.param(
            POSITIONAL, "{{2}} of {{1}}", ["a", "b"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], id="texts",
        ),
        pytest.param(
            NAMED, "{{b}} of {{a}}", {"a": "x", "b": "y"},
            [{"type": "text", "text": "y", "parameter_name": "b"}, {"type": "text", "text": "x", "parameter_name": "a"}],
            id="texts with names",
        ),
        pytest.param(
            POSITIONAL, "{{1}} until {{2}}", [CURRENCY, DATE],
            [
                {"type": "currency", "currency": {"fallback_value": "10 €", "code": "EUR", "amount_1000": 10000}},
                {"type": "date_time", "date_time": {"fallback_value": "24 Dec"}},
            ],
            id="amount and date",
        ),
        pytest.param(
            NAMED, "{{sum}} until {{day}}", {"sum": CURRENCY, "day": DATE},
            [
                {
                    "type": "currency", "parameter_name": "sum",
                    "currency": {"fallback_value": "10 €", "code": "EUR", "amount_1000": 10000},
                },
                {"type": "date_time", "date_time": {"fallback_value": "24 Dec"}, "parameter_name": "day"},
            ],
            id="amount and date with names",
        ),
    ],
)  # fmt: skip
def test_body(form, body, given, parameters):
    """Positional ones go in the order of their numbers, named ones carry their names."""
    assert sent(translation(form=form, body=body), parameters=given) == [{"type": "body", "parameters": parameters}]


PAYLOAD = {"type": "payload", "payload": '/order{"no":"1"}'}
BUTTONS = [
    pytest.param(
        ["QUICK_REPLY"], [{"payload": '/order{"no":"1"}'}], [button("quick_reply", "0", PAYLOAD)], id="payload"
    ),
    pytest.param(["PHONE_NUMBER", STATIC, "VOICE_CALL", "SPM"], [], [], id="what takes nothing"),
    pytest.param(["QUICK_REPLY", "QUICK_REPLY"], [], [], id="payloads may be left out"),
    pytest.param(
        [STATIC, SHOP], [{"suffix": "A-17"}], [button("url", "1", {"type": "text", "text": "A-17"})], id="suffix"
    ),
    pytest.param(
        [SHOP],
        [{"suffix": "A 17\n"}],
        [button("url", "0", {"type": "text", "text": "A%2017"})],
        id="suffix with a blank",
    ),
    pytest.param(
        [SHOP, SHOP],
        [{"suffix": "a"}, {"suffix": "b"}],
        [button("url", "0", {"type": "text", "text": "a"}), button("url", "1", {"type": "text", "text": "b"})],
        id="two suffixes",
    ),
    pytest.param(
        ["COPY_CODE"],
        [{"code": "SPRING25"}],
        [button("copy_code", "0", {"type": "coupon_code", "coupon_code": "SPRING25"})],
        id="code",
    ),
    pytest.param(
        ["FLOW"],
        [{"flow": {"token": "t-1", "data": {"no": 7, "lines": ["a"]}}}],
        [
            button(
                "flow",
                "0",
                {"type": "action", "action": {"flow_token": "t-1", "flow_action_data": {"no": 7, "lines": ["a"]}}},
            )
        ],
        id="flow",
    ),
    pytest.param(
        ["FLOW"], [], [button("flow", "0", {"type": "action", "action": {"flow_token": "unused"}})], id="flow by itself"
    ),
    pytest.param(
        ["CATALOG"],
        [{"thumbnail": "c-1"}],
        [button("catalog", "0", {"type": "action", "action": {"thumbnail_product_retailer_id": "c-1"}})],
        id="catalog",
    ),
    pytest.param(["CATALOG"], [], [], id="catalog by itself"),
    pytest.param(
        ["MPM"],
        [{"thumbnail": "c-1", "sections": SECTIONS}],
        [
            button(
                "mpm",
                "0",
                {
                    "type": "action",
                    "action": {
                        "thumbnail_product_retailer_id": "c-1",
                        "sections": [
                            {
                                "title": "Cups",
                                "product_items": [{"product_retailer_id": "c-1"}, {"product_retailer_id": "c-2"}],
                            },
                            {"title": "Plates", "product_items": [{"product_retailer_id": "p-1"}]},
                        ],
                    },
                },
            )
        ],
        id="several products",
    ),
    pytest.param(
        [SHOP, "COPY_CODE", "QUICK_REPLY", "QUICK_REPLY"],
        [{"payload": "/a"}, {"code": "X"}, {"payload": "/b"}, {"suffix": "s"}],
        [
            button("url", "0", {"type": "text", "text": "s"}),
            button("copy_code", "1", {"type": "coupon_code", "coupon_code": "X"}),
            button("quick_reply", "2", {"type": "payload", "payload": "/a"}),
            button("quick_reply", "3", {"type": "payload", "payload": "/b"}),
        ],
        id="each to its kind",
    ),
]


@pytest.mark.parametrize("form", [POSITIONAL, NAMED])
@pytest.mark.parametrize(("kinds", "given", "expected"), BUTTONS)
def test_buttons(kinds, given, expected, form):
    """A value of a button has no name in either form; the index counts over all buttons."""
    assert sent(translation(buttons(*kinds), form=form), buttons=given) == expected


OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon over", "has_expiration": True}}


@pytest.mark.parametrize(
    ("expires_at", "milliseconds"),
    [
        ("2026-12-24T18:00:00+01:00", 1798131600000),
        ("2026-12-24T17:00:00Z", 1798131600000),
        ("2026-12-24 17:00+00:00", 1798131600000),
    ],
)
def test_limited_time_offer(expires_at, milliseconds):
    """The end of the offer is a moment with a time zone; it comes after the body."""
    found = sent(
        translation(OFFER, buttons("COPY_CODE"), body="{{1}} off"),
        parameters=["25 %"],
        limited_time_offer={"expires_at": expires_at},
        buttons=[{"code": "X"}],
    )
    assert [part["type"] for part in found] == ["body", "limited_time_offer", "button"]
    assert found[1]["parameters"] == [
        {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": milliseconds}}
    ]


def carousel(*cards):
    """Return a carousel, each card given by its components."""
    return {"type": "CAROUSEL", "cards": [{"components": list(parts)} for parts in cards]}


def test_carousel_of_files():
    """Each card is filled like a template of its own."""
    card = [IMAGE, {"type": "BODY", "text": "{{1}} now"}, buttons("QUICK_REPLY", SHOP)]
    given = [
        {
            "header": {"image": {"id": "1"}},
            "parameters": ["Cups"],
            "buttons": [{"suffix": "c"}, {"payload": "/more"}],
        },
        {
            "header": {"image": {"link": "https://shop.example/p.png"}},
            "parameters": {1: "Plates"},
            "buttons": [{"suffix": "p"}],
        },
    ]
    assert sent(translation(carousel(card, card)), cards=given) == [
        {
            "type": "carousel",
            "cards": [
                {
                    "card_index": 0,
                    "components": [
                        {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]},
                        {"type": "body", "parameters": [{"type": "text", "text": "Cups"}]},
                        button("quick_reply", "0", {"type": "payload", "payload": "/more"}),
                        button("url", "1", {"type": "text", "text": "c"}),
                    ],
                },
                {
                    "card_index": 1,
                    "components": [
                        {
                            "type": "header",
                            "parameters": [{"type": "image", "image": {"link": "https://shop.example/p.png"}}],
                        },
                        {"type": "body", "parameters": [{"type": "text", "text": "Plates"}]},
                        button("url", "1", {"type": "text", "text": "p"}),
                    ],
                },
            ],
        }
    ]


def test_carousel_of_files_with_names():
    """In the named form the texts of the cards have names, too."""
    card = [VIDEO, {"type": "BODY", "text": "{{what}} now"}]
    given = [{"header": {"video": {"id": str(number)}}, "parameters": {"what": "Cups"}} for number in (1, 2)]
    found = sent(translation(carousel(card, card), form=NAMED), cards=given)
    assert [part["components"][1]["parameters"] for part in found[0]["cards"]] == [
        [{"type": "text", "text": "Cups", "parameter_name": "what"}]
    ] * 2


def test_carousel_of_products():
    """Approved with two cards, it may be sent with two to ten."""
    card = [header("product"), buttons("spm")]
    given = [{"header": {"product": {"product_retailer_id": sku, "catalog_id": "19"}}} for sku in ("c-1", "c-2", "c-3")]
    found = sent(translation(carousel(card, card)), cards=given)
    assert [(card["card_index"], card["components"]) for card in found[0]["cards"]] == [
        (
            index,
            [
                {
                    "type": "header",
                    "parameters": [{"type": "product", "product": {"product_retailer_id": sku, "catalog_id": "19"}}],
                }
            ],
        )
        for index, sku in ((0, "c-1"), (1, "c-2"), (2, "c-3"))
    ]


OTP = buttons({"type": "OTP", "otp_type": "COPY_CODE"})
CODE = [
    {"type": "body", "parameters": [{"type": "text", "text": "482913"}]},
    button("url", "0", {"type": "text", "text": "482913"}),
]


@pytest.mark.parametrize("code", ["482913", 482913])
def test_authentication_as_declared(code):
    """The body's text is Meta's; the code goes twice."""
    declared = [{"type": "BODY", "add_security_recommendation": True}, {"type": "FOOTER"}, OTP]
    template = read_translation({"name": "t", "language": "en", "category": "AUTHENTICATION", "components": declared})
    assert sent(template, code=code) == CODE


@pytest.mark.parametrize("given", [{"code": "482913"}, {"parameters": {1: "482913"}}])
def test_authentication_as_meta_lists_it(given):
    """Meta gives the text, and a URL button, back when it is asked for the template."""
    listed = buttons({"type": "URL", "text": "Copy", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}"})
    assert sent(translation(listed, category="AUTHENTICATION", body="*{{1}}* is your code."), **given) == CODE


LONG = "x" * 1000
REFUSALS = {
    "an unfilled slot": (
        translation(body="Order {{1}}."), {"parameters": ["{order_id}"]}, "parameter '1' has no value: slot 'order_id' is not filled",
    ),
    "an empty slot": (translation(body="Order {{1}}."), {"parameters": ["None"]}, "parameter '1' has no value: its slot is empty"),
    "no value": (
        translation(body="Order {{1}}."), {}, "parameter '1' has no value: give it a text, or a slot that is filled",
    ),
    "all of them at once": (
        translation(body="{{1}} and {{2}}"),
        {"parameters": ["None", "{b}"]},
        "parameter '1' has no value: its slot is empty; parameter '2' has no value: slot 'b' is not filled",
    ),
    "no header": (translation(IMAGE), {}, "its header is an image: give header: {image: ...}"),
    "another header": (
        translation(IMAGE), {"header": {"video": {"id": "1"}}}, "its header is an image; the response gives a video",
    ),
    "a header for none": (
        translation(), {"header": {"image": {"id": "1"}}}, "its header is none; the response gives an image",
    ),
    "a text for a fixed header": (
        translation(header("TEXT", text="Hi")), {"header": {"text": "x"}}, "its header has no variable",
    ),
    "a header of another API": (
        translation(header("GIF")), {"header": {"image": {"id": "1"}}}, "its header is a gif, which cannot be sent in a message of this API",
    ),
    "no link": (
        translation(IMAGE), {"header": {"image": {"link": "a.png"}}},
        "header.image.link is no link: it must begin with http:// or https:// and have no blanks",
    ),
    "a link in an empty slot": (
        translation(IMAGE), {"header": {"image": {"link": "{photo}"}}}, "header.image.link has no value: slot 'photo' is not filled",
    ),
    "a place without address": (
        translation(header("LOCATION")), {"header": {"location": {**PLACE, "address": None}}},
        "header.location.address has no value: give it a text, or a slot that is filled",
    ),
    "a place nowhere": (
        translation(header("LOCATION")), {"header": {"location": {**PLACE, "latitude": 91}}},
        "header.location.latitude is not between -90 and 90",
    ),
    "a long header": (
        translation(header("TEXT", text="Order {{1}}")), {"header": {"text": "x" * 55}},
        "its header has 61 characters once filled; Meta allows 60. Shorten a parameter",
    ),
    "a long body": (
        translation(body="{{1}}" + "y" * 25), {"parameters": [LONG]},
        "its body has 1025 characters once filled; Meta allows 1024. Shorten a parameter",
    ),
    "a long address": (
        translation(buttons(SHOP)), {"buttons": [{"suffix": "x" * 1978}]},
        "its address has 2001 characters once filled; Meta allows 2000. Shorten a parameter",
    ),
    "no suffix": (
        translation(buttons(SHOP)), {}, "its URL button with a variable has no value: give buttons an entry with suffix",
    ),
    "a suffix in an empty slot": (
        translation(buttons(SHOP)), {"buttons": [{"suffix": "None"}]}, "buttons[0].suffix has no value: its slot is empty",
    ),
    "a suffix for a fixed address": (
        translation(buttons(STATIC)), {"buttons": [{"suffix": "x"}]},
        "it has 0 URL buttons with a variable; the response fills 1",
    ),
    "a long code": (
        translation(buttons("COPY_CODE")), {"buttons": [{"code": "x" * 21}]}, "buttons[0].code has 21 characters; Meta allows 20",
    ),
    "no code": (
        translation(buttons("COPY_CODE")), {}, "its button that copies a code has no value: give buttons an entry with code",
    ),
    "a long payload": (
        translation(buttons("QUICK_REPLY")), {"payloads": ["x" * 129]}, "payloads has 129 characters; Meta allows 128",
    ),
    "an unfilled slot in a payload": (
        translation(buttons("QUICK_REPLY")), {"payloads": ['/a{{"b": 1, "no":"{no}"}}']}, "payloads has no value: slot 'no' is not filled",
    ),
    "no products": (
        translation(buttons("MPM")), {}, "its multi-product button has no value: give buttons an entry with sections",
    ),
    "an empty section": (
        translation(buttons("MPM")), {"buttons": [{"thumbnail": "a", "sections": [{"title": "b"}]}]},
        "buttons[0].sections: each section needs a product, and Meta allows 30 in all; these have 0",
    ),
    "a long title": (
        translation(buttons("MPM")),
        {"buttons": [{"thumbnail": "a", "sections": [{"title": "x" * 25, "products": ["a"]}]}]},
        "buttons[0].sections[0].title has 25 characters; Meta allows 24",
    ),
    "an unfilled slot in a form's data": (
        translation(buttons("FLOW")), {"buttons": [{"flow": {"data": {"a": [{"b": "{no}"}], "c": "None", "d": "{}", "e": 1}}}]},
        "buttons[0].flow.data.a[0].b has no value: slot 'no' is not filled; buttons[0].flow.data.c has no value: its slot is empty",
    ),
    "no end of the offer": (translation(OFFER), {}, "its offer counts down: give limited_time_offer.expires_at"),
    "an end without a time zone": (
        translation(OFFER), {"limited_time_offer": {"expires_at": "2026-12-24T18:00:00"}},
        "limited_time_offer.expires_at is no moment with a time zone, such as 2026-12-24T18:00:00+01:00",
    ),
    "an end that is no moment": (
        translation(OFFER), {"limited_time_offer": {"expires_at": "Christmas"}},
        "limited_time_offer.expires_at is no moment with a time zone, such as 2026-12-24T18:00:00+01:00",
    ),
    "no offer": (
        translation(), {"limited_time_offer": {"expires_at": "2026-12-24T18:00:00Z"}}, "it has no limited-time offer",
    ),
    "an amount that is none": (
        translation(body="{{1}} off"),
        {"parameters": [{"currency": {"fallback_value": "10 €", "code": "EUR", "amount_1000": "ten"}}]},
        "parameters.1.currency.amount_1000 is no whole number",
    ),
    "a card too few": (
        translation(carousel([IMAGE], [IMAGE])), {"cards": [{"header": {"image": {"id": "1"}}}]}, "it has 2 cards; the response gives 1",
    ),
    "cards for none": (translation(), {"cards": [{}, {}]}, "it has 0 cards; the response gives 2"),
    "a card's parameter": (
        translation(carousel([{"type": "BODY", "text": "{{1}} x"}])), {"cards": [{"parameters": ["{a}"]}]},
        "parameter '1' of cards[0] has no value: slot 'a' is not filled",
    ),
    "a long card": (
        translation(carousel([{"type": "BODY", "text": "{{1}} x"}])), {"cards": [{"parameters": ["x" * 159]}]},
        "its body has 161 characters once filled; Meta allows 160. Shorten a parameter",
    ),
    "a code for another category": (
        translation(), {"code": "1"}, "code belongs to a template of category AUTHENTICATION; a button that copies one is {code: ...}",
    ),
    "no code to log in with": (
        translation(OTP, category="AUTHENTICATION"), {}, "code has no value: give it a text, or a slot that is filled",
    ),
    "a long code to log in with": (
        translation(OTP, category="AUTHENTICATION"), {"code": "1" * 16}, "code has 16 characters; Meta allows 15",
    ),
    "more than a code": (
        translation(OTP, category="AUTHENTICATION"), {"code": "1", "payloads": ["/a"]},
        "a template of category AUTHENTICATION takes a code and nothing else",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("template", "given", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(template, given, reason):
    """What Meta would refuse is refused before, by template, place and slot."""
    with pytest.raises(TemplateUnusable) as refused:
        sent(template, **given)
    assert str(refused.value) == f"template 't': {reason}"


def test_the_longest_that_fit():
    """Each limit is still allowed itself, counted in UTF-16 units."""
    template = translation(
        header("TEXT", text="Order {{1}}"), buttons(SHOP, "COPY_CODE", "QUICK_REPLY"), body="{{1}}yy"
    )
    found = sent(
        template,
        header={"text": "🙂" * 27},
        parameters=["x" * 1022],
        buttons=[{"suffix": "x" * 1977}, {"code": "c" * 20}, {"payload": "p" * 128}],
    )
    assert len(found) == 5
    assert sent(translation(OTP, category="AUTHENTICATION"), code="1" * 15)


@pytest.mark.parametrize(
    ("template", "given"),
    [
        (translation(body="Order {{1}}."), {"parameters": ["{order_id}"]}),
        (translation(body="{{1}}" + "y" * 1020), {"parameters": ["{order_id}"]}),
        (translation(IMAGE), {"header": {"image": {"link": "{photo}"}}}),
        (translation(header("LOCATION")), {"header": {"location": {**PLACE, "latitude": "{lat}"}}}),
        (translation(OFFER), {"limited_time_offer": {"expires_at": "{end}"}}),
        (translation(buttons(SHOP)), {"buttons": [{"suffix": "{no}"}]}),
        (translation(buttons("FLOW")), {"buttons": [{"flow": {"token": "{t}", "data": {"no": "{no}"}}}]}),
        (translation(buttons("QUICK_REPLY")), {"buttons": [{"payload": '/a{{"no":"{no}"}}' + "x" * 128}]}),
        (translation(OTP, category="AUTHENTICATION"), {"code": "{code}"}),
    ],
)
def test_slots_of_a_domain_pass_for_right_values(template, given):
    """Before they are filled, only what no value can mend is a misfit."""
    assert misfits(template, read_use({"name": "t", **given}, "custom.template")) == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"header": "x"}, "custom.template.header is a text, not a mapping"),
        ({"header": {}}, "custom.template.header needs one of text, image, video, document, location, product"),
        ({"header": {"picture": {}}}, "custom.template.header.picture is not known; expected text, image,"),
        ({"header": {"image": "x"}}, "custom.template.header.image is a text, not a mapping with id, link"),
        (
            {"header": {"image": {"id": "1", "link": "x"}}},
            "custom.template.header.image needs either a link or the id of an uploaded file",
        ),
        ({"header": {"image": {}}}, "custom.template.header.image needs either a link or the id"),
        ({"header": {"image": {"id": "1", "filename": "x"}}}, "custom.template.header.image.filename is not known"),
        ({"header": {"text": ["x"]}}, "custom.template.header.text is a list, not a text"),
        ({"parameters": {"a": True}}, "custom.template.parameters.a is true or false, not a text"),
        ({"parameters": {"a": ["x"]}}, "custom.template.parameters.a is a list, not a text"),
        ({"parameters": {"a": {"price": 1}}}, "custom.template.parameters.a is neither a text nor one mapping under"),
        ({"buttons": ["x"]}, "custom.template.buttons[0] is a text, not a mapping"),
        ({"buttons": [{"suffx": "x"}]}, "custom.template.buttons[0].suffx is not known; expected payload,"),
        ({"buttons": [{"suffix": "x", "code": "y"}]}, "custom.template.buttons[0] needs one of payload,"),
        ({"buttons": [{"flow": "x"}]}, "custom.template.buttons[0].flow is a text, not a mapping with token or data"),
        ({"buttons": [{"payload": "/a"}], "payloads": ["/b"]}, "custom.template.payloads is the short form of buttons"),
        ({"cards": [{"name": "x"}]}, "custom.template.cards[0].name is not known; expected parameters,"),
        ({"cards": ["x"]}, "custom.template.cards[0] is a text, not a mapping"),
        (
            {"limited_time_offer": {"end": 1}},
            "custom.template.limited_time_offer.end is not known; expected expires_at",
        ),
        ({"language": ["en"]}, "custom.template.language is a list, not a text"),
    ],
)
def test_misspelt(given, problem):
    """What stands in the wrong place is told by its place."""
    with pytest.raises(DraftImpossible) as refused:
        read_use({"name": "t", **given}, "custom.template")
    assert str(refused.value).startswith(problem)


def test_several_templates():
    """A list is tried in order; each is spelled as one alone, and all of their taps mean what they bring back."""
    written = [{"name": "a", "language": "de", "payloads": ["/x"]}, {"name": "b", "buttons": [{"payload": "/y"}]}]
    use = read_use(written, "custom.template", "pt-BR")
    assert [(each.name, each.languages) for each in use.in_order] == [("a", ("de", "pt-BR")), ("b", ("pt-BR",))]
    assert use.choices == {"/x": "/x", "/y": "/y"}
    assert use_from_json(json.loads(json.dumps(use.to_json()))) == use


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ([], "custom.template is an empty list"),
        (["a"], "custom.template[0] needs a name"),
        ([{"name": "a"}, {"name": "b", "params": {}}], "custom.template[1].params is not known"),
    ],
)
def test_misspelt_lists(written, problem):
    """The place in the list is told."""
    with pytest.raises(DraftImpossible) as refused:
        read_use(written, "custom.template")
    assert str(refused.value).startswith(problem)


def test_what_an_earlier_version_stored():
    """Messages that wait while the channel is upgraded are sent, too."""
    stored = {"name": "t", "language": None, "parameters": {"a": "x"}, "payloads": ["/a"]}
    assert use_from_json(stored) == TemplateUse(name="t", parameters={"a": "x"}, payloads=("/a",))
