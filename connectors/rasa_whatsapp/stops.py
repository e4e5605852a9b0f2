"""Business numbers from which nothing can be sent until an operator acts: an expired token, a locked account, a payment problem.

Messages wait instead of failing one by one; a number is tried again each minute.
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from rasa_whatsapp.cloud.answers import Accepted, Answer
from rasa_whatsapp.cloud.graph_errors import Disposition

logger = logging.getLogger(__name__)

PAUSE = timedelta(minutes=1)


class Stops:
    """Which numbers are stopped, until when, and why."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._why: dict[str, str] = {}

    @property
    def until(self) -> Mapping[str, datetime]:
        """Return until when nothing goes from which numbers."""
        return dict(self._until)

    def note(self, number_id: str, answer: Answer, now: datetime) -> None:
        """Take notice of Graph's answer to a message of this number; the alarm is raised anew each minute."""
        if isinstance(answer, Accepted):
            if self._until.pop(number_id, None) is not None:
                logger.warning(
                    "Sending from number %s goes on.", _masked(number_id), extra={"action": "sending_goes_on"}
                )
        elif answer.disposition is Disposition.STOP_SENDING:
            self._until[number_id] = now + PAUSE
            self._why[number_id] = answer.explanation
            logger.error(
                "Nothing can be sent from number %s: %s. Messages wait; it is tried again each minute.",
                _masked(number_id),
                answer.explanation,
                extra={"action": "sending_stopped", "code": answer.code},
            )

    def alarms(self) -> list[str]:
        """Return a sentence for each stopped number."""
        return [f"number {_masked(number_id)}: {self._why[number_id]}" for number_id in sorted(self._until)]


def _masked(number_id: str) -> str:
    return f"…{number_id[-4:]}"
