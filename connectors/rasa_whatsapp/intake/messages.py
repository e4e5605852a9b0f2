"""Take in a customer's message: who wrote, what it opens, which consent it gives, and whether it is a turn."""

from __future__ import annotations

from rasa_whatsapp.cloud.content import Aside, Content, Tapped, TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived
from rasa_whatsapp.intake.desk import Desk, IntakeRules
from rasa_whatsapp.meaning import said
from rasa_whatsapp.policy.consent import ConsentGiven, Scope, keyword_choice
from rasa_whatsapp.storage import contacts, follow_ups, identity, inbox
from rasa_whatsapp.storage.inbox import Kind


def take(desk: Desk, event: MessageReceived) -> None:
    """Store a message that is new, and let its turn begin if it is one."""
    if inbox.is_known(desk.connection, event.number_id, event.message_id):
        return
    contact_id = _sender(desk, event)
    _note_keyword(desk, contact_id, event)
    if not isinstance(event.content, Aside):
        desk.open_window(contact_id, event.sent_at)
        follow_ups.overtaken_unheld(desk.connection, contact_id, desk.now)
    if event.raw["message"].get("referral"):
        contacts.record_referral(desk.connection, contact_id, min(event.sent_at, desk.now))
    no_turn = _no_turn(event.content, desk.rules)
    desk.line_up(contact_id, event, Kind.MESSAGE, sent_at=event.sent_at, no_turn=no_turn)


def _sender(desk: Desk, event: MessageReceived) -> str:
    """Return who wrote, who may tell that they have another number or user id from now on."""
    contact_id = desk.identify(event.number_id, event.sender, event.sent_at)
    if event.successor is None:
        return contact_id
    names = (event.sender, event.successor)
    found = identity.succeed(desk.connection, event.number_id, *names, at=event.sent_at, now=desk.now)
    if found is None:
        return contact_id
    desk.owe(found.contact_id)
    return found.contact_id


def _no_turn(content: Content, rules: IntakeRules) -> str | None:
    """Return why a message is no turn of the dialogue, or None if it is one."""
    if not isinstance(content, Aside):
        return None
    if content.intent is None:
        return f"a {content.kind}'s message is nobody's conversation with the bot"
    if content.kind in rules.turns_for:
        return None
    return f"a {content.kind} is no turn; turns_for could name it"


def _note_keyword(desk: Desk, contact_id: str, event: MessageReceived) -> None:
    if not isinstance(event.content, (TextTyped, Tapped)):
        return
    meant = said(desk.connection, contact_id, event)  # a template's button may be called STOP
    if meant.is_command:
        return  # what the bot means by its own button, the bot says
    words = {"opt_out": desk.rules.opt_out_keywords, "opt_in": desk.rules.opt_in_keywords}
    choice = keyword_choice(meant.text, **words)
    if choice is not None:
        at = min(event.sent_at, desk.now)
        given = ConsentGiven(scope=Scope.ALL, choice=choice, at=at, source="keyword", evidence=event.message_id)
        contacts.record_consent(desk.connection, contact_id, given)
