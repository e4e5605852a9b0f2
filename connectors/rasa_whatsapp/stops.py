"""Business numbers from which nothing is sent for a while: Meta says that it goes too fast, or an operator has to act.

An operator has to act on an expired token, a locked account, a payment problem: messages wait instead of failing one by one, and the
number is tried again each minute. After 131048 (customers report the number as spam) only replies go for an hour. Direct Send is not tried for an hour
where Meta says that the account may not use it. https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rasa_whatsapp.cloud import direct_send
from rasa_whatsapp.cloud.answers import Accepted, Answer, Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.policy.slowdown import REPORTED_AS_SPAM, SLOWDOWNS, Scope

logger = logging.getLogger(__name__)

PAUSE = timedelta(minutes=1)
REPLIES_ONLY = timedelta(hours=1)  # Meta names no time; what is refused meanwhile makes it worse
NO_DIRECT_SEND = timedelta(hours=1)  # blocked for days or until it is granted: a try costs nothing but a request
LONGEST_STOP = max(REPLIES_ONLY, NO_DIRECT_SEND)
_ACCOUNT = ""  # in place of a number, where refusals of all of them are counted in one row


@dataclass(frozen=True, slots=True)
class Stopped:
    """Until when nothing goes from which numbers, nothing but replies does, and nothing by Direct Send."""

    everything: Mapping[str, datetime] = field(default_factory=dict)
    all_but_replies: Mapping[str, datetime] = field(default_factory=dict)
    directly: datetime | None = None

    def until(self, number_id: str, now: datetime, *, is_reply: bool) -> datetime:
        """Return when a message of this number may go at the earliest."""
        until = self.everything.get(number_id, now)
        return until if is_reply else max(until, self.all_but_replies.get(number_id, now))

    def is_direct_send_closed(self, now: datetime) -> bool:
        """Tell whether Meta does not let the account use Direct Send."""
        return self.directly is not None and self.directly > now


class Stops:
    """Which numbers are stopped, until when, and why; of those that one account has, all at once where Meta means the account.

    `direct_send` when it is switched on: 131064 is about templates, too, and nothing that is not used needs an alarm.
    """

    def __init__(self, number_ids: Collection[str] = (), *, direct_send: bool = False) -> None:
        self._number_ids = tuple(number_ids)
        self._uses_direct_send = direct_send
        self._until: dict[str, datetime] = {}
        self._since: dict[str, datetime] = {}  # an answer to what left before then does not end it
        self._why: dict[str, str] = {}
        self._in_a_row: dict[str, int] = {}
        self._replies_only_until: dict[str, datetime] = {}
        self._not_directly: tuple[datetime, str] | None = None  # until when, and why

    @property
    def stopped(self) -> Stopped:
        """Return what is stopped, as it is now."""
        directly = self._not_directly[0] if self._not_directly else None
        return Stopped(dict(self._until), dict(self._replies_only_until), directly)

    def note(self, number_id: str, answer: Answer, left_at: datetime, now: datetime) -> None:
        """Take notice of Graph's answer to a message of this number, which left at a moment; the alarm is raised anew each minute."""
        if isinstance(answer, Accepted):
            if (
                number_id in self._since and left_at > self._since[number_id]
            ):  # else it says nothing about what came since
                self._go_on(number_id)
        elif answer.disposition is Disposition.STOP_SENDING:
            self._stop(number_id, answer, now)
        elif answer.code in SLOWDOWNS:
            self._slow_down(number_id, answer, now)
        elif answer.code == REPORTED_AS_SPAM:
            self._restrict(number_id, answer, now)
        elif self._uses_direct_send and direct_send.closes(answer.code, answer.explanation):
            self._close_direct_send(answer, now)

    def alarms(self, now: datetime) -> list[str]:
        """Return a sentence for each number from which not everything goes that should."""
        stopped = [f"number {_masked(number_id)}: {self._why[number_id]}" for number_id in sorted(self._why)]
        restricted = [
            f"number {_masked(number_id)}: only replies go until {until:%Y-%m-%d %H:%M} UTC, it was reported as spam"
            for number_id, until in sorted(self._replies_only_until.items())
            if until > now
        ]
        return stopped + restricted + self._direct_send_alarms(now)

    def _direct_send_alarms(self, now: datetime) -> list[str]:
        if self._not_directly is None or self._not_directly[0] <= now:
            return []
        until, why = self._not_directly
        return [f"Direct Send is not tried until {until:%Y-%m-%d %H:%M} UTC: {why}"]

    def _close_direct_send(self, answer: Refused, now: datetime) -> None:
        if not self.stopped.is_direct_send_closed(now):
            logger.error(
                "Direct Send is not tried for an hour: %s. Words that may not go are parked or refused.",
                answer.explanation,
                extra={"action": "direct_send_closed", "code": answer.code},
            )
        self._not_directly = (now + NO_DIRECT_SEND, answer.explanation)

    def _go_on(self, number_id: str) -> None:
        if self._why.pop(number_id, None) is not None:
            logger.warning("Sending from number %s goes on.", _masked(number_id), extra={"action": "sending_goes_on"})
        for held in (self._until, self._since):
            held.pop(number_id, None)
        for whose in (number_id, _ACCOUNT):
            self._in_a_row.pop(whose, None)

    def _stop(self, number_id: str, answer: Refused, now: datetime) -> None:
        self._until[number_id] = now + PAUSE
        self._since[number_id] = now
        self._why[number_id] = answer.explanation
        logger.error(
            "Nothing can be sent from number %s: %s. Messages wait; it is tried again each minute.",
            _masked(number_id),
            answer.explanation,
            extra={"action": "sending_stopped", "code": answer.code},
        )

    def _restrict(self, number_id: str, answer: Refused, now: datetime) -> None:
        if self._replies_only_until.get(number_id, now) <= now:
            logger.error(
                "Only replies go from number %s for an hour: %s.",
                _masked(number_id),
                answer.explanation,
                extra={"action": "sending_restricted", "code": answer.code},
            )
        self._replies_only_until[number_id] = now + REPLIES_ONLY

    def _slow_down(self, number_id: str, answer: Refused, now: datetime) -> None:
        """Pause, once for all requests that were under way together."""
        if self._until.get(number_id, now) > now:
            return
        slowdown = SLOWDOWNS[answer.code]
        self._why.pop(number_id, None)  # it may send, only not so fast
        whose = {number_id, *(self._number_ids if slowdown.scope is Scope.ACCOUNT else ())}
        row = _ACCOUNT if slowdown.scope is Scope.ACCOUNT else number_id
        self._in_a_row[row] = self._in_a_row.get(row, 0) + 1
        until = now + slowdown.pause(self._in_a_row[row])
        self._until |= {each: max(until, self._until.get(each, until)) for each in whose}
        self._since |= dict.fromkeys(whose, now)
        logger.warning(
            "Number %s pauses until %s: %s.",
            _masked(number_id),
            f"{until:%H:%M:%S} UTC",
            answer.explanation,
            extra={"action": "sending_paused", "code": answer.code},
        )


def _masked(number_id: str) -> str:
    return f"…{number_id[-4:]}"
