"""What an operator decides about templates in Meta's place: the webhook of each change, what comes by the clock, previews."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.template_previews import preview

from .conftest import LEA, Bot, Simulator, eventually

HOUR = 3600
STATUS, QUALITY, CATEGORY = (
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
)
# spring_sale is in pt_BR, which webhooks spell pt-BR.
SALE = "templates/spring_sale/pt_BR"
WHO = {
    "message_template_id": 285135745732060,
    "message_template_name": "spring_sale",
    "message_template_language": "pt-BR",
}
WHAT = {**WHO, "message_template_category": "MARKETING"}


async def told(bot: Bot, field: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait for so many webhooks of a field."""
    values: list[dict[str, Any]] = await eventually(
        lambda: len(bot.values(field)) >= count and bot.values(field), f"{count} of {field}"
    )
    return values


async def pass_time(simulator: Simulator, seconds: float) -> None:
    """Move the clock."""
    await simulator.post("clock", {"advance_seconds": seconds})


def date_of(simulator_clock: dict[str, Any]) -> str:
    """Return the day of a shown clock."""
    return str(simulator_clock["now"])[:10]


STATUSES = [
    pytest.param({"status": "APPROVED"}, {"event": "APPROVED", **WHAT, "reason": "NONE"}, id="approve"),
    pytest.param({"status": "REJECTED"}, {"event": "REJECTED", **WHAT, "reason": "NONE"}, id="reject"),
    pytest.param(
        {"status": "REJECTED", "reason": "PROMOTIONAL"},
        {"event": "REJECTED", **WHAT, "reason": "PROMOTIONAL"},
        id="reject with a reason",
    ),
    pytest.param(
        {"status": "REJECTED", "reason": "INVALID_FORMAT", "recommendation": "Say what was ordered."},
        {
            "event": "REJECTED",
            **WHAT,
            "reason": "INVALID_FORMAT",
            "rejection_info": {"reason": "Invalid format", "recommendation": "Say what was ordered."},
        },
        id="reject with a recommendation",
    ),
    pytest.param(
        {"status": "PAUSED"},
        {
            "event": "PAUSED",
            **WHAT,
            "reason": "NONE",
            "other_info": {"title": "FIRST_PAUSE", "description": "Paused for 3 hours because of its low quality."},
        },
        id="pause",
    ),
    pytest.param({"status": "ARCHIVED"}, {"event": "ARCHIVED", **WHAT, "reason": "NONE"}, id="archive"),
    pytest.param({"status": "IN_APPEAL"}, {"event": "IN_APPEAL", **WHAT, "reason": "NONE"}, id="appeal"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(("body", "value"), STATUSES)
async def test_status_is_told(simulator: Simulator, bot: Bot, body: dict[str, Any], value: dict[str, Any]) -> None:
    """The template has the status, the bot exactly this value."""
    shown = await simulator.put(SALE, body)
    assert (shown["status"], shown["rejected_reason"]) == (body["status"], body.get("reason", "NONE"))
    assert await told(bot, STATUS) == [value]


@pytest.mark.asyncio
async def test_disable_and_reinstate(simulator: Simulator, bot: Bot) -> None:
    """A disabled template tells the day; approved again it is reinstated."""
    day = date_of(await simulator.get("clock"))
    await simulator.put(SALE, {"status": "DISABLED"})
    await simulator.put(SALE, {"status": "APPROVED"})
    disabled, reinstated = await told(bot, STATUS, 2)
    assert disabled == {
        "event": "DISABLED",
        **WHAT,
        "reason": "NONE",
        "disable_info": {"disable_date": day},
        "other_info": {"title": "DISABLED", "description": "The template is disabled because of its low quality."},
    }
    assert reinstated == {"event": "REINSTATED", **WHAT, "reason": "NONE"}


@pytest.mark.asyncio
async def test_pauses_end_by_the_clock_and_the_third_is_none(simulator: Simulator, bot: Bot) -> None:
    """Three hours, six hours, then disabled for good."""
    for hours in (3, 6):
        assert (await simulator.put(SALE, {"status": "PAUSED"}))["status"] == "PAUSED"
        await pass_time(simulator, hours * HOUR - 60)
        assert await status_of_sale(simulator) == "PAUSED"
        await pass_time(simulator, 61)
        assert await status_of_sale(simulator) == "APPROVED"
    assert (await simulator.put(SALE, {"status": "PAUSED"}))["status"] == "DISABLED"
    await pass_time(simulator, 90 * 24 * HOUR)
    assert await status_of_sale(simulator) == "DISABLED"
    values = await told(bot, STATUS, 5)
    assert [(value["event"], value["other_info"]["title"]) for value in values] == [
        ("PAUSED", "FIRST_PAUSE"),
        ("APPROVED", "UNPAUSE"),
        ("PAUSED", "SECOND_PAUSE"),
        ("APPROVED", "UNPAUSE"),
        ("DISABLED", "DISABLED"),
    ]


async def status_of_sale(simulator: Simulator) -> str:
    """Return the status of spring_sale."""
    listed = (await simulator.get("templates"))["templates"]
    return str(next(one["status"] for one in listed if one["name"] == "spring_sale"))


@pytest.mark.asyncio
async def test_unpaused_by_hand_stays_so(simulator: Simulator, bot: Bot) -> None:
    """The end of the pause that was planned tells nothing any more."""
    await simulator.put(SALE, {"status": "PAUSED"})
    await simulator.put(SALE, {"status": "APPROVED"})
    await pass_time(simulator, 4 * HOUR)
    await simulator.put(SALE, {"status": "ARCHIVED"})
    assert [value["event"] for value in await told(bot, STATUS, 3)] == ["PAUSED", "APPROVED", "ARCHIVED"]


@pytest.mark.asyncio
async def test_quality_is_told(simulator: Simulator, bot: Bot) -> None:
    """Both scores go with it."""
    await simulator.put(SALE, {"quality": "GREEN"})
    shown = await simulator.put(SALE, {"quality": "RED"})
    assert (shown["quality_score"]["score"], isinstance(shown["quality_score"]["date"], int)) == ("RED", True)
    assert await told(bot, QUALITY, 2) == [
        {"previous_quality_score": "UNKNOWN", "new_quality_score": "GREEN", **WHO},
        {"previous_quality_score": "GREEN", "new_quality_score": "RED", **WHO},
    ]


@pytest.mark.asyncio
async def test_category_at_once(simulator: Simulator, bot: Bot) -> None:
    """Done is told with the previous one."""
    shown = await simulator.put(SALE, {"category": "UTILITY"})
    assert (shown["category"], shown["previous_category"]) == ("UTILITY", "MARKETING")
    assert await told(bot, CATEGORY) == [{**WHO, "previous_category": "MARKETING", "new_category": "UTILITY"}]


@pytest.mark.asyncio
async def test_category_is_announced_and_comes(simulator: Simulator, bot: Bot) -> None:
    """In the announcement new_category is the present one; a day later the change is told."""
    before = await simulator.get("clock")
    shown = await simulator.put(SALE, {"category": "UTILITY", "announced": True})
    assert (shown["category"], shown["correct_category"]) == ("MARKETING", "UTILITY")
    await pass_time(simulator, 24 * HOUR + 1)
    announced, done = await told(bot, CATEGORY, 2)
    due = announced.pop("category_update_timestamp")
    assert announced == {**WHO, "correct_category": "UTILITY", "new_category": "MARKETING"}
    assert shown["category_at"] > before["now"]
    assert isinstance(due, int)
    assert done == {**WHO, "previous_category": "MARKETING", "new_category": "UTILITY"}
    (sale,) = [one for one in (await simulator.get("templates"))["templates"] if one["name"] == "spring_sale"]
    assert (sale["category"], sale["category_at"], "correct_category" in sale) == ("UTILITY", None, False)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "give one of status, quality, category"),
        ({"status": "PAUSED", "quality": "RED"}, "give one of status, quality, category"),
        ({"status": "REJECTED", "reason": "UGLY"}, "reason must be one of ABUSIVE_CONTENT"),
        ({"status": "PAUSED", "reason": "SCAM"}, "reason goes with the status REJECTED only"),
        ({"quality": "BLUE"}, "quality must be one of GREEN, YELLOW, RED, UNKNOWN"),
        ({"category": "NEWS"}, "category must be one of UTILITY, MARKETING, AUTHENTICATION"),
        ({"category": "MARKETING"}, "the template is of category MARKETING already"),
        ({"category": "UTILITY", "announced": 1}, "announced must be true or false"),
    ],
)
async def test_what_cannot_be_decided(simulator: Simulator, body: dict[str, Any], problem: str) -> None:
    """Refused with a sentence."""
    assert (await simulator.put(SALE, body, 400))["error"].startswith(problem)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PENDING", 132001),
        ("REJECTED", 132001),
        ("IN_APPEAL", 132001),
        ("ARCHIVED", 132001),
        ("LIMIT_EXCEEDED", 132001),
        ("PENDING_DELETION", 132001),
        ("DELETED", 132001),
        ("PAUSED", 132015),
        ("DISABLED", 132016),
    ],
)
async def test_what_is_not_approved_cannot_be_sent(simulator: Simulator, status: str, code: int) -> None:
    """Each status has its code."""
    await simulator.put(SALE, {"status": status})
    template = {"name": "spring_sale", "language": {"code": "pt_BR"}}
    sent = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "template", "template": template}
    assert (await simulator.graph(sent))[1]["error"]["code"] == code


