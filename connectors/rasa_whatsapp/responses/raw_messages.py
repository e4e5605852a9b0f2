"""`custom.whatsapp`: a message object of the Cloud API as a designer writes it, checked, and what it answers.

What the channel says itself (recipient, callback data) may not be in it, and a template has its own place in `custom`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rasa_whatsapp.cloud import objects
from rasa_whatsapp.cloud.drafts import Raw
from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import DraftImpossible

LAST = "last"
_KEY = "custom.whatsapp"
_MESSAGE_ID = re.compile(r"wamid\.\S+")
# they say what is so anyway, and stand in every sample of Meta's
_NEEDLESS = {"messaging_product": "whatsapp", "recipient_type": "individual"}
_OURS = ("to", "recipient", "biz_opaque_callback_data", *_NEEDLESS)


def raw_of(whatsapp: Any) -> tuple[Raw | None, str | None]:
    """Return the message object, if there is one, and which message the response answers; raises DraftImpossible."""
    if whatsapp is None:
        return None, None
    if not isinstance(whatsapp, Mapping):
        raise DraftImpossible(f"{_KEY} is not a mapping; it is a message object of the Cloud API")
    content = _plain(whatsapp)
    reply_to = _reply_to(content)
    _take_out_ours(content)
    return (Raw(_checked(_typed(content))) if content else None), reply_to


def _take_out_ours(content: JSONDict) -> None:
    """Take out what is so anyway; raises DraftImpossible for what only the channel can say."""
    for key in _OURS:
        if key in content and content[key] != _NEEDLESS.get(key):
            raise DraftImpossible(f"{_KEY}.{key} is said by the channel; leave it out")
        content.pop(key, None)


def _checked(content: JSONDict) -> JSONDict:
    problems = objects.check(content)
    if problems:
        raise DraftImpossible("; ".join(f"{_KEY}.{problem}" for problem in problems))
    if content["type"] == "template":
        raise DraftImpossible(f"{_KEY} is a template; use custom.template, which asks for consent and approval")
    if content["type"] == "reaction":
        _message_id(content["reaction"]["message_id"], f"{_KEY}.reaction.message_id")
    return content


def _reply_to(content: JSONDict) -> str | None:
    """Take the quoted message out of the object: `reply_to`, or `context.message_id` as Meta writes it."""
    reply_to, context = content.pop("reply_to", None), content.get("context")
    if isinstance(context, Mapping) and "reaction" not in content:
        if reply_to is not None:
            raise DraftImpossible(f"{_KEY}.context stands beside reply_to; one of them is enough")
        reply_to = content.pop("context").get("message_id", "")
    return None if reply_to is None else _message_id(reply_to, f"{_KEY}.reply_to")


def _message_id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not (value == LAST or _MESSAGE_ID.fullmatch(value)):
        raise DraftImpossible(f"{where} is neither last nor a message id, which begins with wamid.")
    return value


def _typed(content: JSONDict) -> JSONDict:
    """Return the object with its type, which may be left out if it is plain."""
    kinds = [kind for kind in objects.KINDS if kind in content]
    if "type" in content or len(kinds) > 1:
        return content
    if not kinds:
        for key in content:
            question = meant(key, objects.KINDS)
            if question:
                raise DraftImpossible(f"{_KEY}.{key} is not known{question}")
        return content
    return {"type": kinds[0], **content}


def _plain(value: Any) -> Any:
    """Return a copy without the YAML reader's own kinds of mapping and list."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
