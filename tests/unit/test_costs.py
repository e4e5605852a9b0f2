"""What Meta said of a message's price is added up by day: once for each message, whatever is delivered again or out of order."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pytest

from rasa_whatsapp import housekeeping
from rasa_whatsapp.cloud.pricing import Charge, Pricing
from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.storage import costs
from rasa_whatsapp.storage.costs import Counted, Sum

pytestmark = pytest.mark.asyncio

SERVICE = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
UTILITY = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
FREE = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
AMERICAN = "12025550123"


def kept(stage):
    """Return the sums, short: day of the month, country, category, type, template and messages."""
    return sorted(
        (row["day"].day, row["country"], row["category"], row["type"], row["template"], row["messages"])
        for row in stage.rows("costs")
    )


async def test_each_message_counts_once(stage):
    """It does when it arrives; what is delivered again, or read later, changes nothing."""
    await stage.start()
    sent = stage.status("wamid.X", "sent", pricing=SERVICE)
    delivered = stage.status("wamid.X", "delivered", pricing=SERVICE)
    await stage.receive(sent)
    assert kept(stage) == []
    await stage.receive(delivered)
    await stage.receive(delivered, sent)
    await stage.advance(days=1)
    await stage.receive(stage.status("wamid.X", "read"))
    assert kept(stage) == [(22, "DE", "service", "regular", "", 1)]


async def test_any_order_has_the_same_end(stage):
    """One by one, in each order; and all in one body."""
    await stage.start()
    orders = list(permutations(["sent", "delivered", "read"]))
    for number, order in enumerate(orders):
        for told in order:
            pricing = {} if told == "read" else {"pricing": SERVICE}
            await stage.receive(stage.status(f"wamid.{number}", told, **pricing))
    await stage.receive(*(stage.status("wamid.ALL", told, pricing=SERVICE) for told in orders[5]))
    assert kept(stage) == [(22, "DE", "service", "regular", "", 7)]


async def test_what_is_told_apart(stage):
    """Country, category, type and day; a hidden number's country is unknown."""
    await stage.start()
    await stage.receive(
        stage.status("wamid.A", "delivered", pricing=SERVICE),
        stage.status("wamid.B", "delivered", pricing=FREE),
        stage.status("wamid.C", "delivered", pricing=SERVICE, recipient_id=AMERICAN),
        stage.status("wamid.D", "delivered", pricing=SERVICE, recipient_id=None, recipient_user_id="DE.9Zk3abc"),
        stage.status("wamid.E", "failed", code=131026),
        stage.status("wamid.F", "delivered"),
    )
    await stage.advance(days=1)
    await stage.receive(stage.status("wamid.G", "read", pricing=UTILITY))
    assert kept(stage) == [
        (22, "", "service", "regular", "", 1),
        (22, "DE", "service", "free_customer_service", "", 1),
        (22, "DE", "service", "regular", "", 1),
        (22, "US", "service", "regular", "", 1),
        (23, "DE", "utility", "regular", "", 1),
    ]


async def test_the_template_is_told(stage):
    """What went as a template has its name, whether the status comes by Meta's id or by our key; free form has none."""
    body = {"components": [{"type": "BODY", "text": "News"}]}
    book = TemplateBook((read_translation({"name": "news", "language": "en", "category": "UTILITY", **body}),))
    await stage.start(delivery=DeliveryRules(templates=book, fallback_languages=("en",)))
    await stage.receive(stage.message())
    response = {"text": "News", "custom": {"template": {"name": "news"}}}
    await stage.say(stage.contact_id, "inside", 1, response, proactive=False)
    await stage.idle()
    await stage.advance(hours=25)
    await stage.say(stage.contact_id, "outside", 1, response, proactive=True)
    await stage.idle()
    assert stage.graph.texts == ["News", "template news"]
    await stage.receive(
        stage.status("wamid.OUT1", "delivered", pricing=SERVICE),
        stage.status("wamid.OUT2", "delivered", pricing=UTILITY),
        stage.status("wamid.LOST", "delivered", pricing=UTILITY, key="outside#1"),
    )
    assert kept(stage) == [
        (23, "DE", "service", "regular", "", 1),
        (23, "DE", "utility", "regular", "news", 2),
    ]


