"""Follow-ups whose time has come: they are put into their contacts' lanes, put off over quiet hours, or recorded as missed.

Each function is one transaction, so a follow-up fires once: what is in the lane is safe there, what is not will be found again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from sqlalchemy.engine import Connection

from rasa_whatsapp import time_zones
from rasa_whatsapp.policy.lateness import Fire, Miss, PutOff, judge
from rasa_whatsapp.policy.quiet_hours import QuietHours
from rasa_whatsapp.storage import aliases, contacts, follow_ups, inbox, lanes
from rasa_whatsapp.storage.follow_ups import FollowUp

logger = logging.getLogger(__name__)

FOLLOW_UP_CAUSE = "follow-up:"
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringRules:
    """How late a follow-up may fire, and when not; `time_zone` is that of customers whose number tells none."""

    late_limit: timedelta = timedelta(days=1)
    quiet_hours: QuietHours | None = None
    time_zone: tzinfo = timezone.utc


def fire_due(connection: Connection, rules: FiringRules, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Take up to so many follow-ups whose time has come; return how many there were."""
    due = follow_ups.claim_due(connection, now, most)
    numbers = _numbers(connection, due, rules)
    fired = []
    for follow_up in due:
        verdict = judge(
            follow_up.fire_at,
            now,
            late_limit=rules.late_limit,
            quiet=rules.quiet_hours,
            zones=time_zones.of_number(numbers.get(follow_up.contact_id), rules.time_zone) if rules.quiet_hours else (),
        )
        if isinstance(verdict, Fire):
            fired.append(follow_up)
        elif isinstance(verdict, PutOff):
            follow_ups.put_off(connection, follow_up, verdict.until)
        else:
            _miss(connection, follow_up, verdict, now)
    if fired:
        _line_up(connection, fired, now)
    return len(due)


def _numbers(connection: Connection, due: Sequence[FollowUp], rules: FiringRules) -> Mapping[str, str]:
    if not due or rules.quiet_hours is None:
        return {}
    return aliases.numbers_of(connection, {follow_up.contact_id for follow_up in due})


def _miss(connection: Connection, follow_up: FollowUp, missed: Miss, now: datetime) -> None:
    follow_ups.finish(connection, follow_up.id, follow_ups.State.MISSED, now, missed.reason)
    logger.warning("Follow-up %s was missed: %s.", follow_up.id, missed.reason, extra={"action": "follow_up_missed"})


def _line_up(connection: Connection, fired: Sequence[FollowUp], now: datetime) -> None:
    whose = {follow_up.contact_id for follow_up in fired}
    number_ids = contacts.number_ids(connection, whose)
    inbox.add_all(connection, [_row(follow_up, number_ids, now) for follow_up in fired])
    follow_ups.mark_fired(connection, fired)
    lanes.wake_all(connection, lanes.Kind.TURNS, whose, now, lanes.Rank.BULK)


def _row(follow_up: FollowUp, number_ids: Mapping[str, str], now: datetime) -> inbox.NewRow:
    return inbox.NewRow(
        number_id=number_ids.get(follow_up.contact_id, ""),
        message_id=f"{FOLLOW_UP_CAUSE}{follow_up.id}",
        contact_id=follow_up.contact_id,
        kind=inbox.Kind.FOLLOW_UP,
        body={"follow_up": follow_up.id},
        sent_at=now,
        received_at=now,
    )
