"""Templates: what the catalogue may hold, which translation is chosen, how it is filled, and what is refused."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUnusable, TemplateUse, fill, read_translation
from rasa_whatsapp.cloud.templates.values import lawful

PLAIN = {
    "name": "order_follow_up",
    "language": "en",
    "category": "UTILITY",
    "status": "APPROVED",
    "parameter_format": "NAMED",
    "components": [
        {"type": "BODY", "text": "Hi {{name}}, did your order {{order_id}} arrive? {{name}}, tell us."},
        {"type": "FOOTER", "text": "STOP ends these messages."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Yes"},
                {"type": "QUICK_REPLY", "text": "No"},
                {"type": "URL", "text": "Shop", "url": "https://shop.example"},
            ],
        },
    ],
}
VALUES = {"name": "Lea", "order_id": "1002"}


def positional(text, header=None, **more):
    """Return a translation with numbered variables."""
    components = [{"type": "body", "text": text}]
    if header is not None:
        components.append({"type": "header", "format": "text", "text": header})
    return read_translation({"name": "p", "language": "en", "category": "utility", "components": components} | more)


def use(**parameters):
    """Return a wish with these parameters."""
    return TemplateUse(name="order_follow_up", parameters=parameters)


def test_named_parameters():
    """Each variable is given once, by its name, in the order of the body; the preview is what the customer reads."""
    message = fill(read_translation(PLAIN), TemplateUse(name="order_follow_up", parameters=VALUES))
    assert message.content == {
        "name": "order_follow_up",
        "language": {"code": "en"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "parameter_name": "name", "text": "Lea"},
                    {"type": "text", "parameter_name": "order_id", "text": "1002"},
                ],
            }
        ],
    }
    assert message.preview == "Hi Lea, did your order 1002 arrive? Lea, tell us."
    assert (message.name, message.language, message.category) == ("order_follow_up", "en", "UTILITY")


def test_positional_parameters_go_in_the_order_of_their_numbers():
    """Meta takes numbered values by order: 1 comes first wherever it stands, 10 after 2."""
    text = "{{2}} of {{1}} " + " ".join(f"{{{{{number}}}}}" for number in range(3, 11))
    values = {str(number): f"v{number}" for number in range(1, 11)}
    message = fill(positional(text), TemplateUse(name="p", parameters=values))
    assert [parameter["text"] for parameter in message.content["components"][0]["parameters"]] == [
        "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
    ]  # fmt: skip
    assert message.preview.startswith("v2 of v1 v3")


def test_header_and_body_have_their_own_components():
    """A text header's variable is filled as well."""
    message = fill(positional("It is {{1}}.", "Order {{1}}"), TemplateUse(name="p", parameters={"1": "x"}))
    assert [component["type"] for component in message.content["components"]] == ["header", "body"]


def test_a_template_without_variables_has_no_components():
    """Static parts are never sent."""
    assert fill(positional("Hello."), TemplateUse(name="p", parameters={})).content == {
        "name": "p",
        "language": {"code": "en"},
    }


def test_payloads_of_quick_replies():
    """Payloads go to the quick replies in order, under the index over all buttons."""
    plain = PLAIN | {"components": [*PLAIN["components"][:2], dict(PLAIN["components"][2])]}
    plain["components"][2]["buttons"] = list(reversed(PLAIN["components"][2]["buttons"]))
    wish = TemplateUse(name="x", parameters=VALUES, payloads=("/deny", "/affirm"))
    assert fill(read_translation(plain), wish).content["components"][1:] == [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "/deny"}],
        },
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "2",
            "parameters": [{"type": "payload", "payload": "/affirm"}],
        },
    ]


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        pytest.param(use(name="Lea"), "parameter 'order_id' has no value", id="one is missing"),
        pytest.param(use(name="Lea", order_id=""), "parameter 'order_id' has no value", id="empty"),
        pytest.param(use(name="Lea", order_id=" \n"), "parameter 'order_id' has no value", id="blank"),
        pytest.param(use(name="Lea", order_id="None"), "parameter 'order_id' has no value", id="an empty slot"),
        pytest.param(use(name="Lea", order_id="{order_id}"), "parameter 'order_id' has no value", id="no such slot"),
        pytest.param(
            use(name="Lea", order_id="no. {order_id}"), "parameter 'order_id' has no value", id="no such slot inside"
        ),
        pytest.param(use(**VALUES, extra="x"), "has no parameter 'extra'", id="one too many"),
        pytest.param(use(name="Lea", order_id="x" * 1000), "its body has 1045 characters once filled", id="too long"),
        pytest.param(use(name="Lea", order_id="🙂" * 500), "its body has 1045 characters once filled", id="emoji"),
        pytest.param(
            TemplateUse(name="order_follow_up", parameters=VALUES, payloads=("/a", "/b", "/c")),
            "has 2 quick-reply buttons; the response fills 3",
            id="too many payloads",
        ),
    ],
)
def test_unusable(wish, reason):
    """What Meta would refuse is refused before, with a reason that names template and parameter."""
    with pytest.raises(TemplateUnusable) as refused:
        fill(read_translation(PLAIN), wish)
    assert str(refused.value).startswith("template 'order_follow_up'")
    assert reason in str(refused.value)


