"""Every message object of the Cloud API is known with its limits; what Meta would refuse is named by its field."""

from __future__ import annotations

import copy
from datetime import date

import pytest

from rasa_whatsapp.cloud.objects import KINDS, check

LINK = "https://shop.example/a.png"


def interactive(kind, action, **parts):
    """Return an interactive message with a body, unless `parts` say otherwise (None leaves a part out)."""
    filled = {"type": kind, "body": {"text": "Hello"}, "action": action, **parts}
    return {"type": "interactive", "interactive": {key: part for key, part in filled.items() if part is not None}}


def reply(choice_id, title):
    """Return a reply button."""
    return {"type": "reply", "reply": {"id": choice_id, "title": title}}


def rows(count, first=1):
    """Return rows of a list."""
    return [{"id": f"row-{number}", "title": f"Row {number}"} for number in range(first, first + count)]


def card(index, action=None, **parts):
    """Return a card of a carousel with an image and a button that opens an address."""
    opens = {"name": "cta_url", "parameters": {"display_text": "Buy", "url": "https://shop.example/buy"}}
    header = {"type": "image", "image": {"link": LINK}}
    return {"card_index": index, "type": "cta_url", "header": header, "action": action or opens, **parts}


def quick(*titles):
    """Return the quick replies of a card."""
    return {"buttons": [{"type": "quick_reply", "quick_reply": {"id": f"id {t}", "title": t}} for t in titles]}


def product_card(index, catalog="1"):
    """Return a product as a card."""
    return {
        "card_index": index,
        "type": "product",
        "action": {"product_retailer_id": f"p{index}", "catalog_id": catalog},
    }