async def test_the_second_template_of_a_response_is_told(stage):
    """The one that went, not the one that could not."""
    body = {"language": "en", "category": "UTILITY", "components": [{"type": "BODY", "text": "News"}]}
    declared = ({"name": "paused", "status": "PAUSED"}, {"name": "news"})
    book = TemplateBook(tuple(read_translation(body | each) for each in declared))
    await stage.start(delivery=DeliveryRules(templates=book, fallback_languages=("en",)))
    await stage.receive(stage.message())
    await stage.advance(hours=25)
    response = {"custom": {"template": [{"name": "paused"}, {"name": "news"}]}}
    await stage.say(stage.contact_id, "outside", 1, response, proactive=True)
    await stage.idle()
    await stage.receive(stage.status("wamid.OUT1", "delivered", pricing=UTILITY))
    assert kept(stage) == [(23, "DE", "utility", "regular", "news", 1)]


async def test_another_business_number(stage, body):
    """Statuses of a number that this bot does not have are none of its costs."""
    await stage.start()
    foreign = body(stage.status("wamid.A", "delivered", pricing=SERVICE), number_id="100000000000009")
    await stage.hand_in(foreign)
    assert kept(stage) == []


async def test_sums_outlive_the_messages(stage):
    """The statuses are forgotten, what they came to is not."""
    await stage.start()
    await stage.receive(stage.status("wamid.A", "delivered", pricing=SERVICE))
    await stage.advance(days=91)
    await housekeeping.forget_old(stage.database, stage.clock.now() - timedelta(days=90))
    assert stage.rows("statuses") == []
    assert kept(stage) == [(22, "DE", "service", "regular", "", 1)]


def counted(day, country, kind, *, template="", times=1):
    """Return messages of a category and type that arrived on a day of November."""
    category, _, told = kind.partition("/")
    charge = Charge(date(2026, 11, day), Pricing(category, told, told == "regular"))
    return [Counted(charge=charge, number_id="1", country=country, template=template)] * times


COUNTED = [
    *counted(1, "DE", "service/regular", times=3),
    *counted(1, "DE", "service/free_customer_service", times=2),
    *counted(2, "FR", "service/regular"),
    *counted(2, "DE", "marketing/regular", template="news", times=4),
    *counted(3, "DE", "service/free_entry_point"),
    *counted(3, "DE", "group_service/free_group_customer_service"),
]


@pytest.mark.parametrize(
    ("by", "since", "until", "expected"),
    [
        (("category",), None, None, [(("group_service",), 1, 0, 0, 0, 1), (("marketing",), 4, 4, 0, 0, 0), (("service",), 7, 4, 2, 1, 0)]),
        (("country",), None, None, [(("DE",), 11, 7, 2, 1, 1), (("FR",), 1, 1, 0, 0, 0)]),
        (("day", "country"), 1, 2, [((1, "DE"), 5, 3, 2, 0, 0), ((2, "DE"), 4, 4, 0, 0, 0), ((2, "FR"), 1, 1, 0, 0, 0)]),
        (("template",), 2, 2, [(("",), 1, 1, 0, 0, 0), (("news",), 4, 4, 0, 0, 0)]),
        (("type", "number"), 3, None, [(("free_entry_point", "1"), 1, 0, 0, 1, 0), (("free_group_customer_service", "1"), 1, 0, 0, 0, 1)]),
        ((), None, 1, [((), 5, 3, 2, 0, 0)]),
        ((), 4, None, []),
        (("country",), 4, None, []),
    ],
)  # fmt: skip
async def test_sums(database, by, since, until, expected):
    """They are told apart as asked, of the days that are asked for: all, charged, free in the window, by an ad, otherwise."""
    database.run_now(costs.count, COUNTED[:5])
    database.run_now(costs.count, COUNTED[5:])
    days = [date(2026, 11, day) if day else None for day in (since, until)]
    found: list[Sum] = database.run_now(costs.sums, by, *days)
    short = [
        (
            tuple(value.day if isinstance(value, date) else value for value in each.values),
            each.messages,
            each.billable,
            each.free_in_window,
            each.free_entry_point,
            each.free_otherwise,
        )
        for each in found
    ]
    assert short == expected