def template(*components: dict[str, Any], form: str = "POSITIONAL") -> Template:
    """Return a template of these components."""
    return Template(
        id="1",
        name="sent",
        language="en",
        category="UTILITY",
        status="APPROVED",
        parameter_format=form,
        components=components,
    )


NAMED = {"body_text_named_params": [{"param_name": "order", "example": "1002"}]}
PREVIEWS = [
    pytest.param(
        template({"type": "BODY", "text": "{{2}} and {{1}}", "example": {"body_text": [["one", "two"]]}}),
        {"text": "two and one"},
        id="numbered examples",
    ),
    pytest.param(
        template({"type": "BODY", "text": "Order {{order}}!", "example": NAMED}, form="NAMED"),
        {"text": "Order 1002!"},
        id="named examples",
    ),
    pytest.param(template({"type": "BODY", "text": "Order {{1}}!"}), {"text": "Order {{1}}!"}, id="no example"),
    pytest.param(
        template({"type": "BODY", "text": "Order {{1}}!", "example": {"body_text": "1002"}}),
        {"text": "Order {{1}}!"},
        id="example of a file that is none",
    ),
    pytest.param(
        template(
            {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["Lea"]}},
            {"type": "BODY", "text": "Hi."},
            {"type": "FOOTER", "text": "STOP ends this."},
        ),
        {"text": "Hi.", "header": "For Lea", "footer": "STOP ends this."},
        id="header and footer",
    ),
    pytest.param(
        template({"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi."}),
        {"text": "Hi.", "media": {"kind": "image"}},
        id="picture",
    ),
]


