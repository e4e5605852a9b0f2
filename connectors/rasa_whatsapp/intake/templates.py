"""Take in what a webhook tells of the account's templates: the newest word counts, and each webhook is kept once."""

from __future__ import annotations

from rasa_whatsapp.cloud.inbound import TemplateChanged
from rasa_whatsapp.cloud.templates.states import Source, Word
from rasa_whatsapp.intake.desk import Desk
from rasa_whatsapp.storage import inbox, template_states
from rasa_whatsapp.storage.inbox import State


def take(desk: Desk, event: TemplateChanged) -> None:
    """Note what is new of a template; one without a time counts as of now, and cannot be told from a redelivery."""
    account = desk.rules.account_id
    if account is not None and event.account_id != account:
        desk.keep(event, State.IGNORED, "the template is another account's than business_account_id")
        return
    if event.at is not None and inbox.is_known(desk.connection, event.number_id, event.message_id):
        return
    at = min(event.at or desk.now, desk.now)  # a moment in the future would outlast what comes before it
    words = [Word(key=event.template, news=news, at=at, source=Source.WEBHOOK) for news in event.news]
    template_states.note(desk.connection, words)
    desk.keep(event, State.IGNORED, "what Meta says of the template is noted")
