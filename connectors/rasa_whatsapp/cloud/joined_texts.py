"""Two texts as one message, since Meta charges each: the second under the first, with a blank line between them.

Only what is nothing but a text is joined: not one that quotes, shows a link's preview, or can be tapped.
"""

from __future__ import annotations

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.wire import JSONDict

_BETWEEN = "\n\n"


def is_plain(content: JSONDict | None) -> bool:
    """Tell whether a Graph message object, still without its recipient, is nothing but a text."""
    return content is not None and content.keys() == {"type", "text"} and content["text"].keys() == {"body"}


def joined(first: JSONDict, second: JSONDict) -> JSONDict | None:
    """Return the message that says two plain texts; None if that is more than Meta takes in one."""
    body = f"{first['text']['body']}{_BETWEEN}{second['text']['body']}"
    return {"type": "text", "text": {"body": body}} if limits.length(body) <= limits.TEXT_BODY else None
