"""Two opinions of a template that is handed in: `templates lint` finds nothing in what the simulator's review takes, and something in what it refuses.

The verdicts are written by hand, after Meta's rules (fact sheet 6.3). Where the two differ on purpose stands in `STATED`.
"""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp.cloud.templates.rules import faults
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.template_rules import new_template

GOOD, BAD = "good", "bad"
BODY = {"type": "BODY", "text": "Your order has left our shop."}
QUICK = {"type": "QUICK_REPLY", "text": "Show me"}
CALL = {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+4930901820000"}
COUPON = {"type": "COPY_CODE", "example": "SAVE20"}
LINK = {"type": "URL", "text": "Track", "url": "https://shop.example/track"}
ADDRESS = "https://shop.example/{{1}}"
HANDLE = "4::aW1hZ2U="
CODE = {"type": "BODY"}
COPY = {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}
APP = {"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}
FORM = {"type": "FLOW", "text": "Book"}
CODES = {"category": "AUTHENTICATION"}
NEWS = {"category": "MARKETING"}
CARD_HEADER = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [HANDLE]}}
CARD = {"components": [CARD_HEADER, {"type": "BUTTONS", "buttons": [QUICK]}]}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Half price", "has_expiration": True}}


def template(*parts: Any, **changes: Any) -> dict[str, Any]:
    """Return a declaration with these components, by default of a lawful body alone."""
    entry = {"name": "news", "language": "en", "category": "UTILITY", "components": list(parts) or [BODY]}
    return {key: value for key, value in (entry | changes).items() if value is not None}


