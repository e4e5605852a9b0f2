"""What the simulator is told at start: who the business is, where its bot listens, how patient Meta is.

Values only; nothing here reads the environment or the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

# Meta: first again at once, then at falling frequency for up to seven days (M:webhooks/overview). The last pause repeats.
REDELIVERY_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
REDELIVERY_SECONDS = 7 * 24 * 3600


class WindowErrors(Enum):
    """How free-form content outside the care window is refused."""

    STATUS = "status"  # HTTP 200, then a failed status: what Meta does in practice
    HTTP = "http"  # HTTP 400 at once: what Meta's error page says


class Provider(Enum):
    """Who brings the webhooks, and how they prove it."""

    CLOUD_API = "cloud_api"  # Meta itself: signed with the app secret
    DIALOG_360 = "360dialog"  # unsigned, with a header that was agreed on (fact sheet 12.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One business number, and the token (at 360dialog: the key) that opens it."""

    id: str
    display: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One business with its numbers, its bot's webhook, and the pauses between what happens by itself."""

    webhook_url: str = "http://127.0.0.1:5005/webhooks/whatsapp/webhook"
    phone_number_id: str = "100000000000001"
    business_account_id: str = "200000000000001"
    app_id: str = "300000000000001"
    display_phone_number: str = "4930901820000"
    verified_name: str = "Care desk"
    access_token: str = "demo-access-token"  # noqa: S105 - a demo value, it opens nothing
    more_numbers: tuple[Number, ...] = ()
    app_secret: str = "demo-app-secret"  # noqa: S105 - a demo value, it opens nothing
    verify_token: str = "demo-verify-token"  # noqa: S105 - a demo value, it opens nothing
    provider: Provider = Provider.CLOUD_API
    webhook_secret: str = "demo-webhook-secret"  # noqa: S105 - a demo value, it opens nothing
    webhook_secret_header: str = "X-Webhook-Secret"  # noqa: S105 - a header's name
    templates_path: Path | None = None
    database_path: Path | None = None
    window_errors: WindowErrors = WindowErrors.STATUS
    # None: any version, as Meta lifts old ones silently.
    api_version: str | None = None
    # Between the HTTP answer and `sent`, and between the statuses after it.
    status_pause_seconds: float = 0.15
    redelivery_pauses_seconds: tuple[float, ...] = REDELIVERY_PAUSES
    # After this a delivery counts as failed; Meta prints no figure (fact sheet 1.3).
    webhook_timeout_seconds: float = 10.0
    # Webhooks of one customer start in order, but a slow bot does not hold the next one back for longer than this.
    order_patience_seconds: float = 1.0
    # So many webhooks are under way at the same time, and so many statuses may share one.
    webhooks_at_once: int = 32
    statuses_in_webhook: int = 1
    # Messages per second of each number, in and out together; 0: no limit (fact sheet 9).
    throughput: int = 80
    # One message per 6 s to one customer, with a burst of 45 (fact sheet 9).
    pair_rate: bool = True
    # How long Meta looks at a template, by the simulated clock; None: an operator decides.
    review_seconds: float | None = 5.0
    loopback_only: bool = True
    # All business numbers; the first one is meant when none is named.
    numbers: tuple[Number, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Put the numbers together once: every request asks for them."""
        first = Number(id=self.phone_number_id, display=self.display_phone_number, token=self.access_token)
        object.__setattr__(self, "numbers", (first, *self.more_numbers))

    @property
    def first_number(self) -> Number:
        """Return the number that is meant when none is named."""
        return self.numbers[0]

    def number(self, number_id: str) -> Number | None:
        """Return the business number with an id."""
        return next((number for number in self.numbers if number.id == number_id), None)


def webhook_problem(url: str) -> str | None:
    """Return what is wrong with a webhook address, or None."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not parts.hostname:
        return "names no host"
    if parts.username or parts.password:
        return "must not carry a user name or password"
    return None
