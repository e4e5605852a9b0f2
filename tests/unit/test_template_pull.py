"""Meta's templates into the files of a catalogue: what people wrote around them stays."""

from __future__ import annotations

import json
import os

import pytest

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.templates.calls import read_page
from rasa_whatsapp.cloud.templates.differences import Difference, differences
from rasa_whatsapp.cloud.templates.entries import to_entry, update
from rasa_whatsapp.cloud.templates.plan import by_key
from rasa_whatsapp.cloud.templates.rules import faults
from rasa_whatsapp.templates.pull import Change, pulled

BODY = {"type": "BODY", "text": "It is here."}
QUICK = {"type": "QUICK_REPLY", "text": "Yes"}


def at_meta(name="news", language="en", status="APPROVED", category="UTILITY", **more):
    """Return a template as Meta lists it."""
    content = {"name": name, "language": language, "status": status, "category": category, "components": [BODY]}
    return {"id": "77"} | content | more


def read(*items):
    """Return the account's templates."""
    return by_key(read_page(json.dumps({"data": items}).encode()).templates)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (at_meta(), {}),
        (at_meta(parameter_format="POSITIONAL", quality_score={"score": "GREEN"}), {}),
        (at_meta(parameter_format="NAMED", message_send_ttl_seconds=60), {"parameter_format": "NAMED", "message_send_ttl_seconds": 60}),
        (at_meta(components=[{"text": "It is here.", "type": "body"}, {"type": "header", "format": "image"}]),
         {"components": [BODY, {"type": "HEADER", "format": "IMAGE"}]}),
        (at_meta(components=[BODY, {"type": "BUTTONS", "buttons": [{"type": "copy_code", "text": "Copy offer code", "example": ["S"]}]}]),
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "example": ["S"]}]}]}),
        (at_meta(components=[BODY, {"type": "CAROUSEL", "cards": [{"components": [{"type": "body", "text": "One"}]}]}]),
         {"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": "One"}]}]}]}),
        (at_meta(category="AUTHENTICATION", components=[
            {"type": "BODY", "text": "*{{1}}* is your code.", "add_security_recommendation": True, "example": {"body_text": [["1"]]}},
            {"type": "FOOTER", "text": "Expires.", "code_expiration_minutes": 5},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy code",
                                             "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}]}]),
         {"category": "AUTHENTICATION", "components": [
             {"type": "BODY", "add_security_recommendation": True}, {"type": "FOOTER", "code_expiration_minutes": 5},
             {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]}]}),
        (at_meta(category="AUTHENTICATION", components=[
            {"type": "BODY", "text": "*{{1}}* is your code."},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy code", "supported_apps": [{"package_name": "a.b", "signature_hash": "x"}],
                                             "url": "https://www.whatsapp.com/otp/code/?otp_type=ZERO_TAP&code=otp{{1}}"}]}]),
         {"category": "AUTHENTICATION", "components": [
             {"type": "BODY"},
             {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "ZERO_TAP", "text": "Copy code", "zero_tap_terms_accepted": True,
                                              "supported_apps": [{"package_name": "a.b", "signature_hash": "x"}]}]}]}),
    ],
    ids=["plain", "what Meta adds", "form and lifetime", "case", "a label of Meta's", "cards", "codes", "codes into an app"],
)  # fmt: skip
def test_an_entry(item, expected):
    """As a designer would declare it: without what Meta adds."""
    (template,) = read(item).values()
    entry = {
        "name": "news",
        "language": "en",
        "category": "UTILITY",
        "status": "APPROVED",
        "components": [BODY],
    } | expected
    assert to_entry(template) == entry
    assert differences(entry, template.content) == []
    if "format" not in str(entry) and "cards" not in str(entry):
        assert faults(entry) == []


@pytest.mark.parametrize(
    ("entry", "item", "changed", "after"),
    [
        ({}, {}, [], {}),
        ({"uses": "ours"}, {"status": "PAUSED"}, [("status", "APPROVED", "PAUSED")], {"uses": "ours", "status": "PAUSED"}),
        ({"category": "MARKETING"}, {}, [("category", "MARKETING", "UTILITY")], {}),
        ({"message_send_ttl_seconds": 60}, {}, [("message_send_ttl_seconds", 60, None)], {}),
        ({"components": [{"text": "Old", "type": "body"}, {"type": "FOOTER", "text": "Bye"}]}, {},
         [("body.text", "Old", "It is here."), ("footer", "Bye", None)], {"components": [{"text": "It is here.", "type": "body"}]}),
        ({"components": [BODY]}, {"components": [{"type": "FOOTER", "text": "Bye"}, BODY]}, [("footer", None, "Bye")],
         {"components": [BODY, {"type": "FOOTER", "text": "Bye"}]}),
        ({"components": [BODY, {"type": "HEADER", "text": "Hi"}]},
         {"components": [{"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["h"]}}, BODY]},
         [("header.text", "Hi", None), ("header.format", "TEXT", "IMAGE")],
         {"components": [BODY, {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["h"]}}]}),
        ({"components": [BODY, {"type": "BUTTONS", "buttons": [QUICK, {"type": "QUICK_REPLY", "text": "No"}]}]},
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sure"}]}]},
         [("button 1.text", "Yes", "Sure"), ("button 2", "No", None)],
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sure"}]}]}),
        ({"components": [BODY, {"type": "BUTTONS", "buttons": [QUICK]}]},
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Go", "url": "https://x.example"}, QUICK]}]},
         [("button 1", "Yes", "Go"), ("button 2", None, "Yes")],
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Go", "url": "https://x.example"}, QUICK]}]}),
        ({"components": [BODY]},
         {"components": [{"type": "BODY", "text": "Hi {{1}}!", "example": {"body_text": [["Lea"]]}}]},
         [("body.text", "It is here.", "Hi {{1}}!")],
         {"components": [{"type": "BODY", "text": "Hi {{1}}!", "example": {"body_text": [["Lea"]]}}]}),
        ({"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": [BODY]}, {"components": [BODY]}]}]},
         {"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": "One"}]}]}]},
         [("card 1 body.text", "It is here.", "One"), ("card 2", {"components": [BODY]}, None)],
         {"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": "One"}]}]}]}),
        ({"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book", "flow_name": "ours"}]}]},
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Order", "flow_id": "12"}]}]},
         [("button 1.text", "Book", "Order")],
         {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Order", "flow_name": "ours"}]}]}),
        ({"components": None}, {}, [("body", None, "It is here.")], {"components": [BODY]}),
    ],
    ids=["the same", "status", "category", "lifetime", "text and footer", "a new footer", "another header", "buttons",
         "another order of buttons", "a variable", "cards", "what is said at creation only", "no components"],
)  # fmt: skip
def test_an_entry_that_is_there(entry, item, changed, after):
    """It says what Meta has afterwards, and still what is its own."""
    declared = json.loads(
        json.dumps({"name": "news", "language": "en", "category": "UTILITY", "components": [BODY]} | entry)
    )
    (template,) = read(at_meta(**item)).values()
    assert update(declared, template) == [Difference(*each) for each in changed]
    assert declared == {"name": "news", "language": "en", "category": "UTILITY", "components": [BODY]} | after
    assert differences(declared, template.content) == []


