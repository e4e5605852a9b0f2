"""What differs between the doors to the same API: a business number at a provider becomes addresses and headers.

Cloud API: https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
360dialog: https://docs.360dialog.com/docs/waba-messaging (Meta's payloads at another address, with a key for each number)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rasa_whatsapp.cloud.web_addresses import WebAddress, read_address

CLOUD_API, DIALOG_360 = "cloud_api", "360dialog"
PROVIDERS = (CLOUD_API, DIALOG_360)
DEFAULT_URLS = {CLOUD_API: "https://graph.facebook.com", DIALOG_360: "https://waba-v2.360dialog.io"}
DEFAULT_API_VERSION = "v26.0"
DEFAULT_MEDIA_HOSTS = ("lookaside.fbsbx.com",)  # business-phone-numbers/media


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One business number at a provider: where its calls go and what they carry.

    `headers` hold the token or key; they may be sent where `trusts` says so and nowhere else.
    """

    number_id: str
    nodes_url: str  # above `messages` and `media`
    media_ids_url: str
    headers: Mapping[str, str] = field(repr=False)
    media_hosts: frozenset[str]
    serves_media: bool = False  # the provider hands out the bytes itself, in the place of Meta's media host

    def url(self, node: str) -> str:
        """Return the address of `messages` or `media`."""
        return f"{self.nodes_url}/{node}"

    def media_url(self, media_id: str) -> str:
        """Return the address that tells where the bytes of a media id are."""
        return f"{self.media_ids_url}/{media_id}"

    def download_url(self, url: str) -> str:
        """Return where the bytes are fetched that the provider says to be at `url`.

        360dialog: the host is replaced, path and query stay (docs: Upload, Retrieve or Delete Media).
        """
        address = read_address(url)
        if self.serves_media and address is not None and address.is_at(self.media_hosts):
            return f"{self._base.origin}{address.rest}"
        return url

    def trusts(self, url: str) -> bool:
        """Tell whether the token may be sent to an address: at the provider's own place, or at a media host by https.

        Over plain http only an account that is at an http address itself (a simulator) trusts a media host.
        """
        address = read_address(url)
        if address is None:
            return False
        if address.origin == self._base.origin:
            return True
        return address.is_at(self.media_hosts) and (address.scheme == "https" or self._base.scheme == "http")

    @property
    def _base(self) -> WebAddress:
        address = read_address(self.media_ids_url)
        assert address is not None  # as the two makers below have seen to
        return address


def cloud_api(
    *,
    number_id: str,
    access_token: str,
    graph_url: str = DEFAULT_URLS[CLOUD_API],
    api_version: str = DEFAULT_API_VERSION,
    media_hosts: Collection[str] = DEFAULT_MEDIA_HOSTS,
) -> Account:
    """Return a number at Meta's own Cloud API; raises ValueError if `graph_url` is no web address."""
    version_url = f"{_checked(graph_url)}/{api_version}"
    return Account(
        number_id=number_id,
        nodes_url=f"{version_url}/{number_id}",
        media_ids_url=version_url,
        headers={"Authorization": f"Bearer {access_token}"},
        media_hosts=frozenset(media_hosts),
    )


def dialog360(
    *,
    number_id: str,
    api_key: str,
    base_url: str = DEFAULT_URLS[DIALOG_360],
    media_hosts: Collection[str] = DEFAULT_MEDIA_HOSTS,
) -> Account:
    """Return a number at 360dialog, where the key stands for the number; raises ValueError for a base that is no address."""
    base = _checked(base_url)
    return Account(
        number_id=number_id,
        nodes_url=base,
        media_ids_url=base,
        headers={"D360-API-KEY": api_key},
        media_hosts=frozenset(media_hosts),
        serves_media=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessAccount:
    """The WhatsApp Business Account that owns the templates: where its calls go and what they carry, at Meta's own door.

    Files are uploaded for an app, which few need: `app_id` may be missing. These calls carry `upload_headers`.
    """

    account_id: str
    version_url: str
    headers: Mapping[str, str] = field(repr=False)
    upload_headers: Mapping[str, str] = field(repr=False)
    app_id: str | None = None


def business_account(
    *,
    account_id: str,
    access_token: str,
    graph_url: str = DEFAULT_URLS[CLOUD_API],
    api_version: str = DEFAULT_API_VERSION,
    app_id: str | None = None,
) -> BusinessAccount:
    """Return the account; raises ValueError if `graph_url` is no web address."""
    return BusinessAccount(
        account_id=account_id,
        version_url=f"{_checked(graph_url)}/{api_version}",
        headers={"Authorization": f"Bearer {access_token}"},
        upload_headers={"Authorization": f"OAuth {access_token}"},  # graph-api/guides/upload
        app_id=app_id,
    )


def _checked(url: str) -> str:
    if read_address(url) is None:
        raise ValueError("the provider's address is no http or https address")
    return url.rstrip("/")
