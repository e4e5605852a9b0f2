"""How fast a business may send: each number's throughput and the pair rate to one customer (fact sheet 9).

Pure but for what was counted: the time is an argument, in unix seconds of the simulated clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp.simulator.refusals import Refused

PAIR_SECONDS = 6
PAIR_BURST = 45
TOO_FAST = (
    "Message failed to send because there were too many messages sent from this phone number in a short period of time."
)
TOO_MANY_TO_ONE = (
    "Too many messages sent from the sender phone number to the same recipient phone number in a short period of time."
)
ROUNDING = 1e-3
# Pairs that are back at a full burst are forgotten, whenever there are twice as many as were left the last time.
FORGET_FROM = 10_000


@dataclass(slots=True, kw_only=True)
class Bucket:
    """So many tokens at most, so many more each second; it begins full."""

    size: float
    per_second: float
    tokens: float
    at: float

    def has_token(self, now: float) -> bool:
        """Tell whether a token is there; what fell in since the last look is added first."""
        # Whoever sends exactly at the rate must not fail by a rounding error.
        self.tokens = min(self.size, self.tokens + max(now - self.at, 0.0) * self.per_second)
        self.at = now
        return self.tokens >= 1 - ROUNDING

    def take(self) -> None:
        """Take a token out, if there is one."""
        self.tokens = max(self.tokens - 1, 0.0)


class Limits:
    """All numbers' buckets, and one for each pair of a number and a customer."""

    def __init__(self, throughput: int, *, pair_rate: bool) -> None:
        """Let each number send `throughput` messages per second, 0: any; with or without the pair rate."""
        self._throughput = throughput
        self._pair_rate = pair_rate
        self.clear()

    def clear(self) -> None:
        """Forget what was sent."""
        self._numbers: dict[str, Bucket] = {}
        self._pairs: dict[tuple[str, str], Bucket] = {}
        self._forget_at = FORGET_FROM

    def send(self, number_id: str, wa_id: str, now: float) -> None:
        """Count a message of the business, or refuse it; one that is refused is not counted."""
        number = self._number(number_id, now)
        pair = self._pair(number_id, wa_id, now)
        if number is not None and not number.has_token(now):
            raise Refused(130429, TOO_FAST)
        if pair is not None and not pair.has_token(now):
            raise Refused(131056, TOO_MANY_TO_ONE)
        for bucket in (number, pair):
            if bucket is not None:
                bucket.take()

    def receive(self, number_id: str, now: float) -> None:
        """Count a customer's message: a number's throughput is what comes in and goes out together."""
        number = self._number(number_id, now)
        if number is not None and number.has_token(now):
            number.take()

    def _number(self, number_id: str, now: float) -> Bucket | None:
        if self._throughput == 0:
            return None
        rate = self._throughput
        return self._numbers.setdefault(number_id, Bucket(size=rate, per_second=rate, tokens=rate, at=now))

    def _pair(self, number_id: str, wa_id: str, now: float) -> Bucket | None:
        if not self._pair_rate:
            return None
        if len(self._pairs) >= self._forget_at:
            self._forget_full(now)
        full = Bucket(size=PAIR_BURST, per_second=1 / PAIR_SECONDS, tokens=PAIR_BURST, at=now)
        return self._pairs.setdefault((number_id, wa_id), full)

    def _forget_full(self, now: float) -> None:
        for bucket in self._pairs.values():
            bucket.has_token(now)
        self._pairs = {pair: bucket for pair, bucket in self._pairs.items() if bucket.tokens < bucket.size}
        self._forget_at = max(FORGET_FROM, 2 * len(self._pairs))