BUTTONS = interactive("button", {"buttons": [reply("y", "Yes"), reply("n", "No")]})
LIST = interactive("list", {"button": "Choose", "sections": [{"title": "All", "rows": rows(10)}]})
FLOW = interactive(
    "flow",
    {
        "name": "flow",
        "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book", "flow_action": "navigate"},
    },
)
CAROUSEL = interactive("carousel", {"cards": [card(0), card(1)]})
PRODUCTS = interactive(
    "product_list",
    {"catalog_id": "1", "sections": [{"title": "Bags", "product_items": [{"product_retailer_id": "b1"}]}]},
    header={"type": "text", "text": "Ours"},
)
CALL = interactive("voice_call", {"name": "voice_call", "parameters": {"display_text": "Call", "ttl_minutes": 60}})
CONTACT = {
    "name": {"formatted_name": "Ada L.", "first_name": "Ada"},
    "phones": [{"phone": "+4930", "type": "WORK", "wa_id": "4930"}],
    "birthday": "1815-12-10",
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"type": "text", "text": {"body": "x" * 4096, "preview_url": True}}, id="text"),
        pytest.param({"type": "text", "text": {"body": "x"}, "context": {"message_id": "wamid.A"}}, id="a quote"),
        pytest.param({"type": "image", "image": {"link": LINK, "caption": "x" * 1024}}, id="image"),
        pytest.param({"type": "video", "video": {"id": "1"}}, id="video"),
        pytest.param({"type": "audio", "audio": {"id": "1", "voice": True}}, id="voice"),
        pytest.param({"type": "document", "document": {"link": LINK, "filename": "a.pdf"}}, id="document"),
        pytest.param({"type": "sticker", "sticker": {"id": "1"}}, id="sticker"),
        pytest.param(
            {"type": "location", "location": {"latitude": 52.5, "longitude": "13.4", "name": "Shop"}}, id="place"
        ),
        pytest.param({"type": "contacts", "contacts": [CONTACT]}, id="contacts"),
        pytest.param({"type": "reaction", "reaction": {"message_id": "last", "emoji": "👩‍👧"}}, id="reaction"),
        pytest.param(
            {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}}, id="a reaction taken back"
        ),
        pytest.param(BUTTONS, id="reply buttons"),
        pytest.param(
            interactive(
                "button",
                {"buttons": [reply("y", "Yes")]},
                header={"type": "image", "image": {"id": "1"}},
                footer={"text": "f" * 60},
            ),
            id="reply buttons under an image",
        ),
        pytest.param(LIST, id="list"),
        pytest.param(
            interactive("list", {"button": "Choose", "sections": [{"rows": rows(1)}]}, body={"text": "x" * 4096}),
            id="one section needs no title",
        ),
        pytest.param(
            interactive(
                "cta_url", {"name": "cta_url", "parameters": {"display_text": "Open", "url": "http://a.example"}}
            ),
            id="address",
        ),
        pytest.param(FLOW, id="flow"),
        pytest.param(interactive("product", {"catalog_id": "1", "product_retailer_id": "b"}, body=None), id="product"),
        pytest.param(PRODUCTS, id="products"),
        pytest.param(interactive("catalog_message", {"name": "catalog_message"}), id="catalogue"),
        pytest.param(CAROUSEL, id="carousel"),
        pytest.param(
            interactive(
                "carousel", {"cards": [card(n, quick("Buy", "Ask"), body={"text": "a\nb\nc"}) for n in range(10)]}
            ),
            id="carousel with quick replies",
        ),
        pytest.param(interactive("carousel", {"cards": [product_card(0), product_card(1)]}), id="products as cards"),
        pytest.param(interactive("location_request_message", {"name": "send_location"}), id="location request"),
        pytest.param(interactive("contact_request", {"name": "request_contact_info"}), id="contact request"),
        pytest.param(
            interactive("address_message", {"name": "address_message", "parameters": {"country": "IN", "values": {}}}),
            id="address form",
        ),
        pytest.param(CALL, id="call"),
        pytest.param(interactive("voice_call", {"name": "voice_call"}), id="call with Meta's own words"),
        pytest.param(
            interactive("call_permission_request", {"name": "call_permission_request"}, body=None), id="call permission"
        ),
        pytest.param(
            interactive("order_details", {"name": "review_and_pay", "parameters": {"reference_id": "1"}}), id="payment"
        ),
        pytest.param(
            interactive("order_status", {"name": "review_order", "parameters": {"reference_id": "1"}}),
            id="order status",
        ),
        pytest.param(
            {"type": "template", "template": {"name": "t", "language": {"code": "de"}, "components": []}}, id="template"
        ),
        pytest.param(
            {"type": "text", "text": {"body": "x", "brand_new": {"a": [1, None]}}}, id="a field that Meta added"
        ),
    ],
)
def test_lawful_objects(content):
    """What Meta documents passes, and is not changed by the check."""
    before = copy.deepcopy(content)
    assert check(content) == []
    assert content == before


def changed(content, path, value=...):
    """Return the content with another value at a path of keys and indices; without one, the field is taken out."""
    copied = copy.deepcopy(content)
    *way, last = path
    holder = copied
    for step in way:
        holder = holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return copied


