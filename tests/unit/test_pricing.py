"""What the statuses of a message say about its price, and when it is charged."""

from __future__ import annotations

from datetime import date, datetime, timezone
from itertools import permutations

import pytest

from rasa_whatsapp.cloud.pricing import Charge, Pricing, Told, charge_of

LATE = datetime(2026, 11, 22, 23, 59, 50, tzinfo=timezone.utc)
NEXT_DAY = datetime(2026, 11, 23, 0, 0, 10, tzinfo=timezone.utc)
UTILITY = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
MARKETING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}
ON_22, ON_23 = date(2026, 11, 22), date(2026, 11, 23)


def told(status, pricing=None, at=LATE):
    """Return one status."""
    return Told(status, at, pricing)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], None),
        ([told("sent", UTILITY)], None),
        ([told("failed", UTILITY)], None),
        ([told("delivered")], None),
        ([told("sent", UTILITY), told("delivered", UTILITY)], (ON_22, "utility")),
        ([told("sent", UTILITY), told("delivered")], (ON_22, "utility")),
        ([told("sent", UTILITY), told("read")], (ON_22, "utility")),
        ([told("sent"), told("delivered", UTILITY)], (ON_22, "utility")),
        ([told("delivered", UTILITY)], (ON_22, "utility")),
        ([told("played", UTILITY)], (ON_22, "utility")),
        ([told("sent", UTILITY), told("delivered", at=NEXT_DAY)], (ON_23, "utility")),
        ([told("delivered", UTILITY), told("read", at=NEXT_DAY)], (ON_22, "utility")),
        ([told("sent", UTILITY), told("delivered", MARKETING)], (ON_22, "marketing")),
        ([told("delivered", UTILITY), told("failed")], (ON_22, "utility")),
        ([told("sent", UTILITY), told("delivered", {})], (ON_22, "utility")),
    ],
    ids=[
        "nothing told",
        "sent is not charged",
        "failed is not charged",
        "arrived, but nothing is named",
        "named twice",
        "named on sent alone",
        "delivered left out",
        "named on delivered alone",
        "sent left out",
        "a voice message that was heard",
        "arrived on the next day",
        "read on the next day",
        "named otherwise at last",
        "failed on another device",
        "an empty object",
    ],
)
def test_when_a_message_is_charged(statuses, expected):
    """It is once it arrived, on the day on which it did; in whichever order its statuses came."""
    wanted = expected and Charge(expected[0], Pricing(expected[1], "regular", True))
    assert [charge_of(order) for order in permutations(statuses)] == [wanted] * len(list(permutations(statuses)))


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        (UTILITY, Pricing("utility", "regular", True)),
        ({"billable": False, "type": "free_customer_service", "category": "service"},
         Pricing("service", "free_customer_service", False)),
        ({"billable": False, "type": "free_entry_point", "category": "referral_conversion"},
         Pricing("referral_conversion", "free_entry_point", False)),
        ({"type": "regular", "category": "service"}, Pricing("service", "regular", True)),
        ({"type": "free_entry_point", "category": "service"}, Pricing("service", "free_entry_point", False)),
        ({"billable": True, "type": "free_tomorrow", "category": "service"}, Pricing("service", "free_tomorrow", False)),
        ({"billable": True, "type": "tomorrow", "category": "service"}, Pricing("service", "tomorrow", True)),
        ({"billable": True, "pricing_model": "CBP", "category": "utility"}, Pricing("utility", "regular", True)),
        ({"billable": False, "category": "utility"}, Pricing("utility", "unknown", False)),
        ({"billable": "yes", "type": 7, "category": ["utility"]}, Pricing("unknown", "unknown", False)),
        ({"type": "regular", "category": "u" * 41}, Pricing("u" * 40, "regular", True)),
    ],
    ids=[
        "charged", "free in the window", "free after an ad", "billable gone", "billable gone, free", "type before billable",
        "a type of tomorrow", "before there were types", "free, not said why", "nonsense", "longer than the store takes",
    ],
)  # fmt: skip
def test_what_a_message_is(pricing, expected):
    """Category, type, and whether Meta charges it."""
    assert charge_of([told("delivered", pricing)]) == Charge(ON_22, expected)