def body(text: Any, *examples: Any, named: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a body with examples by number, or by name."""
    params = [{"param_name": name, "example": value} for name, value in (named or {}).items()]
    example = {"body_text_named_params": params} if params else {"body_text": [list(examples)]} if examples else None
    return {"type": "BODY", "text": text} | ({"example": example} if example else {})


def header(text: str, *examples: str) -> dict[str, Any]:
    """Return a header of text."""
    given = {"example": {"header_text": list(examples)}} if examples else {}
    return {"type": "HEADER", "format": "TEXT", "text": text} | given


def media(kind: str, *handles: Any) -> dict[str, Any]:
    """Return a header with a file."""
    return {"type": "HEADER", "format": kind, "example": {"header_handle": list(handles)}}


def buttons(*each: Any) -> tuple[dict[str, Any], ...]:
    """Return a lawful body, and these buttons."""
    return BODY, {"type": "BUTTONS", "buttons": list(each)}


def link(url: Any, *examples: str) -> tuple[dict[str, Any], ...]:
    """Return a lawful body, and a button with this address."""
    return buttons({"type": "URL", "text": "Track", "url": url} | ({"example": list(examples)} if examples else {}))


def of_apps(kind: str, **button: Any) -> dict[str, Any]:
    """Return a template with a code that goes into an app."""
    return template(CODE, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": kind, **button}]}, **CODES)


def of_offer(*parts: Any) -> dict[str, Any]:
    """Return a template with an offer that ends."""
    return template(*parts, OFFER, **NEWS)


def cards(*each: Any) -> dict[str, Any]:
    """Return a template with these cards."""
    return template(BODY, {"type": "CAROUSEL", "cards": list(each)}, **NEWS)


DECLARATIONS = {
    # the whole
    "a body": (template(), GOOD),
    "the longest name": (template(name="a" * 512), GOOD),
    "a name that is too long": (template(name="a" * 513), BAD),
    "capitals in the name": (template(name="News"), BAD),
    "a hyphen in the name": (template(name="big-news"), BAD),
    "a name with a line break": (template(name="news\n"), BAD),
    "no name": (template(name=None), BAD),
    "a language with a country": (template(language="pt_BR"), GOOD),
    "a language of three letters": (template(language="fil"), GOOD),
    "a language with a hyphen": (template(language="pt-BR"), BAD),
    "no language": (template(language=None), BAD),
    "small letters in the category": (template(category="utility"), GOOD),
    "an unknown category": (template(category="NEWS"), BAD),
    "no category": (template(category=None), BAD),
    "small letters in the format": (template(parameter_format="positional"), GOOD),
    "an unknown format": (template(parameter_format="LETTERS"), BAD),
    "small letters in a type": (template({**BODY, "type": "body"}), GOOD),
    "half a minute": (template(message_send_ttl_seconds=30), GOOD),
    "not half a minute": (template(message_send_ttl_seconds=29), BAD),
    "thirty days": (template(message_send_ttl_seconds=-1), GOOD),
    "thirty days of marketing": (template(message_send_ttl_seconds=-1, **NEWS), BAD),
    "twelve hours of marketing": (template(message_send_ttl_seconds=43_200, **NEWS), GOOD),
    "a lifetime that is a text": (template(message_send_ttl_seconds="60"), BAD),
    "a language with a long country": (template(language="en_ABCD"), BAD),
    # the components
    "no components": (template(components=None), BAD),
    "components that are a mapping": (template(components=BODY), BAD),
    "no body": (template(header("News")), BAD),
    "two bodies": (template(BODY, BODY), BAD),
    "an unknown component": (template(BODY, {"type": "TAIL", "text": "x"}), BAD),
    # body
    "the longest body": (template(body("x" * 1024)), GOOD),
    "a body that is too long": (template(body("x" * 1025)), BAD),
    "emoji count twice": (template(body("👍" * 513)), BAD),
    "a blank body": (template(body("  ")), BAD),
    "a body that is no text": (template(body(7)), BAD),
    "a variable": (template(body("Your order {{1}} is here.", "1002")), GOOD),
    "blanks in the braces": (template(body("Your order {{ 1 }} is here.", "1002")), GOOD),
    "no example": (template(body("Your order {{1}} is here.")), BAD),
    "an empty example": (template(body("Your order {{1}} is here.", "")), BAD),
    "an example that is a number": (template(body("Your order {{1}} is here.", 1002)), BAD),
    "too few examples": (template(body("Dear {{1}}, your order number {{2}} is here.", "Lea")), BAD),
    "an example too much": (template(body("Your order {{1}} is here.", "1002", "1003")), GOOD),
    "a variable at the start": (template(body("{{1}} is your order's number.", "1002")), BAD),
    "a variable at the end": (template(body("Your order has the number {{1}}", "1002")), BAD),
    "a variable before the last sign": (template(body("Your order has the number {{1}}.", "1002")), GOOD),
    "side by side": (template(body("We have sent {{1}} {{2}} to you at last.", "a", "b")), BAD),
    "a gap": (template(body("Dear {{1}}, your order number {{3}} is here.", "Lea", "1002", "x")), BAD),
    "from nought": (template(body("Your order {{0}} is here.", "1002")), BAD),
    "the same one twice": (template(body("Order {{1}}: we sent order {{1}} to you.", "1002")), GOOD),
    "too many for the words": (template(body("We {{1}} sent {{2}} it.", "a", "b")), BAD),
    "enough words": (template(body("We {{1}} have sent {{2}} it now.", "a", "b")), GOOD),
    "braces that do not match": (template(body("Your order {{1 is here.")), BAD),
    "names": (
        template(body("Your order {{order_id}} is here.", named={"order_id": "1002"}), parameter_format="NAMED"),
        GOOD,
    ),
    "names with numbers": (
        template(body("Your order {{id_2}} is here.", named={"id_2": "1"}), parameter_format="NAMED"), GOOD,
    ),
    "a name that begins with an underscore": (
        template(body("Your order {{_id}} is here.", named={"_id": "1"}), parameter_format="NAMED"), BAD,
    ),
    "a capital in a name": (
        template(body("Your order {{Id}} is here.", named={"Id": "1"}), parameter_format="NAMED"), BAD,
    ),
    "a name without an example": (
        template(body("Your order {{id}} is here.", named={"other": "1"}), parameter_format="NAMED"), BAD,
    ),
    "a name in a numbered one": (template(body("Your order {{id}} is here.", named={"id": "1"})), BAD),
    "a number in a named one": (
        template(body("Your order {{1}} is here.", "1002"), parameter_format="NAMED"), BAD,
    ),
    # header
    "a header": (template(BODY, header("News")), GOOD),
    "the longest header": (template(BODY, header("x" * 60)), GOOD),
    "a header that is too long": (template(BODY, header("x" * 61)), BAD),
    "a header without a format": (template(BODY, {"type": "HEADER", "text": "News"}), BAD),
    "a header of an unknown format": (template(BODY, {"type": "HEADER", "format": "AUDIO"}), BAD),
    "a header with a variable": (template(BODY, header("Order {{1}}", "1002")), GOOD),
    "a header with two": (template(BODY, header("Order {{1}} of {{2}}", "1002", "Lea")), BAD),
    "a header with the same one twice": (template(BODY, header("{{1}} and {{1}}", "1002")), BAD),
    "a header that goes on counting": (template(BODY, header("Order {{2}}", "1002")), BAD),
    "a header without an example": (template(BODY, header("Order {{1}}")), BAD),
    "a header with an emoji": (template(BODY, header("News ☎")), BAD),
    "a header in two lines": (template(BODY, header("News\nof today")), BAD),
    "a header with an asterisk": (template(BODY, header("News*")), BAD),
    "a header in italics": (template(BODY, header("_News_")), BAD),
    "a header with a name that has an underscore": (
        template(
            BODY,
            {**header("Order {{order_id}}"), "example": {"header_text_named_params": [{"param_name": "order_id", "example": "1"}]}},
            parameter_format="NAMED",
        ),
        GOOD,
    ),
    "a place": (template(BODY, {"type": "HEADER", "format": "LOCATION"}), GOOD),
    "a product": (template(BODY, {"type": "HEADER", "format": "PRODUCT"}, **NEWS), GOOD),
    "an image": (template(BODY, media("IMAGE", HANDLE)), GOOD),
    "an image in small letters": (template(BODY, media("image", HANDLE)), GOOD),
    "an image without an example": (template(BODY, {"type": "HEADER", "format": "IMAGE"}), BAD),
    "an image of a media id": (template(BODY, media("IMAGE", "1234567890")), BAD),
    "an image of an address": (template(BODY, media("IMAGE", "https://shop.example/a.png")), BAD),
    "two images": (template(BODY, media("IMAGE", HANDLE, HANDLE)), BAD),
    "a handle that is a number": (template(BODY, media("IMAGE", 1234567890)), BAD),
    # footer
    "a footer": (template(BODY, {"type": "FOOTER", "text": "x" * 60}), GOOD),
    "a footer that is too long": (template(BODY, {"type": "FOOTER", "text": "x" * 61}), BAD),
    "a footer with a variable": (template(BODY, {"type": "FOOTER", "text": "Yours, {{1}}"}), BAD),
    "a footer with half a variable": (template(BODY, {"type": "FOOTER", "text": "Yours, {{1"}), BAD),
    "an empty footer": (template(BODY, {"type": "FOOTER", "text": ""}), BAD),
    # buttons
    "ten quick replies": (template(*buttons(*[{**QUICK, "text": f"No {number}"} for number in range(10)])), GOOD),
    "eleven": (template(*buttons(*[{**QUICK, "text": f"No {number}"} for number in range(11)])), BAD),
    "no buttons": (template(*buttons()), BAD),
    "a button that is a text": (template(*buttons("Yes")), BAD),
    "an unknown button": (template(*buttons({"type": "SLIDER", "text": "x"})), BAD),
    "the longest label": (template(*buttons({**QUICK, "text": "x" * 25})), GOOD),
    "a label that is too long": (template(*buttons({**QUICK, "text": "x" * 26})), BAD),
    "a label with a variable": (template(*buttons({**QUICK, "text": "Order {{1}}"})), BAD),
    "a label with half a variable": (template(*buttons({**QUICK, "text": "Order 1}}"})), BAD),
    "a button without a label": (template(*buttons({"type": "QUICK_REPLY"})), BAD),
    "two labels that are the same": (template(*buttons(LINK, {**CALL, "text": "Track"})), BAD),
    "a label with an emoji": (template(*buttons({**QUICK, "text": "Yes 👍"})), BAD),
    "a label with a flag": (template(*buttons({**QUICK, "text": "Yes 🇩🇪"})), BAD),
    "a label with a keycap": (template(*buttons({**QUICK, "text": "No 1\ufe0f\u20e3"})), BAD),
    "a label with digits, a number sign and a trade mark": (template(*buttons({**QUICK, "text": "#1 by Kleeblatt®"})), GOOD),
    "a label in Arabic and Hindi": (template(*buttons({**QUICK, "text": "نعم / हाँ"})), GOOD),
    "a label in two lines": (template(*buttons({**QUICK, "text": "Yes\nplease"})), BAD),
    "a label in bold": (template(*buttons({**QUICK, "text": "*Yes*"})), BAD),
    "a label in italics": (template(*buttons({**QUICK, "text": "_Yes_"})), BAD),
    "a label that is struck through": (template(*buttons({**QUICK, "text": "~Yes~"})), BAD),
    "a label in typewriter's letters": (template(*buttons({**QUICK, "text": "```Yes```"})), BAD),
    "a label of a code with an emoji": (
        template(CODE, {"type": "BUTTONS", "buttons": [{**COPY["buttons"][0], "text": "Copy 🔑"}]}, **CODES), BAD,
    ),
    "quick replies first": (template(*buttons(QUICK, LINK, CALL)), GOOD),
    "quick replies last": (template(*buttons(LINK, CALL, QUICK)), GOOD),
    "quick replies on both sides": (template(*buttons(QUICK, LINK, {**QUICK, "text": "No"})), BAD),
    "two addresses": (template(*buttons(LINK, {**LINK, "text": "Look"})), GOOD),
    "three addresses": (template(*buttons(LINK, {**LINK, "text": "Look"}, {**LINK, "text": "Buy"})), BAD),
    "two phones": (template(*buttons(CALL, {**CALL, "text": "Ring us"})), BAD),
    "a phone in words": (template(*buttons({**CALL, "phone_number": "our shop"})), BAD),
    "a phone number that is too long": (template(*buttons({**CALL, "phone_number": "1" * 20})), BAD),
    "no phone number": (template(*buttons({"type": "PHONE_NUMBER", "text": "Call"})), BAD),
    "two coupons": (template(*buttons(COUPON, COUPON)), BAD),
    "a coupon": (template(*buttons({**COUPON, "example": "x" * 20})), GOOD),
    "a coupon in a list": (template(*buttons({**COUPON, "example": ["SAVE20"]})), GOOD),
    "a coupon that is too long": (template(*buttons({**COUPON, "example": "x" * 21})), BAD),
    "a coupon without an example": (template(*buttons({"type": "COPY_CODE"})), BAD),
    "an address that ends openly": (template(*link(ADDRESS, "https://shop.example/1")), GOOD),
    "a numbered address beside names": (
        template(*link(ADDRESS, "https://shop.example/1"), parameter_format="NAMED"), GOOD,
    ),
    "a named address beside names": (
        template(*link("https://shop.example/{{code}}", "https://shop.example/1"), parameter_format="NAMED"), GOOD,
    ),
    "a two in the address beside names": (
        template(*link("https://shop.example/{{2}}", "https://shop.example/1"), parameter_format="NAMED"), BAD,
    ),
    "a numbered address beside names without an example": (template(*link(ADDRESS), parameter_format="NAMED"), BAD),
    "an address without an example": (template(*link(ADDRESS)), BAD),
    "an address with an empty example": (template(*link(ADDRESS, "")), BAD),
    "an address with a variable inside": (template(*link("https://shop.example/{{1}}/x", "https://a.example/1/x")), BAD),
    "an address with two variables": (template(*link("https://shop.example/{{1}}{{2}}", "https://a.example/1")), BAD),
    "an address without a scheme": (template(*link("shop.example")), BAD),
    "an address without a host": (template(*link("https:///x")), BAD),
    "an address with a blank": (template(*link("https://shop.example/a b")), BAD),
    "the longest address": (template(*link("https://shop.example/" + "x" * 1979)), GOOD),
    "an address that is too long": (template(*link("https://shop.example/" + "x" * 1980)), BAD),
    "a code's button in another category": (template(*buttons({"type": "OTP", "otp_type": "COPY_CODE"})), BAD),
    "a catalog": (template(*buttons({"type": "CATALOG", "text": "See all"}), **NEWS), GOOD),
    "a form by its id": (template(*buttons({**FORM, "flow_id": "12"})), GOOD),
    "a form by its name": (template(*buttons({**FORM, "flow_name": "booking"})), GOOD),
    "a form that is there": (template(*buttons({**FORM, "flow_json": "{}"})), GOOD),
    "a form of nothing": (template(*buttons(FORM)), BAD),
    # codes to log in with
    "a code for an app": (of_apps("ONE_TAP", supported_apps=[APP]), GOOD),
    "a code for an app in the older form": (of_apps("ONE_TAP", **APP), GOOD),
    "a code for no app": (of_apps("ONE_TAP"), BAD),
    "a code for an empty list of apps": (of_apps("ONE_TAP", supported_apps=[]), BAD),
    "a code for an app without its hash": (of_apps("ONE_TAP", supported_apps=[{"package_name": "com.example.shop"}]), BAD),
    "a code that is taken by itself": (of_apps("ZERO_TAP", supported_apps=[APP], zero_tap_terms_accepted=True), GOOD),
    "a code that is taken by no app": (of_apps("ZERO_TAP", zero_tap_terms_accepted=True), BAD),
    "a code that is taken without terms": (of_apps("ZERO_TAP", supported_apps=[APP]), BAD),
    "a code that is taken, the terms refused": (
        of_apps("ZERO_TAP", supported_apps=[APP], zero_tap_terms_accepted=False), BAD,
    ),
    "a code": (template(CODE, COPY, **CODES), GOOD),
    "a code with advice": (template({**CODE, "add_security_recommendation": True}, COPY, **CODES), GOOD),
    "a code with advice in words": (template({**CODE, "add_security_recommendation": "yes"}, COPY, **CODES), BAD),
    "a code with a text": (template({**CODE, "text": "Your code is {{1}} now"}, COPY, **CODES), BAD),
    "a code without a button": (template(CODE, **CODES), BAD),
    "a code with another button": (template(CODE, {"type": "BUTTONS", "buttons": [QUICK]}, **CODES), BAD),
    "a code with an unknown button": (
        template(CODE, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "TAP"}]}, **CODES), BAD,
    ),
    "a code with a long label": (
        template(CODE, {"type": "BUTTONS", "buttons": [{**COPY["buttons"][0], "text": "x" * 26}]}, **CODES), BAD,
    ),
    "a code with a header": (template(header("News"), CODE, COPY, **CODES), BAD),
    "a code that expires": (template(CODE, {"type": "FOOTER", "code_expiration_minutes": 90}, COPY, **CODES), GOOD),
    "a code that expires too late": (
        template(CODE, {"type": "FOOTER", "code_expiration_minutes": 91}, COPY, **CODES), BAD,
    ),
    "a code with a footer of nothing": (template(CODE, {"type": "FOOTER"}, COPY, **CODES), BAD),
    "a code with a footer in words": (template(CODE, {"type": "FOOTER", "text": "Soon"}, COPY, **CODES), BAD),
    # cards and offers
    "cards": (cards(CARD, CARD), GOOD),
    "cards of utility": ({**cards(CARD, CARD), "category": "UTILITY"}, BAD),
    "one card": (cards(CARD), BAD),
    "cards that differ": (cards(CARD, {"components": [CARD_HEADER]}), BAD),
    "cards beside a footer": (template(BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]}, {"type": "FOOTER", "text": "x"}, **NEWS), BAD),
    "cards of a code": (template(CODE, COPY, {"type": "CAROUSEL", "cards": [CARD, CARD]}, **CODES), BAD),
    "an offer": (of_offer(BODY, *buttons(COUPON)[1:]), GOOD),
    "an offer beside a footer": (of_offer(BODY, {"type": "FOOTER", "text": "x"}), BAD),
    "an offer of utility": (template(BODY, OFFER), BAD),
    "an offer that is too long": (
        template(BODY, {**OFFER, "limited_time_offer": {"text": "x" * 17}}, **NEWS), BAD,
    ),
}  # fmt: skip

_UNJUDGED = "the simulator's review does not look into cards and offers"
# Where the two differ: the verdicts of lint and of the simulator, and why.
STATED = {
    "an image of an address": (
        GOOD,
        BAD,
        "Meta gives back an address in the place of a handle: so it stands in what was pulled",
    ),
    "a name that begins with an underscore": (
        BAD,
        GOOD,
        "Meta tells only that names are small: lint takes none that may not pass",
    ),
    "cards of utility": (BAD, GOOD, _UNJUDGED),
    "one card": (BAD, GOOD, _UNJUDGED),
    "cards that differ": (BAD, GOOD, _UNJUDGED),
    "cards beside a footer": (BAD, GOOD, _UNJUDGED),
    "an offer beside a footer": (BAD, GOOD, _UNJUDGED),
    "an offer of utility": (BAD, GOOD, _UNJUDGED),
    "an offer that is too long": (BAD, GOOD, _UNJUDGED),
}


def lint(entry: dict[str, Any]) -> str:
    """Return the verdict of `templates lint`."""
    return BAD if faults(entry) else GOOD


def review(entry: dict[str, Any]) -> str:
    """Return the verdict of the simulator, in Meta's place."""
    try:
        new_template(entry, "100000000000001")
    except Refused:
        return BAD
    return GOOD


@pytest.mark.parametrize("name", DECLARATIONS)
def test_both_give_the_same_verdict(name):
    """The one that is written here, but for what is stated."""
    entry, verdict = DECLARATIONS[name]
    assert (lint(entry), review(entry)) == STATED.get(name, (verdict, verdict))[:2]


def test_what_is_stated_is_about_something():
    """Each exception is about a declaration that is here, and is one."""
    assert set(STATED) <= set(DECLARATIONS)
    assert [name for name, (ours, theirs, _) in STATED.items() if ours == theirs] == []
