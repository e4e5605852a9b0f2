"""Languages: which translation serves a reader, and what is read in the country of a number."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud import languages


@pytest.mark.parametrize(
    ("wanted", "have", "found"),
    [
        # the same, however it is written
        ("en-US", ["en_GB", "en_US"], "en_US"),
        ("EN_us", ["en_GB", "en_US"], "en_US"),
        ("iw", ["he", "en"], "he"),
        ("zh-Hant-TW", ["zh_CN", "zh_HK", "zh_TW"], "zh_TW"),
        # without a region before another region
        ("es_MX", ["es", "es_AR", "es_ES"], "es"),
        ("de_CH", ["de_AT", "de"], "de"),
        # the nearest region: Latin America's among themselves, Britain's among what it shaped
        ("es_MX", ["es_ES", "es_LA"], "es_LA"),
        ("es_MX", ["es_ES", "es_AR"], "es_AR"),
        ("es_LA", ["es_ES", "es_MX"], "es_MX"),
        ("pt_AO", ["pt_BR", "pt_PT"], "pt_PT"),
        ("en_NZ", ["en_US", "en_GB"], "en_GB"),
        # another region, if there is no nearer one
        ("pt_BR", ["pt_PT", "es"], "pt_PT"),
        ("pt_PT", ["pt_BR", "es"], "pt_BR"),
        ("de", ["de_AT", "en"], "de_AT"),
        # no region is the one where most read it
        ("en", ["en_GB", "en_US"], "en_US"),
        ("pt", ["pt_PT", "pt_BR"], "pt_BR"),
        ("zh", ["zh_TW", "zh_CN"], "zh_CN"),
        # the script counts for Chinese
        ("zh_HK", ["zh_CN", "zh_TW"], "zh_TW"),
        ("zh_HK", ["zh_CN", "en"], None),
        ("zh_SG", ["zh_TW", "zh_CN"], "zh_CN"),
        ("sr_Latn", ["sr"], "sr"),
        # names that changed, and sister languages that are read as one
        ("no", ["nb", "da"], "nb"),
        ("tl", ["fil", "fi"], "fil"),
        ("fa", ["prs_AF"], "prs_AF"),
        ("gsw", ["de", "fr"], "de"),
        # alike by their letters, or neighbours, and yet others
        ("fi", ["fil"], None),
        ("ca", ["es"], None),
        ("uk", ["ru"], None),
        ("nb", ["sv"], None),
        ("de", ["en"], None),
        # no language at all
        ("deutsch", ["de"], None),
        ("None", ["en", "de"], None),
        ("", ["en"], None),
        ("{language}", ["en"], None),
        ("en", ["deutsch", "en"], "en"),
        ("en", [], None),
    ],
)
def test_best(wanted, have, found):
    """The same one, the one without a region, the nearest region; never another language."""
    assert languages.best(wanted, have) == found
    assert languages.best(wanted, list(reversed(have))) == found


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("de", True), ("pt_BR", True), ("zh-Hant-HK", True), ("es_LA", True), ("fil", True), ("prs_AF", True),
        ("xx", False), ("de_BX", False), ("german", False), ("", False), ("None", False),
    ],
)  # fmt: skip
def test_is_code(text, is_code):
    """Only what there is, so that a misspelling is told."""
    assert languages.is_code(text) == is_code


@pytest.mark.parametrize(
    ("language", "wa_id", "user_id", "found"),
    [
        ("en", "4915112345678", None, "en-DE"),
        ("pt", "351912345678", None, "pt-PT"),
        ("es", "5215512345678", None, "es-MX"),
        ("zh", None, "TW.9Zk3abc", "zh-TW"),
        ("en", "882123456789", None, "en"),  # no country's
        ("en", None, "ZZ.9Zk3abc", "en"),
        ("en", None, None, "en"),
    ],
)
def test_as_written_in(language, wa_id, user_id, found):
    """So that who writes Portuguese with a number of Portugal is not served as a reader in Brazil."""
    assert languages.as_written_in(language, wa_id, user_id) == found


@pytest.mark.parametrize(
    ("wa_id", "user_id", "found"),
    [
        ("4915112345678", None, "de-DE"),
        ("5511987654321", None, "pt-BR"),
        ("85251234567", None, "zh-HK"),
        ("41791234567", None, "de-CH"),
        ("14165550123", None, "en-CA"),
        ("919812345678", None, "hi-IN"),
        ("33612345678", "BR.9Zk3abc", "fr-FR"),
        (None, "FR.9Zk3abc", "fr-FR"),
        (None, "DE.ENT.9Zk3abc", "de-DE"),
        (None, "ZZ.9Zk3abc", None),
        (None, "9Zk3abc", None),
        ("882123456789", None, None),  # no country's
        ("12", None, None),
        (None, None, None),
    ],
)
def test_of_customer(wa_id, user_id, found):
    """The number's country tells, else the one that the user id begins with."""
    assert languages.of_customer(wa_id, user_id) == found
