"""Which refusals tell that more than this one message is too fast, how wide that goes, and how long to pause.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
131056 concerns one customer only: the message itself waits, and with it what follows it (retry.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from rasa_whatsapp.cloud import direct_send
from rasa_whatsapp.cloud.graph_errors import Disposition, disposition_of


class Scope(Enum):
    """Who is to send more slowly."""

    NUMBER = "number"
    ACCOUNT = "account"  # all numbers of the business account, or of the app


REPORTED_AS_SPAM = 131048


@dataclass(frozen=True, slots=True)
class Slowdown:
    """What one kind of refusal asks for: the first pause, which doubles with each refusal in a row, up to the longest."""

    scope: Scope
    first: timedelta
    longest: timedelta

    def pause(self, in_a_row: int) -> timedelta:
        """Return how long to pause after so many refusals in a row (from 1)."""
        doubled: timedelta = self.first * 2 ** min(in_a_row - 1, 16)
        return min(doubled, self.longest)


_A_WHILE = timedelta(minutes=5)
# code -> slowdown (fact sheet 8.2 and 9)
SLOWDOWNS: dict[int, Slowdown] = {
    4: Slowdown(Scope.ACCOUNT, timedelta(seconds=5), _A_WHILE),  # the app's call rate
    80007: Slowdown(Scope.ACCOUNT, timedelta(seconds=5), _A_WHILE),  # the account's rate
    130429: Slowdown(Scope.NUMBER, timedelta(milliseconds=500), timedelta(seconds=30)),  # the number's throughput
    131057: Slowdown(Scope.NUMBER, timedelta(seconds=30), timedelta(minutes=1)),  # maintenance of about a minute
    2494100: Slowdown(Scope.NUMBER, timedelta(seconds=30), _A_WHILE),  # maintenance of some minutes
}


def concerns_number(code: int) -> bool:
    """Tell whether a refusal says something about all messages of the number, and not only about the one that it met."""
    return code in SLOWDOWNS or concerns_all_servers(code, disposition_of(code)[0])


def concerns_all_servers(code: int, disposition: Disposition) -> bool:
    """Tell whether other servers should hear of a refusal. That one goes too fast passes by itself.

    Code 0 may stand for no answer at all, so the disposition counts and not that of the code.
    """
    return disposition is Disposition.STOP_SENDING or code == REPORTED_AS_SPAM or direct_send.closes(code)
