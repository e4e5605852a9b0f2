"""A number's account: where its calls go, what they carry, and whom it trusts with the token."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.providers import cloud_api, dialog360

META = cloud_api(number_id="1000", access_token="hunter2")
D360 = dialog360(number_id="1000", api_key="hunter2")
SIMULATED = cloud_api(number_id="1000", access_token="hunter2", graph_url="http://127.0.0.1:8090/")


@pytest.mark.parametrize(
    ("account", "messages", "media", "media_id"),
    [
        (
            META,
            "https://graph.facebook.com/v26.0/1000/messages",
            "https://graph.facebook.com/v26.0/1000/media",
            "https://graph.facebook.com/v26.0/77",
        ),
        (
            D360,
            "https://waba-v2.360dialog.io/messages",
            "https://waba-v2.360dialog.io/media",
            "https://waba-v2.360dialog.io/77",
        ),
        (
            SIMULATED,
            "http://127.0.0.1:8090/v26.0/1000/messages",
            "http://127.0.0.1:8090/v26.0/1000/media",
            "http://127.0.0.1:8090/v26.0/77",
        ),
    ],
    ids=["Cloud API", "360dialog", "a simulator"],
)
def test_addresses(account, messages, media, media_id):
    """The number stands in Cloud API's path; at 360dialog the key stands for it."""
    assert (account.url("messages"), account.url("media"), account.media_url("77")) == (messages, media, media_id)


def test_headers_are_not_shown():
    """The token travels in a header and in no text about the account."""
    assert META.headers == {"Authorization": "Bearer hunter2"}
    assert D360.headers == {"D360-API-KEY": "hunter2"}
    assert "hunter2" not in f"{META!r} {D360!r}"


@pytest.mark.parametrize(
    ("account", "url", "fetched"),
    [
        (META, "https://lookaside.fbsbx.com/a/?mid=1&hash=x", "https://lookaside.fbsbx.com/a/?mid=1&hash=x"),
        (D360, "https://lookaside.fbsbx.com/a/?mid=1&hash=x", "https://waba-v2.360dialog.io/a/?mid=1&hash=x"),
        (D360, "https://waba-v2.360dialog.io/a", "https://waba-v2.360dialog.io/a"),
        (D360, "https://evil.example/a", "https://evil.example/a"),
        (D360, "https://lookaside.fbsbx.com@evil.example/a", "https://lookaside.fbsbx.com@evil.example/a"),
    ],
)
def test_where_the_bytes_are(account, url, fetched):
    """360dialog stands in for Meta's media host, with path and query as they are; other hosts stay to be refused."""
    assert account.download_url(url) == fetched


@pytest.mark.parametrize(
    ("account", "url", "trusted"),
    [
        (META, "https://lookaside.fbsbx.com/a", True),
        (META, "https://graph.facebook.com/a", True),
        (META, "http://lookaside.fbsbx.com/a", False),
        (META, "http://graph.facebook.com/a", False),
        (META, "https://lookaside.fbsbx.com:8443/a", False),
        (META, "https://lookaside.fbsbx.com.evil.example/a", False),
        (META, "https://lookaside.fbsbx.com@evil.example/a", False),
        (META, "https://169.254.169.254/latest/meta-data", False),
        (META, "file:///etc/passwd", False),
        (D360, "https://waba-v2.360dialog.io/a", True),
        (D360, "https://graph.facebook.com/a", False),
        (SIMULATED, "http://127.0.0.1:8090/a", True),
        (SIMULATED, "http://127.0.0.1:8091/a", False),
        (SIMULATED, "http://lookaside.fbsbx.com/a", True),
    ],
)
def test_whom_it_trusts(account, url, trusted):
    """The provider's own place and the media hosts, over https; over http only what is simulated."""
    assert account.trusts(url) is trusted


@pytest.mark.parametrize("url", ["", "graph.facebook.com", "https://a@b", "ftp://graph.facebook.com"])
@pytest.mark.parametrize(
    "maker",
    [
        lambda url: cloud_api(number_id="1", access_token="x", graph_url=url),
        lambda url: dialog360(number_id="1", api_key="x", base_url=url),
    ],
    ids=["Cloud API", "360dialog"],
)
def test_no_address(maker, url):
    """An account is somewhere."""
    with pytest.raises(ValueError, match="no http or https address"):
        maker(url)