@pytest.mark.parametrize(("made", "parts"), PREVIEWS)
def test_preview(made: Template, parts: dict[str, Any]) -> None:
    """The phone's look, filled with the examples."""
    shown = {"buttons": [], "template": {"name": "sent", "language": "en", "category": "UTILITY"}, **parts}
    assert preview(made).to_json() == shown


def test_preview_of_buttons() -> None:
    """Their labels, in order."""
    made = template(
        {"type": "BODY", "text": "Hi."},
        {
            "type": "BUTTONS",
            "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "URL", "text": "Shop"}, {"type": "COPY_CODE"}],
        },
    )
    assert preview(made).to_json()["buttons"] == [
        {"id": "0", "title": "Yes", "kind": "quick_reply"},
        {"id": "1", "title": "Shop", "kind": "url"},
        {"id": "2", "title": "Copy offer code", "kind": "copy_code"},
    ]


def test_preview_of_cards() -> None:
    """Each with its picture, its words and its buttons; a product is named only when it is sent."""
    reply = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "This one"}]}
    words = {"type": "BODY", "text": "For {{1}}.", "example": {"body_text": [["Lea"]]}}
    cards = [
        {"components": [{"type": "HEADER", "format": "IMAGE"}, words, reply]},
        {"components": [{"type": "HEADER", "format": "PRODUCT"}]},
    ]
    made = template({"type": "BODY", "text": "Look!"}, {"type": "CAROUSEL", "cards": cards})
    assert preview(made).to_json()["carousel"] == [
        {
            "card_index": 0,
            "media": {"kind": "image"},
            "text": "For Lea.",
            "buttons": [{"id": "0", "title": "This one", "kind": "quick_reply"}],
        },
        {"card_index": 1, "text": "A product, named with each message", "buttons": []},
    ]


def test_preview_of_an_offer() -> None:
    """Its line stands above the body."""
    offer = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Only today", "has_expiration": True}}
    assert preview(template({"type": "BODY", "text": "Half price."}, offer)).text == "Only today\n\nHalf price."
