"""What Meta reports about a message that we sent: its state moves forward, and a failure leads to the next thing to try, once.

Once it has arrived, it is counted with what Meta says of its price.

131047 (the window is closed after all) -> the response's template, or it goes by Direct Send, or is parked; what Direct Send does not
carry -> the next rung; 131052 and 131053 (Meta could not load the media) -> uploaded by us, or as a plain link; 132xxx (not this
template) -> the next one of the response; 131050 -> an opt-out; what Graph's answer would have it sent again for -> it is.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rasa_whatsapp import countries, media_fallback, template_fallback, unasked
from rasa_whatsapp.cloud import direct_send
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition
from rasa_whatsapp.cloud.inbound import StatusChanged
from rasa_whatsapp.cloud.pricing import Told, charge_of
from rasa_whatsapp.intake.desk import Desk
from rasa_whatsapp.policy.consent import stopped_at_meta
from rasa_whatsapp.policy.retry import GiveUp, after_failure
from rasa_whatsapp.policy.slowdown import concerns_number
from rasa_whatsapp.storage import contacts, costs, outbox, reports, template_states, troubles
from rasa_whatsapp.storage.troubles import Trouble

logger = logging.getLogger(__name__)

REENGAGEMENT = 131047
# As in an answer of Graph's, only that it is sure now that the message did not arrive.
_AGAIN = frozenset({Disposition.RETRY, Disposition.UNCERTAIN, Disposition.STOP_SENDING})


def take(desk: Desk, events: Sequence[StatusChanged]) -> None:
    """Note statuses, many at once; what is old news, or about another tool's message, moves nothing."""
    told = [_report(event) for event in events]
    before = reports.told_before(desk.connection, told)
    news = reports.keep_new(desk.connection, told, before)
    if not news:
        return
    sent = reports.find_sent(desk.connection, news)
    costs.count(desk.connection, _arrived(desk, events, news, before, sent))
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


def _arrived(
    desk: Desk,
    events: Sequence[StatusChanged],
    news: Sequence[reports.Report],
    before: Mapping[str, Sequence[Told]],
    sent: Mapping[str, outbox.Message],
) -> Iterator[costs.Counted]:
    """Yield the messages of our numbers of which is known now, and was not before, that they arrived and what Meta calls them.

    Other tools' messages from these numbers are among them: Meta's bill has them, too.
    """
    told: dict[str, list[Told]] = {}
    for report in news:
        told.setdefault(report.message_id, []).append(Told(report.status, report.at, report.pricing))
    about = {event.message_id: event for event in events if event.number_id in desk.rules.number_ids}
    for message_id in told.keys() & about.keys():
        known = before.get(message_id, ())
        charge = charge_of((*known, *told[message_id])) if charge_of(known) is None else None
        if charge is not None:
            yield costs.Counted(
                charge=charge,
                number_id=about[message_id].number_id,
                country=countries.of_number(about[message_id].recipient_number),
                template=_template_of(sent.get(message_id)),
            )


def _template_of(message: outbox.Message | None) -> str:
    """Return the template as which a message went; none for another tool's message."""
    if message is None or message.form != "template":
        return costs.NO_TEMPLATE
    return message.template_sent or costs.NO_TEMPLATE


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
        unasked.tell(connection, row, "Meta gave no error code", desk.now)
        return
    disposition, remedy = CODES.get(code, (Disposition.GIVE_UP, "see Meta's list of error codes"))
    if concerns_number(code):
        troubles.note(connection, Trouble(event.number_id, code, desk.now))
    template_states.note_refusal(connection, row.request, code, row.tried_at or event.at)
    reason = f"Meta's error {code}: {remedy}{_in_detail(event)}"
    if _back_to_the_gate(desk, row, event, code, reason):
        return
    if disposition in _AGAIN and _try_again(desk, row, event, disposition, code, reason):
        return
    reports.fail(connection, row, event.message_id, reason=reason, code=code)
    if code == REENGAGEMENT and row.form == "free_form":
        reports.add_fallback(connection, row, event.at)
        desk.owe(row.contact_id)
    elif media_fallback.applies(code, row):
        media_fallback.say_otherwise(connection, row, code, event.at)
        desk.owe(row.contact_id)
    elif code in template_fallback.CODES and template_fallback.say_otherwise(
        connection, row, row.template_sent, desk.now, later_rungs=desk.rules.later_rungs
    ):
        desk.owe(row.contact_id)
    elif disposition is Disposition.STOP_CONTACTING:
        contacts.record_consent(connection, row.contact_id, stopped_at_meta(code, event.at, row.key))
    unasked.tell(connection, row, reason, desk.now, code)


def _back_to_the_gate(desk: Desk, row: outbox.Message, event: StatusChanged, code: int, reason: str) -> bool:
    """Let the gate choose again, if it has a choice, for words that met a closed window and for what Direct Send does not carry."""
    connection = desk.connection
    if row.form == outbox.DIRECTLY and direct_send.is_turned_down(code):
        reports.turn_down(connection, row, event.message_id, desk.now, reason=reason, code=code)
    elif code == REENGAGEMENT and row.form == "free_form":
        window = contacts.window_to_change(connection, row.contact_id)
        contacts.record_window(connection, row.contact_id, window.with_refusal(row.tried_at or event.at))
        if not desk.rules.later_rungs:
            return False
        reports.reopen(connection, row, event.message_id, desk.now, reason=reason, code=code, copies=row.copies)
    else:
        return False
    desk.owe(row.contact_id)
    return True


def _try_again(
    desk: Desk, row: outbox.Message, event: StatusChanged, disposition: Disposition, code: int, reason: str
) -> bool:
    """Let a message go again that surely did not arrive; False if that is too late to be useful, or was tried as often as Meta advises."""
    copies = row.copies + (disposition is Disposition.UNCERTAIN)
    verdict = after_failure(
        attempts=max(row.attempts, 1),
        copies=copies,
        created_at=row.waits_since,
        now=desk.now,
        code=code,
        age_limit=desk.rules.send_age_limit,
        jitter=0.5,
    )
    if isinstance(verdict, GiveUp):
        return False
    reports.reopen(desk.connection, row, event.message_id, verdict.at, reason=reason, code=code, copies=copies)
    desk.owe(row.contact_id)
    return True


def _in_detail(event: StatusChanged) -> str:
    return f" ({event.error.details})" if event.error and event.error.details else ""
