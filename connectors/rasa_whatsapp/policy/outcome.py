"""How a message went that the bot sent by itself, in the words of the slot `whatsapp_last_proactive`."""

from __future__ import annotations

from dataclasses import dataclass

WAITING, SENT_FREE, SENT_AS_TEMPLATE, SENT_DIRECTLY = "waiting", "sent_free", "sent_as_template", "sent_directly"
PARKED, REFUSED, FAILED = "parked", "refused", "failed"
_SENT = {"template": SENT_AS_TEMPLATE, "direct_send": SENT_DIRECTLY}
_ON_ITS_WAY = frozenset({"pending", "sending", "unsettled"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the words above, and why it was parked, refused or failed; else the reason is empty."""

    result: str
    reason: str = ""


def outcome_of(state: str, form: str | None, reason: str | None) -> Outcome:
    """Return the outcome of a message in this state of the outbox, which was tried in this form."""
    if state in _ON_ITS_WAY:
        return Outcome(WAITING)
    if state in (PARKED, REFUSED, FAILED):
        return Outcome(state, reason or "")
    return Outcome(_SENT.get(form or "", SENT_FREE))
