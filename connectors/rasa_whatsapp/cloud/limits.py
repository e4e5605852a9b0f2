"""Meta's limits by name. Lengths are counted in UTF-16 units, the safe reading of "characters".

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages
"""

from __future__ import annotations

WEBHOOK_BYTES = 3 * 1024 * 1024  # webhooks/overview: payloads of up to 3 MB

TEXT_BODY = 4096  # messages/text-messages
INTERACTIVE_BODY = 1024  # messages/interactive-reply-buttons-messages
LIST_BODY = 4096  # messages/interactive-list-messages
REPLY_BUTTONS = 3
REPLY_BUTTON_TITLE = 20
LIST_ROWS = 10  # in all sections together
LIST_ROW_TITLE = 24
LIST_BUTTON = 20
CALLBACK_DATA = 512
TEMPLATE_BODY = 1024  # templates/components: the body after its variables are filled
QUICK_REPLY_PAYLOAD = 128


def length(text: str) -> int:
    """Return the length of a text in UTF-16 units: an emoji counts as two or more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