def test_the_longest_body_that_fits():
    """1,024 units are allowed."""
    fixed = len("Hi Lea, did your order  arrive? Lea, tell us.")
    value = "x" * (1024 - fixed)
    assert len(fill(read_translation(PLAIN), use(name="Lea", order_id=value)).preview) == 1024


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("a\r\n\r\nb", "a b"),
        ("tab\there", "tab here"),
        ("four    blanks", "four    blanks"),
        ("five     blanks", "five blanks"),
        ("a    \n    b", "a b"),
        ("Straße 🙂", "Straße 🙂"),
        ("", ""),
    ],
)
def test_lawful(value, result):
    """Line breaks, tabs and runs of more than four blanks go; all else stays."""
    assert lawful(value) == result


def in_languages(*languages, status="APPROVED"):
    """Return a catalogue with one template in these languages."""
    return TemplateBook(tuple(positional("x", language=language, status=status) for language in languages))


@pytest.mark.parametrize(
    ("have", "wanted", "found"),
    [
        (["en", "de"], ["de"], "de"),
        (["en", "de_AT"], ["de"], "de_AT"),
        (["en", "de"], ["de_CH"], "de"),
        (["en_GB", "en_US"], ["en-US"], "en_US"),
        (["en_GB", "en_US"], ["en"], "en_US"),
        (["en", "en_US"], ["en"], "en"),
        (["en", "de"], ["fr", "de", "en"], "de"),
        (["en"], ["", "en"], "en"),
        (["en"], ["fr"], None),
        (["en"], [], None),
        (["fil"], ["fi"], None),
    ],
)
def test_languages(have, wanted, found):
    """The first wanted language that has a translation, exact before related; never just any language."""
    book = in_languages(*have)
    if found is None:
        with pytest.raises(TemplateUnusable):
            book.find("p", wanted)
    else:
        assert book.find("p", wanted).language == found


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "ARCHIVED", "paused", "nonsense"])
def test_only_approved_ones_are_found(status):
    """Every other state is refused by name."""
    with pytest.raises(TemplateUnusable, match=f"not approved .it is {status.upper()}"):
        in_languages("en", status=status).find("p", ["en"])


def test_the_approved_language_wins_over_the_wanted_one_that_is_paused():
    """A paused translation is no candidate; the fallback language is."""
    book = TemplateBook((positional("x", language="de", status="PAUSED"), positional("x", language="en")))
    assert book.prepare(TemplateUse(name="p", parameters={}, language="de"), ["en"]).language == "en"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": None}, "name is missing"),
        ({"name": 7}, "name is missing"),
        ({"language": ""}, "language is missing"),
        ({"category": "SALES"}, "category is 'SALES'; expected UTILITY, MARKETING or AUTHENTICATION"),
        ({"components": None}, "components is missing"),
        ({"components": ["x"]}, "components is missing"),
        ({"components": []}, "no BODY"),
        ({"components": [{"type": "BODY", "text": 5}]}, "no BODY"),
        ({"components": [{"type": "BODY"}]}, "no BODY"),
        ({"parameter_format": "POSITIONAL"}, "parameter_format must be NAMED"),
        (
            {"components": [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": "Yes"}]},
            "buttons is not a list",
        ),
    ],
)
def test_broken_entries_of_the_catalogue(change, problem):
    """Each is a ValueError that names the field."""
    with pytest.raises(ValueError, match=problem):
        read_translation(PLAIN | change)
