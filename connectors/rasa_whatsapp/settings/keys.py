"""Every key of the credentials block, in the order in which people read them. The README's table is held against it by a test."""

from __future__ import annotations

from datetime import timedelta, timezone

from rasa_whatsapp.cloud import direct_send, limits
from rasa_whatsapp.cloud.providers import CLOUD_API, DEFAULT_API_VERSION, DEFAULT_MEDIA_HOSTS, DIALOG_360, PROVIDERS
from rasa_whatsapp.policy.consent import OPT_IN_KEYWORDS, OPT_OUT_KEYWORDS
from rasa_whatsapp.responses.utterances import DEFAULT_LIST_BUTTON, DEFAULT_MORE_BUTTON
from rasa_whatsapp.settings import readers
from rasa_whatsapp.settings.setting import Setting
from rasa_whatsapp.slots import DEFAULT_LANGUAGE_SLOT
from rasa_whatsapp.storage.database import DEFAULT_URL

# What is no turn unless it is asked for.
ASIDES = ("reaction", "edit", "revoke", "system", "call")
MARKDOWN = "markdown"
AS_WRITTEN = "whatsapp"
DEFAULT_MARGIN = timedelta(seconds=60)

SETTINGS: tuple[Setting, ...] = (
    Setting(name="provider", read=readers.one_of(PROVIDERS), default=CLOUD_API, meaning="Who carries the messages."),
    Setting(
        name="phone_number_id",
        read=readers.digits,
        required=True,
        meaning="Id of the business number (not the number).",
    ),
    Setting(name="numbers", read=readers.mappings, secret=True, meaning="Several business numbers."),
    Setting(
        name="access_token",
        read=readers.text,
        required=True,
        secret=True,
        meaning="Token of a system user; at 360dialog the number's API key.",
    ),
    Setting(
        name="app_secret",
        read=readers.text,
        required=True,
        secret=True,
        provider=CLOUD_API,
        meaning="Signs the webhooks.",
    ),
    Setting(
        name="verify_token",
        read=readers.text,
        required=True,
        secret=True,
        provider=CLOUD_API,
        meaning="Your word for the subscription.",
    ),
    Setting(
        name="webhook_secret",
        read=readers.text,
        required=True,
        secret=True,
        provider=DIALOG_360,
        meaning="What each webhook carries in a header, in place of a signature.",
    ),
    Setting(
        name="webhook_secret_header",
        read=readers.header_name,
        default="X-Webhook-Secret",
        provider=DIALOG_360,
        meaning="The header that carries it.",
    ),
    Setting(
        name="business_account_id",
        read=readers.digits,
        meaning="Id of the WhatsApp Business Account, which owns the templates; webhooks about other accounts' are left out.",
    ),
    Setting(
        name="app_id",
        read=readers.digits,
        meaning="Id of Meta's app, for which `rasa-whatsapp templates push` uploads samples of media.",
    ),
    Setting(
        name="graph_url", read=readers.web_address, meaning="Where messages are sent to."
    ),  # default: the provider's
    Setting(
        name="api_version",
        read=readers.api_version,
        default=DEFAULT_API_VERSION,
        provider=CLOUD_API,
        meaning="Graph version.",
    ),
    Setting(
        name="media_hosts",
        read=readers.hosts,
        default=DEFAULT_MEDIA_HOSTS,
        meaning="Hosts that customers' media may be downloaded from.",
    ),
    Setting(
        name="upload_hosts",
        read=readers.hosts,
        default=(),
        meaning="Hosts whose media the channel fetches and uploads itself.",
    ),
    Setting(
        name="database_url",
        read=readers.database,
        default=DEFAULT_URL,
        meaning="The channel's own store: an SQLite file, or PostgreSQL for several servers.",
    ),
    Setting(name="templates", read=readers.text, meaning="The approved templates: a file, or a folder of files."),
    Setting(
        name="fallback_languages",
        read=readers.language_codes,
        default=(),
        meaning="Template languages to try, in order.",
    ),
    Setting(
        name="care_window_margin_seconds",
        read=readers.seconds,
        default=DEFAULT_MARGIN,
        meaning="How long before the window's end a response goes as its template, if it has one that may go.",
    ),
    Setting(
        name="direct_send",
        read=readers.one_of((direct_send.CATEGORY,)),
        meaning="Meta's Direct Send (beta), for accounts that have it: words that may not go and have no template that may go so.",
    ),
    Setting(
        name="re_engagement_template",
        read=readers.text,
        meaning="Template that asks customers to write again, so that what may not go is parked until they do.",
    ),
    Setting(
        name="re_engagement_payload",
        read=readers.text,
        meaning="What a tap on the first quick reply of that template means, such as /show_news; else it is its title.",
    ),
    Setting(
        name="parked_seconds",
        read=readers.seconds,
        default=timedelta(days=7),
        meaning="How long a message stays parked.",
    ),
    Setting(
        name="language_slot",
        read=readers.text,
        default=DEFAULT_LANGUAGE_SLOT,
        meaning="Slot that may hold the customer's language, for templates.",
    ),
    Setting(
        name="written_languages",
        read=readers.told_languages,
        meaning="Languages that are learned from what customers write, for templates.",
    ),
    Setting(
        name="utility_needs_opt_in", read=readers.flag, default=False, meaning="Utility templates need an opt-in too."
    ),
    Setting(
        name="opt_out_keywords",
        read=readers.words,
        default=OPT_OUT_KEYWORDS,
        meaning="Whole messages that opt out.",
    ),
    Setting(name="opt_in_keywords", read=readers.words, default=OPT_IN_KEYWORDS, meaning="Whole messages that opt in."),
    Setting(
        name="turns_for",
        read=readers.some_of(ASIDES),
        default=(),
        meaning="What is a turn, though it usually is none.",
    ),
    Setting(
        name="pause_after_human_seconds",
        read=readers.seconds,
        default=timedelta(hours=1),
        meaning="How long the bot is silent after a person answered from the app.",
    ),
    Setting(
        name="markup",
        read=readers.one_of((MARKDOWN, AS_WRITTEN)),
        default=MARKDOWN,
        meaning="How responses are written.",
    ),
    Setting(
        name="list_button",
        read=readers.text_up_to(limits.LIST_BUTTON),
        default=DEFAULT_LIST_BUTTON,
        meaning="Label that opens a list.",
    ),
    Setting(
        name="more_button",
        read=readers.text_up_to(limits.LIST_ROW_TITLE),
        default=DEFAULT_MORE_BUTTON,
        meaning="Row that asks for the next page of a list.",
    ),
    Setting(
        name="merge_texts",
        read=readers.flag,
        default=False,
        meaning="Consecutive plain texts of a turn go as one message.",
    ),
    Setting(
        name="read_receipts", read=readers.flag, default=True, meaning="Show the customer that a message was read."
    ),
    Setting(name="typing_indicator", read=readers.flag, default=True, meaning="Show that an answer is being written."),
    Setting(
        name="turn_attempts", read=readers.whole(1, 10), default=3, meaning="Tries before a failing turn is parked."
    ),
    Setting(
        name="join_seconds",
        read=readers.seconds,
        default=timedelta(0),
        meaning="How long a typed message waits for more of the same customer, to be one turn with them.",
    ),
    Setting(
        name="turns_at_once",
        read=readers.whole(1, 1000),
        default=32,
        meaning="Turns that one Rasa server takes at a time.",
    ),
    Setting(
        name="backlog_limit",
        read=readers.whole(1, 10_000_000),
        default=10_000,
        meaning="Waiting messages from which on webhooks are answered 503.",
    ),
    Setting(
        name="messages_per_second",
        read=readers.whole(1, 1000),
        default=80,
        meaning="Throughput of each business number.",
    ),
    Setting(
        name="order_wait_seconds",
        read=readers.seconds,
        default=timedelta(seconds=2),
        meaning="How long a part of an answer waits for the part before it to be delivered.",
    ),
    Setting(
        name="settle_seconds",
        read=readers.seconds,
        default=timedelta(seconds=30),
        meaning="How long a status may tell the fate of an unanswered request.",
    ),
    Setting(
        name="send_age_limit_seconds",
        read=readers.seconds,
        default=timedelta(hours=23),
        meaning="How old a message may become before it is sent.",
    ),
    Setting(
        name="follow_up_late_limit_seconds",
        read=readers.seconds,
        default=timedelta(days=1),
        meaning="How late a follow-up may fire, if no server was there; later it is recorded as missed.",
    ),
    Setting(
        name="quiet_hours",
        read=readers.hours,
        meaning="Hours of the customer's day in which no follow-up fires.",
    ),
    Setting(
        name="time_zone",
        read=readers.time_zone,
        default=timezone.utc,
        meaning="Time zone of customers whose number tells none.",
    ),
    Setting(
        name="retention_days",
        read=readers.days(7, 3650),
        default=timedelta(days=90),
        meaning="How long finished messages, statuses and follow-ups are kept.",
    ),
)
