"""Web addresses are read strictly: what two readers could take for two hosts is none."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.web_addresses import read_address


@pytest.mark.parametrize(
    ("text", "origin", "rest"),
    [
        ("https://lookaside.fbsbx.com/a?b=c%2Fd", "https://lookaside.fbsbx.com", "/a?b=c%2Fd"),
        ("HTTPS://Lookaside.FBSBX.com:443/A", "https://lookaside.fbsbx.com", "/A"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090", ""),
        ("http://[::1]:8090/x", "http://[::1]:8090", "/x"),
        ("https://cdn.example/ä b.png".replace(" ", ""), "https://cdn.example", "/äb.png"),
        ("https://cdn.example?x=1#top", "https://cdn.example", "?x=1"),
        ("http://media_server/x", "http://media_server", "/x"),
    ],
)
def test_an_address(text, origin, rest):
    """Scheme and host in small letters, the scheme's own port left out, path and query as they are."""
    address = read_address(text)
    assert (address.origin, address.rest) == (origin, rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lookaside.fbsbx.com/a",
        "//lookaside.fbsbx.com/a",
        "ftp://lookaside.fbsbx.com/a",
        "file:///etc/passwd",
        "https:/lookaside.fbsbx.com",
        "https://user@evil.example/",
        "https://lookaside.fbsbx.com@evil.example/",
        "https://lookaside.fbsbx.com\\@evil.example/",
        "https://lookaside.fbsbx.com%2eevil.example/",
        "https://lookaside.fbsbx.com:443@evil.example/",
        "https://evil.example\\.lookaside.fbsbx.com/",
        "https://lookaside.fbsbx.com:/",
        "https://lookaside.fbsbx.com:0/",
        "https://lookaside.fbsbx.com:70000/",
        "https://lookaside.fbsbx.com/a b",
        "https://lookaside.fbsbx.com/a\r\nHost: evil.example",
        "https://lookaside.fbsbx.com/a\n",
        "https://lookasideⓐ.fbsbx.com/",
        "https://loo\u212aaside.fbsbx.com/",
        " https://lookaside.fbsbx.com/",
    ],
)
def test_no_address(text):
    """No scheme, another scheme, a user part, a backslash, a blank, an odd port: it goes nowhere."""
    assert read_address(text) is None


@pytest.mark.parametrize(
    ("text", "hosts", "is_at"),
    [
        ("https://cdn.example/x", {"cdn.example"}, True),
        ("https://CDN.example/x", {"cdn.Example"}, True),
        ("https://cdn.example:8443/x", {"cdn.example"}, False),
        ("https://cdn.example:8443/x", {"cdn.example:8443"}, True),
        ("https://www.cdn.example/x", {"cdn.example"}, False),
        ("https://cdn.example.evil.example/x", {"cdn.example"}, False),
        ("https://cdn.example./x", {"cdn.example"}, False),
        ("https://cdn.example/x", set(), False),
    ],
)
def test_is_at(text, hosts, is_at):
    """The whole host counts, and its port."""
    assert read_address(text).is_at(hosts) is is_at
