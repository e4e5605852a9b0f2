"""Meta's limits by name. Lengths are counted in UTF-16 units, the safe reading of "characters".

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages
"""

from __future__ import annotations

WEBHOOK_BYTES = 3 * 1024 * 1024  # webhooks/overview: payloads of up to 3 MB

TEXT_BODY = 4096  # messages/text-messages
CAPTION = 1024  # messages/image-messages, video-messages, document-messages
INTERACTIVE_BODY = 1024  # messages/interactive-reply-buttons-messages
INTERACTIVE_HEADER = 60
INTERACTIVE_FOOTER = 60
REPLY_BUTTONS = 3
REPLY_BUTTON_TITLE = 20
REPLY_BUTTON_ID = 256
LIST_BODY = 4096  # messages/interactive-list-messages
LIST_SECTIONS = 10
LIST_ROWS = 10  # in all sections together
LIST_ROW_TITLE = 24
LIST_ROW_ID = 200
LIST_SECTION_TITLE = 24
LIST_DESCRIPTION = 72
LIST_BUTTON = 20
LINK_BUTTON = 20  # messages/interactive-cta-url-messages
CARDS = 10  # messages/interactive-media-carousel-messages
FEWEST_CARDS = 2
CARD_BODY = 160
CARD_LINE_BREAKS = 2
CARD_BUTTONS = 3  # not on Meta's page; templates allow no more on a card
PRODUCTS = 30  # catalogs/sell-products-and-services/share-products
PRODUCT_SECTIONS = 10
FLOW_BUTTON = 30  # flows/guides/sendingaflow: advised, and no emoji
CONTACTS = 257  # messages/contacts-messages
CALL_BUTTON = 20  # calling/call-button-messages-deep-links
CALL_MINUTES = 43_200

CALLBACK_DATA = 512
DIRECT_SEND_BODY = 1024  # direct-send/supported-features-and-limits
TEMPLATE_BODY = 1024  # templates/components: the body after its variables are filled
QUICK_REPLY_PAYLOAD = 128
TEMPLATE_NAME = 512  # templates/components: what a template may be made of
TEMPLATES_PER_HOUR = 100  # templates/template-management: creations of one account
TEMPLATE_HEADER = 60
TEMPLATE_FOOTER = 60
TEMPLATE_BUTTONS = 10
TEMPLATE_BUTTON = 25
TEMPLATE_URL = 2000
TEMPLATE_CARD_BUTTONS = 2  # templates/marketing-templates/media-card-carousel-templates
TEMPLATE_OFFER = 16  # templates/marketing-templates/limited-time-offer-templates
TEMPLATE_OFFER_BODY = 600
COUPON_CODE = 20
ONE_TIME_CODE = 15  # templates/authentication-templates


def length(text: str) -> int:
    """Return the length of a text in UTF-16 units: an emoji counts as two or more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
