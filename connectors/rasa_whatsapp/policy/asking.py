"""When a customer whom a template could not ask to write may be asked again: what failed because of them fails again soon.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from datetime import datetime, timedelta

REST = timedelta(hours=24)  # what Meta names for 131049; after 131026 it says not to loop (fact sheet 8.2)
# What Meta says of this customer: blocked by us, in an experiment, in a country, unreachable, no tester, spared, unwilling, without a number.
ABOUT_THE_CUSTOMER = frozenset({130403, 130472, 130497, 131026, 131030, 131049, 131050, 131062})


def may_ask_again(code: int | None, tried_at: datetime | None, now: datetime) -> bool:
    """Tell whether the next message that is parked may ask again, after a template that was tried then and ended with this code; None: the gate refused it."""
    return code not in ABOUT_THE_CUSTOMER or tried_at is None or now - tried_at >= REST