TEXT = {"type": "text", "text": {"body": "x"}}
IMAGE = {"type": "image", "image": {"link": LINK}}
CARDS = ("interactive", "action", "cards")
LISTED = ("interactive", "action", "sections")


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        pytest.param("x", ["the message is a text, not an object"], id="no object"),
        pytest.param({}, [f"type is missing; it is one of {', '.join(KINDS)}"], id="nothing"),
        pytest.param(
            {"type": "immage", "immage": {}},
            [f"type is none of {', '.join(KINDS)}; did you mean image?"],
            id="unknown kind",
        ),
        pytest.param({"type": "text"}, ["text is missing"], id="no body"),
        pytest.param({**TEXT, "image": {"link": LINK}}, ["image stands beside a message of type text"], id="two kinds"),
        pytest.param(changed(TEXT, ("text", "body"), ""), ["text.body is empty"], id="empty text"),
        pytest.param(changed(TEXT, ("text", "body"), " \n"), ["text.body is empty"], id="blank text"),
        pytest.param(
            changed(TEXT, ("text", "body"), "x" * 4097),
            ["text.body has 4097 characters, at most 4096 are allowed"],
            id="text of 4,097",
        ),
        pytest.param(
            changed(TEXT, ("text", "body"), "🙂" * 2049),
            ["text.body has 4098 characters, at most 4096 are allowed"],
            id="emoji are two units each",
        ),
        pytest.param(
            changed(TEXT, ("text", "body"), 12), ["text.body is a number, not a text; put it in quotes"], id="a number"
        ),
        pytest.param(
            {"type": "text", "text": {"boddy": "x"}}, ["text.boddy is not known; did you mean body?"], id="misspelt"
        ),
        pytest.param(
            changed(TEXT, ("text", "preview_url"), "yes"),
            ["text.preview_url is a text, not true or false"],
            id="no boolean",
        ),
        pytest.param(
            {"type": "text", "text": {"body": "x", "more": {"at": date(2026, 1, 1)}}},
            ["text.more.at is a date, which JSON cannot say; put it in quotes"],
            id="no JSON",
        ),
        pytest.param(
            {"type": "image", "image": {}}, ["image needs exactly one of id and link"], id="neither id nor link"
        ),
        pytest.param(
            changed(IMAGE, ("image", "id"), "1"), ["image needs exactly one of id and link"], id="id and link"
        ),
        pytest.param(
            changed(IMAGE, ("image", "link"), "shop.example/a.png"),
            ["image.link is no link: it must begin with http:// or https:// and have no blanks"],
            id="no scheme",
        ),
        pytest.param(
            changed(IMAGE, ("image", "link"), "https:///a.png"),
            ["image.link has no host after http:// or https://"],
            id="no host",
        ),
        pytest.param(
            changed(IMAGE, ("image", "link"), "https://ann:pw@shop.example/a.png"),
            ["image.link has a user name or password in it, which everybody could read"],
            id="credentials",
        ),
        pytest.param(
            changed(IMAGE, ("image", "caption"), "x" * 1025),
            ["image.caption has 1025 characters, at most 1024 are allowed"],
            id="caption of 1,025",
        ),
        pytest.param(
            {"type": "audio", "audio": {"id": "1", "caption": "x"}},
            ["audio.caption is not allowed here; send it as a text"],
            id="audio with a caption",
        ),
        pytest.param(
            {"type": "sticker", "sticker": {"id": "1", "caption": "x"}},
            ["sticker.caption is not allowed here; send it as a text"],
            id="sticker with a caption",
        ),
        pytest.param(
            {"type": "location", "location": {"latitude": 91, "longitude": "x"}},
            ["location.latitude is not between -90 and 90", "location.longitude is a text, not a number"],
            id="no place on earth",
        ),
        pytest.param(
            {"type": "location", "location": {"latitude": "NaN", "longitude": True}},
            ["location.latitude is a text, not a number", "location.longitude is true or false, not a number"],
            id="no figures",
        ),
        pytest.param(
            {"type": "contacts", "contacts": CONTACT}, ["contacts is an object, not a list"], id="one contact bare"
        ),
        pytest.param(
            {"type": "contacts", "contacts": []}, ["contacts has 0 entries, at least 1 are needed"], id="no contact"
        ),
        pytest.param(
            {"type": "contacts", "contacts": [CONTACT] * 258},
            ["contacts[257] is one too many: there are 258, at most 257 are allowed"],
            id="258 contacts",
        ),
        pytest.param(
            {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ada"}}]},
            ["contacts[0].name needs a second part beside formatted_name, for example first_name"],
            id="a name with one part",
        ),
        pytest.param(
            {"type": "contacts", "contacts": [changed(CONTACT, ("birthday",), date(1815, 12, 10))]},
            ["contacts[0].birthday is a date, not a text"],
            id="a birthday without quotes",
        ),
        pytest.param(
            {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "👍👍"}},
            ["reaction.emoji is not one emoji (or an empty text, which takes the reaction back)"],
            id="two emoji",
        ),
        pytest.param(
            {
                "type": "reaction",
                "reaction": {"message_id": "wamid.A", "emoji": "👍"},
                "context": {"message_id": "wamid.B"},
            },
            ["context is not allowed: a reaction quotes nothing"],
            id="a reaction that quotes",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "type"), "buttons"),
            [
                (
                    "interactive.type is none of button, list, cta_url, carousel, location_request_message, "
                    "address_message, flow, product, product_list, catalog_message, voice_call, "
                    "call_permission_request, contact_request, request_contact_info, order_details, order_status; "
                    "did you mean button?"
                )
            ],
            id="unknown interactive",
        ),
        pytest.param(changed(BUTTONS, ("interactive", "body")), ["interactive.body is missing"], id="buttons bare"),
        pytest.param(
            changed(BUTTONS, ("interactive", "body", "text"), "x" * 1025),
            ["interactive.body.text has 1025 characters, at most 1024 are allowed"],
            id="body of 1,025",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "footer"), {"text": "x" * 61}),
            ["interactive.footer.text has 61 characters, at most 60 are allowed"],
            id="footer of 61",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "header"), {"type": "text", "text": "x" * 61}),
            ["interactive.header.text has 61 characters, at most 60 are allowed"],
            id="header of 61",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "header"), {"type": "audio", "audio": {"id": "1"}}),
            ["interactive.header.type is none of text, image, video, document"],
            id="audio as header",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "action", "buttons"), [reply(str(n), str(n)) for n in range(5)]),
            ["interactive.action.buttons[3] is one too many: there are 5, at most 3 are allowed"],
            id="five buttons",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "action", "buttons", 1, "reply", "title"), "x" * 21),
            ["interactive.action.buttons[1].reply.title has 21 characters, at most 20 are allowed"],
            id="button of 21",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "action", "buttons", 1), reply("y", "Yes")),
            [
                "interactive.action.buttons[1].reply.id is there twice; each needs its own",
                "interactive.action.buttons[1].reply.title is there twice; each needs its own",
            ],
            id="a button twice",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "action", "buttons", 0, "reply", "id"), " y"),
            ["interactive.action.buttons[0].reply.id begins or ends with a blank"],
            id="id with a blank",
        ),
        pytest.param(
            changed(BUTTONS, ("interactive", "action", "buttons", 0, "reply", "id"), "y" * 257),
            ["interactive.action.buttons[0].reply.id has 257 characters, at most 256 are allowed"],
            id="id of 257",
        ),
        pytest.param(
            changed(LIST, LISTED, [{"title": "A", "rows": rows(6)}, {"title": "B", "rows": rows(5, 7)}]),
            [
                (
                    "interactive.action.sections[1].rows[4] is one too many: there are 11 in all sections together, "
                    "at most 10 are allowed"
                )
            ],
            id="eleven rows",
        ),
        pytest.param(
            changed(LIST, LISTED, [{"title": "A", "rows": rows(1)}, {"title": "B", "rows": rows(1)}]),
            ["interactive.action.sections[1].rows[0].id is there twice; each needs its own"],
            id="an id in two sections",
        ),
        pytest.param(
            changed(LIST, LISTED, [{"title": "A", "rows": rows(1)}, {"rows": rows(1, 2)}]),
            ["interactive.action.sections[1].title is missing; several sections need titles"],
            id="a section without title",
        ),
        pytest.param(
            changed(LIST, (*LISTED, 0, "rows", 2), {"id": "i" * 201, "title": "t" * 25, "description": "d" * 73}),
            [
                "interactive.action.sections[0].rows[2].id has 201 characters, at most 200 are allowed",
                "interactive.action.sections[0].rows[2].title has 25 characters, at most 24 are allowed",
                "interactive.action.sections[0].rows[2].description has 73 characters, at most 72 are allowed",
            ],
            id="a long row",
        ),
        pytest.param(
            changed(LIST, (*LISTED, 0, "title"), "x" * 25),
            ["interactive.action.sections[0].title has 25 characters, at most 24 are allowed"],
            id="section of 25",
        ),
        pytest.param(
            changed(LIST, ("interactive", "action", "button"), "x" * 21),
            ["interactive.action.button has 21 characters, at most 20 are allowed"],
            id="list button of 21",
        ),
        pytest.param(
            changed(LIST, ("interactive", "header"), {"type": "image", "image": {"id": "1"}}),
            ["interactive.header.type is none of text"],
            id="image over a list",
        ),
        pytest.param(
            changed(LIST, ("interactive", "body", "text"), "x" * 4097),
            ["interactive.body.text has 4097 characters, at most 4096 are allowed"],
            id="list of 4,097",
        ),
        pytest.param(
            changed(FLOW, ("interactive", "action", "parameters", "flow_name"), "f"),
            ["interactive.action.parameters needs exactly one of flow_id and flow_name"],
            id="flow by id and name",
        ),
        pytest.param(
            changed(FLOW, ("interactive", "action", "parameters", "flow_message_version"), 3),
            ["interactive.action.parameters.flow_message_version is a number, not a text; put it in quotes"],
            id="flow version as a number",
        ),
        pytest.param(
            changed(FLOW, ("interactive", "action", "parameters", "flow_message_version"), "4"),
            ["interactive.action.parameters.flow_message_version is not 3"],
            id="a flow version of tomorrow",
        ),
        pytest.param(
            changed(FLOW, ("interactive", "action", "parameters", "flow_cta"), "Book 📅"),
            ["interactive.action.parameters.flow_cta has an emoji, which is not allowed here"],
            id="an emoji on a flow's button",
        ),
        pytest.param(
            changed(CALL, ("interactive", "action", "parameters", "ttl_minutes"), float("inf")),
            ["interactive.action.parameters.ttl_minutes is a number, not a whole number"],
            id="infinitely long",
        ),
        pytest.param(
            changed(CALL, ("interactive", "action", "parameters", "ttl_minutes"), 10**400),
            ["interactive.action.parameters.ttl_minutes is not between 1 and 43200"],
            id="longer than a computer's number",
        ),
        pytest.param(
            {"type": "image", "image": {"link": LINK, "filename": "a.jpg"}},
            ["image.filename is not allowed here; only documents have one"],
            id="a file name for an image",
        ),
        pytest.param(
            {"type": "sticker", "sticker": {"id": "1", "voice": True}},
            ["sticker.voice is not allowed here; only audio has it"],
            id="a voice sticker",
        ),
        pytest.param(
            interactive("address_message", {"name": "address_message", "parameters": {"country": "DE"}}),
            ["interactive.action.parameters.country is not IN"],
            id="an address outside India",
        ),
        pytest.param(
            changed(PRODUCTS, ("interactive", "header")),
            ["interactive.header is missing"],
            id="products without header",
        ),
        pytest.param(
            changed(
                PRODUCTS,
                (*LISTED, 0, "product_items"),
                [{"product_retailer_id": str(number)} for number in range(31)],
            ),
            ["interactive.action.sections have 31 products together, at most 30 are allowed"],
            id="31 products",
        ),
        pytest.param(
            interactive(
                "product",
                {"catalog_id": "1", "product_retailer_id": "b"},
                header={"type": "text", "text": "x"},
            ),
            ["interactive.header is not allowed in this kind of message"],
            id="product with header",
        ),
        pytest.param(
            changed(CALL, ("interactive", "action", "parameters", "ttl_minutes"), 43201),
            ["interactive.action.parameters.ttl_minutes is not between 1 and 43200"],
            id="a call button for too long",
        ),
        pytest.param(
            changed(CALL, ("interactive", "action", "name"), "voice_cal"),
            ["interactive.action.name is not voice_call; did you mean voice_call?"],
            id="wrong action",
        ),
        pytest.param(
            changed(CAROUSEL, CARDS, [card(0)]),
            ["interactive.action.cards has 1 entries, at least 2 are needed"],
            id="one card",
        ),
        pytest.param(
            changed(CAROUSEL, CARDS, [card(index) for index in range(11)]),
            [
                "interactive.action.cards[10] is one too many: there are 11, at most 10 are allowed",
                "interactive.action.cards[10].card_index is not between 0 and 9",
            ],
            id="eleven cards",
        ),
        pytest.param(
            changed(CAROUSEL, (*CARDS, 1, "header"), {"type": "video", "video": {"id": "1"}}),
            ["interactive.action.cards[1].header.type differs from the first card's: all have the same type of header"],
            id="image and video cards",
        ),
        pytest.param(
            changed(CAROUSEL, (*CARDS, 1, "card_index"), 0),
            ["interactive.action.cards[1].card_index is not 1, the card's place"],
            id="cards with the same index",
        ),
        pytest.param(
            changed(CAROUSEL, (*CARDS, 0, "body"), {"text": "x" * 161}),
            ["interactive.action.cards[0].body.text has 161 characters, at most 160 are allowed"],
            id="card of 161",
        ),
        pytest.param(
            changed(CAROUSEL, (*CARDS, 0, "body"), {"text": "a\nb\nc\nd"}),
            ["interactive.action.cards[0].body.text has 3 line breaks, at most 2 are allowed"],
            id="card of four lines",
        ),
        pytest.param(
            changed(CAROUSEL, CARDS, [card(0, quick("A")), card(1, quick("A", "B"))]),
            [
                "interactive.action.cards[1].action differs from the first card's: all have the same kind and number of buttons"
            ],
            id="cards with one button and two",
        ),
        pytest.param(
            changed(CAROUSEL, CARDS, [card(0, quick("A")), card(1)]),
            [
                "interactive.action.cards[1].action differs from the first card's: all have the same kind and number of buttons"
            ],
            id="a reply and an address",
        ),
        pytest.param(
            changed(CAROUSEL, CARDS, [card(0, quick("A", "A")), card(1, quick("A", "B"))]),
            [
                "interactive.action.cards[0].action.buttons[1].quick_reply.id is there twice; each needs its own",
                "interactive.action.cards[0].action.buttons[1].quick_reply.title is there twice; each needs its own",
            ],
            id="a reply twice on a card",
        ),
        pytest.param(
            interactive("carousel", {"cards": [product_card(0), product_card(1, "2")]}),
            [
                "interactive.action.cards[1].action.catalog_id differs from the first card's: all have the same catalogue"
            ],
            id="two catalogues",
        ),
        pytest.param(
            changed(CAROUSEL, ("interactive", "header"), {"type": "text", "text": "x"}),
            ["interactive.header is not allowed in this kind of message"],
            id="carousel with header",
        ),
        pytest.param(
            changed(CAROUSEL, ("interactive", "body")), ["interactive.body is missing"], id="carousel without text"
        ),
        pytest.param(
            {"type": "template", "template": {"name": "t", "language": "de"}},
            ["template.language is a text, not an object"],
            id="a template's language",
        ),
    ],
)
def test_unlawful_objects(content, problems):
    """Each problem names its field, what is there and the limit."""
    assert [str(problem) for problem in check(content)] == problems


@pytest.mark.parametrize("secret", ["Ada Lovelace 1815", "https://ann:s3cret@shop.example/x"])
def test_problems_keep_the_words_to_themselves(secret):
    """A problem never repeats what stands in a field."""
    contents = [
        {"type": secret},
        {"type": "text", "text": {"body": secret * 300}},
        {"type": "image", "image": {"link": secret, "caption": secret}},
        changed(BUTTONS, ("interactive", "type"), secret),
        changed(BUTTONS, ("interactive", "action", "buttons"), [reply(secret, secret)] * 4),
        changed(FLOW, ("interactive", "action", "parameters", "mode"), secret),
    ]
    for content in contents:
        problems = check(content)
        assert problems
        assert not any(word in str(problem) for problem in problems for word in ("Ada", "1815", "s3cret"))
