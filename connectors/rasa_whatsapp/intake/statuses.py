"""What Meta reports about a message that we sent: its state moves forward, and a failure leads to the next thing to try, once.

131047 (the window is closed after all) -> the response's template; 131052 and 131053 (Meta could not load the media) -> uploaded
by us, or as a plain link; 131050 -> an opt-out. https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from rasa_whatsapp import media_fallback
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition
from rasa_whatsapp.cloud.inbound import StatusChanged
from rasa_whatsapp.intake.desk import Desk
from rasa_whatsapp.policy.consent import stopped_at_meta
from rasa_whatsapp.storage import contacts, outbox, reports

logger = logging.getLogger(__name__)

REENGAGEMENT = 131047


def take(desk: Desk, events: Sequence[StatusChanged]) -> None:
    """Note statuses, many at once; what is old news, or about another tool's message, moves nothing."""
    news = reports.keep_new(desk.connection, [_report(event) for event in events])
    if not news:
        return
    sent = reports.find_sent(desk.connection, news)
    failures = {(event.message_id, event.status): event for event in events if event.status == "failed"}
    reached: dict[int, outbox.Message] = {}
    for report in news:
        message = sent.get(report.message_id)
        if message is None:
            continue
        message = reached.get(message.id, message)
        desk.move(message.contact_id)
        if report.status == "failed":
            if reports.may_fail(message, report.message_id):
                _take_failure(desk, message, failures[report.message_id, report.status])
                reached.pop(message.id, None)  # it is noted already, and what came before it counts no more
                sent[report.message_id] = replace(message, state=outbox.State.FAILED)
        elif (moved := reports.advanced(message, report.status, report.message_id)) is not None:
            reached[moved.id] = moved
    reports.advance(desk.connection, reached)


def _report(event: StatusChanged) -> reports.Report:
    return reports.Report(
        message_id=event.message_id,
        status=event.status[:20],
        at=event.at,
        code=event.error.code if event.error else None,
        pricing=event.pricing,
        key=event.key,
    )


def _take_failure(desk: Desk, row: outbox.Message, event: StatusChanged) -> None:
    connection = desk.connection
    code = event.error.code if event.error else None
    if code is None:
        reports.fail(connection, row, event.message_id, reason="Meta gave no error code", code=None)
        return
    disposition, remedy = CODES.get(code, (Disposition.GIVE_UP, "see Meta's list of error codes"))
    reports.fail(
        connection, row, event.message_id, reason=f"Meta's error {code}: {remedy}{_in_detail(event)}", code=code
    )
    if code == REENGAGEMENT and row.form == "free_form":
        window = contacts.window_to_change(connection, row.contact_id)
        contacts.record_window(connection, row.contact_id, window.with_refusal(row.tried_at or event.at))
        reports.add_fallback(connection, row, event.at)
        desk.owe(row.contact_id)
    elif media_fallback.applies(code, row):
        media_fallback.say_otherwise(connection, row, code, event.at)
        desk.owe(row.contact_id)
    elif disposition is Disposition.STOP_SENDING:
        logger.error("A message was not delivered: %s.", remedy, extra={"action": "sending_stopped", "code": code})
    elif disposition is Disposition.STOP_CONTACTING:
        contacts.record_consent(connection, row.contact_id, stopped_at_meta(code, event.at, row.key))


def _in_detail(event: StatusChanged) -> str:
    return f" ({event.error.details})" if event.error and event.error.details else ""