CATALOGUE = """\
# All that we say.
whatsapp_templates:
  # what everybody gets
  - {name: news, language: en, category: UTILITY, components: [{type: BODY, text: 'It is here.'}]}  # the first

  - language: de    # language first
    name: news
    category: "UTILITY"
    components:
      - type: BODY
        text: Sie ist da.   # shorter?
      - {type: FOOTER, text: "${NAME}"}
# the end
other: [1, 2]
"""
CHANGED = """\
# All that we say.
whatsapp_templates:
  # what everybody gets
  - {name: news, language: en, category: UTILITY, components: [{type: BODY, text: 'It is there.'}]} # the first

  - language: de    # language first
    name: news
    category: "UTILITY"
    status: PAUSED
    components:
      - type: BODY
        text: Sie ist da.   # shorter?
      - {type: FOOTER, text: "${NAME}"}
# the end

  - name: offer
    language: en
    category: MARKETING
    status: APPROVED
    components:
      - type: BODY
        text: |-
          Half price.

          Today only.
other: [1, 2]
"""
SHARED = """\
whatsapp_templates:
- {name: news, language: en, category: UTILITY, components: &it [{type: BODY, text: It is here.}]}
- {name: news, language: de, category: UTILITY, components: *it}
"""


def bodies(text):
    """Return the components of a template with this body."""
    return [{"type": "BODY", "text": text}]


ACCOUNT = (
    at_meta(components=bodies("It is there.")),
    at_meta(language="de", status="PAUSED", components=[*bodies("Sie ist da."), {"type": "FOOTER", "text": "${NAME}"}]),
    at_meta("offer", category="MARKETING", components=bodies("Half price.\n\nToday only.")),
    at_meta("gone", status="PENDING_DELETION"),
)


def test_comments_order_and_quotes_stay(tmp_path):
    """What is new comes at the end; a template that Meta is deleting does not come."""
    file = tmp_path / "templates.yml"
    file.write_text(CATALOGUE)
    (rewrite,) = pulled(file, read(*ACCOUNT), new_in=file)
    assert rewrite.text == CHANGED
    assert [change.key for change in rewrite.changes] == [("news", "en"), ("news", "de"), ("offer", "en")]
    assert rewrite.changes[2] == Change(("offer", "en"))
    assert file.read_text() == CATALOGUE
    rewrite.write()
    assert pulled(file, read(*ACCOUNT), new_in=file) == []


def test_a_folder(tmp_path):
    """Each entry changes in its file; what is new goes where it is told."""
    (tmp_path / "a.yml").write_text(CATALOGUE)
    (tmp_path / "b.yml").write_text("whatsapp_templates: []\n")
    new = tmp_path / "new.yml"
    found = pulled(tmp_path, read(*ACCOUNT[1:3]), new_in=new)
    assert [(rewrite.file.name, [change.key for change in rewrite.changes]) for rewrite in found] == [
        ("a.yml", [("news", "de")]),
        ("new.yml", [("offer", "en")]),
    ]
    for rewrite in found:
        rewrite.write()
    assert yaml_files.load(new)["whatsapp_templates"][0]["components"] == bodies("Half price.\n\nToday only.")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a: [", "cannot be read: line 1"),
        ("a: 1", "has no list under the key whatsapp_templates"),
        (SHARED, "news shares a part with another template"),
    ],
)
def test_files_that_cannot_be_changed(tmp_path, content, told):
    """They stay as they are."""
    file = tmp_path / "templates.yml"
    file.write_text(content)
    with pytest.raises(yaml_files.Unreadable, match=told):
        pulled(file, read(at_meta(), at_meta(language="de", components=bodies("Sie ist da."))), new_in=file)
    assert file.read_text() == content


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """With the rights of the old one; a link stays one, and nothing is left behind."""
    file, link = tmp_path / "templates.yml", tmp_path / "link.yml"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    yaml_files.write("new", link)
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o640, True)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        yaml_files.write("newer", file)
    assert (file.read_text(), sorted(path.name for path in tmp_path.iterdir())) == (
        "new",
        ["link.yml", "templates.yml"],
    )
