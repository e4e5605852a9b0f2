"""Templates that are created, held against Meta's creation rules: one case per rule, with Meta's subcode."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.refusals import Refused, to_answer
from rasa_whatsapp.simulator.template_rules import check_duplicate, new_template

OTHER, LENGTH, HEADER, BODY, FOOTER, RATIO, DANGLING = 2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299
LABEL, HEADER_SIGNS = 2388060, 2388072
TEXT = "Your order {{1}} has left our shop today."
GOOD_BODY = {"type": "BODY", "text": TEXT, "example": {"body_text": [["1002"]]}}
NAMED_BODY = {
    "type": "body",
    "text": "Your order {{order_id}} has left our shop today.",
    "example": {"body_text_named_params": [{"param_name": "order_id", "example": "1002"}]},
}
OTP = {"type": "OTP", "otp_type": "COPY_CODE"}


def entry(*components: Any, **changes: Any) -> dict[str, Any]:
    """Return the body of a creation."""
    return {"name": "sent", "language": "en_US", "category": "UTILITY", "components": list(components), **changes}


def created(*components: Any, **changes: Any) -> Template:
    """Create a template."""
    return new_template(entry(*components, **changes), "100000000000001")


def body(text: str, *examples: str) -> dict[str, Any]:
    """Return a body with numbered examples."""
    return {"type": "BODY", "text": text, **({"example": {"body_text": [list(examples)]}} if examples else {})}


def header(text: str, *examples: str) -> dict[str, Any]:
    """Return a header of text."""
    return {"type": "HEADER", "format": "TEXT", "text": text, "example": {"header_text": list(examples)}}


def buttons(*made: Any) -> dict[str, Any]:
    """Return a component of buttons."""
    return {"type": "BUTTONS", "buttons": list(made)}


def quick(text: str = "Yes") -> dict[str, Any]:
    """Return a quick reply."""
    return {"type": "QUICK_REPLY", "text": text}


def url(address: str, **more: Any) -> dict[str, Any]:
    """Return a button with an address."""
    return {"type": "URL", "text": "Open", "url": address, **more}


PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+4930901820000"}
COUPON = {"type": "COPY_CODE", "example": "SAVE20"}
SHOP = "https://shop.example/{{1}}"

ACCEPTED = [
    pytest.param(entry(GOOD_BODY), id="numbered variable"),
    pytest.param(entry(NAMED_BODY, parameter_format="NAMED"), id="named variable, types in lower case"),
    pytest.param(entry(body("x" * 1024)), id="body of 1024"),
    pytest.param(
        entry(header("H" * 60), GOOD_BODY, {"type": "FOOTER", "text": "F" * 60}), id="header and footer of 60"
    ),
    pytest.param(entry(header("News for {{1}}", "Lea"), GOOD_BODY), id="header with a variable"),
    pytest.param(
        entry({"type": "header", "format": "image", "example": {"header_handle": ["4::aW1n"]}}, GOOD_BODY),
        id="header with a picture",
    ),
    pytest.param(entry({"type": "HEADER", "format": "LOCATION"}, GOOD_BODY), id="header with a place"),
    pytest.param(entry(GOOD_BODY, buttons(*[quick(f"Yes {n}") for n in range(10)])), id="ten quick replies"),
    pytest.param(
        entry(GOOD_BODY, buttons(quick(), quick("No"), url("https://a.example/x"), PHONE)), id="mixed buttons"
    ),
    pytest.param(
        entry(GOOD_BODY, buttons(url(SHOP, example=["https://shop.example/a"]))), id="address with a variable"
    ),
    pytest.param(entry(GOOD_BODY, buttons(COUPON), category="MARKETING"), id="code to copy"),
    pytest.param(entry({"type": "BODY"}, buttons(OTP), category="AUTHENTICATION"), id="one-time code"),
    pytest.param(entry(GOOD_BODY, message_send_ttl_seconds=-1), id="lifetime of 30 days"),
    pytest.param(entry(body("Hi {{1}}, your order {{2}} arrives today.", "Lea", "7")), id="5 words for 2 variables"),
]


@pytest.mark.parametrize("asked", ACCEPTED)
def test_what_keeps_the_rules_is_in_review(asked: dict[str, Any]) -> None:
    """Everything that Meta allows is taken."""
    assert new_template(asked, "1").status == "PENDING"


REFUSED = [
    # the whole
    pytest.param(entry(GOOD_BODY, name="Sent"), OTHER, id="upper case in the name"),
    pytest.param(entry(GOOD_BODY, name="a" * 513), OTHER, id="name of 513"),
    pytest.param(entry(GOOD_BODY, language="en-US"), OTHER, id="language with a hyphen"),
    pytest.param(entry(GOOD_BODY, category="NEWS"), OTHER, id="category that is none"),
    pytest.param(entry(GOOD_BODY, parameter_format="MIXED"), OTHER, id="format that is none"),
    pytest.param(entry(GOOD_BODY, library_template_name="x"), OTHER, id="library"),
    pytest.param(entry(GOOD_BODY, message_send_ttl_seconds=29), OTHER, id="lifetime too short"),
    pytest.param(entry(GOOD_BODY, message_send_ttl_seconds=43_201), OTHER, id="lifetime too long"),
    pytest.param(entry(GOOD_BODY, category="MARKETING", message_send_ttl_seconds=-1), OTHER, id="30 days of marketing"),
    pytest.param({**entry(), "components": "BODY"}, OTHER, id="components are no list"),
    pytest.param(entry(header("News")), BODY, id="no body"),
    pytest.param(entry(GOOD_BODY, GOOD_BODY), OTHER, id="two bodies"),
    pytest.param(entry(GOOD_BODY, {"type": "SIDE"}), OTHER, id="component that is none"),
    # texts
    pytest.param(entry(body("x" * 1025)), LENGTH, id="body of 1025"),
    pytest.param(entry(body(" ")), BODY, id="empty body"),
    pytest.param(entry(header("H" * 61), GOOD_BODY), LENGTH, id="header of 61"),
    pytest.param(entry(GOOD_BODY, {"type": "FOOTER", "text": "F" * 61}), LENGTH, id="footer of 61"),
    pytest.param(entry(GOOD_BODY, {"type": "FOOTER", "text": "For {{1}}"}), FOOTER, id="variable in the footer"),
    pytest.param(entry(header("{{1}} for {{2}}", "a", "b"), GOOD_BODY), HEADER, id="two variables in the header"),
    pytest.param(entry(header("News for {{2}}", "a"), GOOD_BODY), HEADER, id="header counts from 2"),
    pytest.param(entry({"type": "HEADER", "format": "SONG"}, GOOD_BODY), HEADER, id="header that is none"),
    # variables
    pytest.param(entry(body("{{1}} has left our shop today.", "7")), DANGLING, id="variable at the start"),
    pytest.param(entry(body("Today our shop sends {{1}}", "7")), DANGLING, id="variable at the end"),
    pytest.param(entry(body("Your {{1}} {{2}} has left our shop today.", "a", "b")), BODY, id="variables side by side"),
    pytest.param(entry(body("Your order {{2}} has left our shop.", "a", "b")), BODY, id="numbers with a gap"),
    pytest.param(entry(body("Hi {{1}}, gate {{2}}. Thank you.", "a", "b")), RATIO, id="4 words for 2 variables"),
    pytest.param(entry(body("Your order {{order}} has left our shop.", "a")), BODY, id="name among numbers"),
    pytest.param(entry(GOOD_BODY, parameter_format="NAMED"), BODY, id="number among names"),
    pytest.param(
        entry({**NAMED_BODY, "text": "Your order {{Order}} has left our shop."}, parameter_format="NAMED"),
        BODY,
        id="upper case in a variable",
    ),
    pytest.param(entry(body("Your order {{1 has left our shop.")), BODY, id="brace that does not close"),
    # examples
    pytest.param(entry(body(TEXT)), BODY, id="no example"),
    pytest.param(entry({**GOOD_BODY, "example": {"body_text": ["1002"]}}), BODY, id="example not in a list of lists"),
    pytest.param(
        entry({**NAMED_BODY, "example": {"body_text": [["1002"]]}}, parameter_format="NAMED"),
        BODY,
        id="numbered example of a named variable",
    ),
    pytest.param(entry(header("News for {{1}}"), GOOD_BODY), HEADER, id="header without an example"),
    pytest.param(entry({"type": "HEADER", "format": "IMAGE"}, GOOD_BODY), HEADER, id="picture without an example"),
    pytest.param(
        entry({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["123456"]}}, GOOD_BODY),
        HEADER,
        id="media id for a handle",
    ),
    # buttons
    pytest.param(entry(GOOD_BODY, buttons()), OTHER, id="no buttons in buttons"),
    pytest.param(entry(GOOD_BODY, buttons(*[quick(f"Yes {n}") for n in range(11)])), OTHER, id="eleven buttons"),
    pytest.param(entry(GOOD_BODY, buttons(*[url("https://a.example")] * 3)), OTHER, id="three addresses"),
    pytest.param(entry(GOOD_BODY, buttons(PHONE, PHONE)), OTHER, id="two phone numbers"),
    pytest.param(entry(GOOD_BODY, buttons(COUPON, COUPON)), OTHER, id="two codes"),
    pytest.param(entry(GOOD_BODY, buttons(quick(), PHONE, quick("No"))), OTHER, id="quick replies apart"),
    pytest.param(entry(GOOD_BODY, buttons(quick("x" * 26))), LENGTH, id="label of 26"),
    pytest.param(entry(GOOD_BODY, buttons(quick("Yes {{1}}"))), LABEL, id="variable in a label"),
    pytest.param(entry(GOOD_BODY, buttons(quick("Yes 👍"))), LABEL, id="emoji in a label"),
    pytest.param(entry(GOOD_BODY, buttons(quick("Yes"), quick("Yes"))), OTHER, id="the same label twice"),
    pytest.param(entry(header("*News*"), GOOD_BODY), HEADER_SIGNS, id="markup in a header"),
    pytest.param(entry(GOOD_BODY, buttons({"type": "SHAKE", "text": "x"})), OTHER, id="button that is none"),
    pytest.param(entry(GOOD_BODY, buttons(OTP)), OTHER, id="code button in a utility template"),
    pytest.param(entry(GOOD_BODY, buttons(url("shop.example"))), OTHER, id="address without https"),
    pytest.param(entry(GOOD_BODY, buttons(url("https://a.example/" + "x" * 1983))), LENGTH, id="address of 2001"),
    pytest.param(entry(GOOD_BODY, buttons(url(SHOP))), OTHER, id="address without its example"),
    pytest.param(
        entry(GOOD_BODY, buttons(url("https://a.example/{{1}}/x", example=["y"]))),
        OTHER,
        id="variable inside an address",
    ),
    pytest.param(entry(GOOD_BODY, buttons({**PHONE, "phone_number": "12"})), OTHER, id="no phone number"),
    pytest.param(entry(GOOD_BODY, buttons({**COUPON, "example": "x" * 21})), LENGTH, id="code of 21"),
    pytest.param(entry(GOOD_BODY, buttons({"type": "COPY_CODE"})), OTHER, id="code without an example"),
    # authentication
    pytest.param(entry(GOOD_BODY, buttons(OTP), category="AUTHENTICATION"), BODY, id="own words around a code"),
    pytest.param(entry({"type": "BODY"}, category="AUTHENTICATION"), OTHER, id="code without a button"),
    pytest.param(
        entry({"type": "BODY"}, buttons(quick()), category="AUTHENTICATION"), OTHER, id="quick reply to a code"
    ),
    pytest.param(
        entry({"type": "BODY"}, buttons({"type": "OTP", "otp_type": "SONG"}), category="AUTHENTICATION"),
        OTHER,
        id="code button of no kind",
    ),
    pytest.param(
        entry(header("Code"), {"type": "BODY"}, buttons(OTP), category="AUTHENTICATION"),
        OTHER,
        id="header above a code",
    ),
    pytest.param(
        entry({"type": "BODY", "add_security_recommendation": "yes"}, buttons(OTP), category="AUTHENTICATION"),
        BODY,
        id="advice that is no boolean",
    ),
    pytest.param(
        entry(
            {"type": "BODY"}, {"type": "FOOTER", "code_expiration_minutes": 91}, buttons(OTP), category="AUTHENTICATION"
        ),
        FOOTER,
        id="code for 91 minutes",
    ),
]


@pytest.mark.parametrize(("asked", "subcode"), REFUSED)
def test_what_breaks_a_rule_is_refused(asked: dict[str, Any], subcode: int) -> None:
    """Each with code 100 and the subcode of its part."""
    with pytest.raises(Refused) as refused:
        new_template(asked, "1")
    assert (refused.value.code, refused.value.subcode, refused.value.status) == (100, subcode, 400)


def test_refusal_has_metas_shape() -> None:
    """A title and a sentence for a person, and no error_data."""
    with pytest.raises(Refused) as refused:
        created(body("{{1}} has left our shop today.", "7"))
    error = to_answer(refused.value)["error"]
    assert error.pop("fbtrace_id").startswith("A")
    assert error == {
        "message": "(#100) Invalid parameter",
        "type": "OAuthException",
        "code": 100,
        "error_subcode": 2388299,
        "is_transient": False,
        "error_user_title": "Leading or trailing parameters are not allowed",
        "error_user_msg": "Variables can't be at the start or end of the template.",
    }


def test_components_are_kept_as_meta_lists_them() -> None:
    """Types in upper case; a code's words are Meta's."""
    sent = created(NAMED_BODY, buttons({"type": "quick_reply", "text": "Yes"}), parameter_format="named")
    assert [part["type"] for part in sent.components] == ["BODY", "BUTTONS"]
    assert (sent.buttons(), sent.parameter_format) == ([{"type": "QUICK_REPLY", "text": "Yes"}], "NAMED")
    code = created(
        {"type": "body", "add_security_recommendation": True},
        {"type": "footer", "code_expiration_minutes": 10},
        buttons(OTP),
        category="authentication",
    )
    assert [part.get("text") for part in code.components] == [
        "*{{1}}* is your verification code. For your security, do not share this code.",
        "This code expires in 10 minutes.",
        None,
    ]
    assert code.buttons() == [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Your order is on its way.", "UTILITY"),
        ("Your order is on its way. Here is a coupon for you.", "MARKETING"),
        ("Deine Bestellung ist da, und es gibt Rabatt.", "MARKETING"),
        ("Everything is 20% off today.", "MARKETING"),
    ],
)
def test_promotion_is_no_utility(text: str, category: str) -> None:
    """A utility template that advertises is made a marketing one, whatever was asked for."""
    assert created(body(text)).category == category


FOOTED = {"type": "FOOTER", "text": "STOP ends this."}


@pytest.mark.parametrize(
    ("parts", "changes", "is_duplicate"),
    [
        pytest.param((body("Hi there."), FOOTED), {"name": "other"}, True, id="same words under another name"),
        pytest.param((body("Hi there."), FOOTED), {"name": "sent", "language": "en_GB"}, False, id="a translation"),
        pytest.param((body("Hi there."),), {"name": "other"}, False, id="another footer"),
        pytest.param((body("Hi you."), FOOTED), {"name": "other"}, False, id="another body"),
    ],
)
def test_duplicates(parts: tuple[Any, ...], changes: dict[str, Any], is_duplicate: bool) -> None:
    """The same body and footer may be there once."""
    others = [created(body("Hi there."), FOOTED)]
    template = created(*parts, **changes)
    if is_duplicate:
        with pytest.raises(Refused, match="The template sent has the same body and footer in en_US"):
            check_duplicate(template, others)
    else:
        check_duplicate(template, others)
