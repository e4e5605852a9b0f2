"""Signatures are checked on the raw bytes, in one form only; the subscription challenge is answered to the right word only."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from rasa_whatsapp.cloud import signature
from rasa_whatsapp.errors import SignatureInvalid, SignatureMissing

SECRET = "demo-app-secret"
BODY = b'{"object":"whatsapp_business_account"}'
# printf '%s' '{"object":"whatsapp_business_account"}' | openssl dgst -sha256 -hmac demo-app-secret
GOOD = "sha256=0247a7db045a3fdfcaa53bac393eb70ecf19a67b033bf215b0c9e076890297db"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        pytest.param(None, SignatureMissing, id="no header"),
        pytest.param("", SignatureMissing, id="an empty header"),
        pytest.param("sha256=" + "0" * 64, SignatureInvalid, id="a wrong digest"),
        pytest.param(GOOD[:-1], SignatureInvalid, id="one digit short"),
        pytest.param(GOOD + "0", SignatureInvalid, id="one digit long"),
        pytest.param(GOOD.removeprefix("sha256="), SignatureInvalid, id="no prefix"),
        pytest.param(GOOD.replace("sha256", "sha512"), SignatureInvalid, id="another prefix"),
        pytest.param(
            "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(),
            SignatureInvalid,
            id="SHA-1 of the body",
        ),
        pytest.param("sha256=" + GOOD[7:].upper(), SignatureInvalid, id="upper case"),
        pytest.param("sha256=" + "é" * 64, SignatureInvalid, id="no hex digits"),
        pytest.param("sha256=" + "\ud800" * 64, SignatureInvalid, id="no text at all"),
        pytest.param("sha256=" + "0" * 10_000, SignatureInvalid, id="endless"),
    ],
)
def test_refuses(header, problem):
    """Whatever is not exactly Meta's form and value is refused, and the text tells neither value nor body."""
    with pytest.raises(problem) as refused:
        signature.verify(BODY, header, SECRET)
    assert GOOD[7:] not in str(refused.value)
    assert "business" not in str(refused.value)


def test_accepts_what_openssl_signed():
    """A digest that another program computed is accepted, and sign makes the same."""
    signature.verify(BODY, GOOD, SECRET)
    assert signature.sign(BODY, SECRET) == GOOD


def test_accepts_the_bytes_as_they_were_escaped(webhook, sign):
    r"""Meta signs its \u00e9 and \/ escapes: the bytes count, not what they mean."""
    raw = webhook("text_escaped_as_meta_does")
    assert rb"\u00e9" in raw
    assert rb"\/" in raw
    signature.verify(raw, sign(raw), SECRET)
    with pytest.raises(SignatureInvalid):
        signature.verify(raw.replace(rb"\/", b"/"), sign(raw), SECRET)


@pytest.mark.parametrize("secret", ["another", "", "demo-app-secret "])
def test_refuses_another_secret(secret, sign):
    """Only the app secret itself fits."""
    with pytest.raises(SignatureInvalid):
        signature.verify(BODY, sign(BODY, secret), SECRET, "a second app's secret")


@pytest.mark.parametrize("secrets", [[SECRET, "second"], ["second", SECRET]])
def test_any_of_the_secrets(secrets):
    """Each app that is subscribed signs with its own secret."""
    signature.verify(BODY, GOOD, *secrets)


def test_without_secrets():
    """Where there is no secret, nothing fits."""
    with pytest.raises(SignatureInvalid):
        signature.verify(BODY, GOOD)


@pytest.mark.parametrize(
    ("header", "secret", "problem"),
    [
        pytest.param("hunter2", "hunter2", None, id="the secret"),
        pytest.param("hünter2", "hünter2", None, id="a secret that is not ASCII"),
        pytest.param(None, "hunter2", SignatureMissing, id="no header"),
        pytest.param("", "hunter2", SignatureMissing, id="an empty header"),
        pytest.param("hunter3", "hunter2", SignatureInvalid, id="another"),
        pytest.param("hunter22", "hunter2", SignatureInvalid, id="longer"),
        pytest.param("hunter", "hunter2", SignatureInvalid, id="shorter"),
        pytest.param("HUNTER2", "hunter2", SignatureInvalid, id="capitals"),
        pytest.param("\ud800", "?", SignatureInvalid, id="no text"),
        pytest.param("anything", "", SignatureInvalid, id="no secret is set"),
    ],
)
def test_shared_secret(header, secret, problem):
    """A provider that does not sign sends a word of ours; the text of a refusal does not tell it."""
    if problem is None:
        signature.verify_secret(header, secret)
        return
    with pytest.raises(problem) as refused:
        signature.verify_secret(header, secret)
    assert "hunter" not in str(refused.value)
    assert isinstance(refused.value, SignatureMissing) is (problem is SignatureMissing)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param(("subscribe", "1158201444", "word"), "1158201444", id="right"),
        pytest.param(("subscribe", "1158201444", "sword"), None, id="wrong token"),
        pytest.param(("subscribe", "1158201444", ""), None, id="no token"),
        pytest.param(("unsubscribe", "1158201444", "word"), None, id="wrong mode"),
        pytest.param(("subscribe", "", "word"), None, id="no challenge"),
        pytest.param(("subscribe", "1", "w\ud800rd"), None, id="a token that is no text"),
    ],
)
def test_challenge(query, answer):
    """The challenge is echoed for the right mode and token, else nothing is."""
    mode, challenge, token = query
    given = {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": token}
    assert signature.answer_challenge(given, "word") == answer


def test_challenge_without_parameters():
    """A bare GET is refused."""
    assert signature.answer_challenge({}, "word") is None
