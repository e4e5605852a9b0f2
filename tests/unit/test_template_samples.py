"""Samples that a catalogue names by a file: which files Meta takes, what lint says of them, and their handles in what is handed in."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cli import main
from rasa_whatsapp.cloud.templates.management_errors import Scope
from rasa_whatsapp.cloud.templates.plan import Create, Edit
from rasa_whatsapp.cloud.templates.samples import Sample, samples, type_of, unlawful, with_handles
from rasa_whatsapp.cloud.templates.schema import schema
from rasa_whatsapp.templates.account import CallFailed, MediaFile
from rasa_whatsapp.templates.catalogue import read_catalogue
from rasa_whatsapp.templates.samples import Samples

PNG = b"\x89PNG\r\n\x1a\n\xff\xfe"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"
MIB = 1024 * 1024
CATALOGUE = """\
whatsapp_templates:
- name: offer
  language: en
  category: MARKETING
  components:
  - type: HEADER
    format: IMAGE
    example:
      file: media/offer.png
  - {type: BODY, text: "Half price."}
- name: offer
  language: de
  category: MARKETING
  components:
  - {type: HEADER, format: image, example: {file: media/../media/offer.png}}
  - {type: BODY, text: "Zum halben Preis."}
"""
CAROUSEL = """\
whatsapp_templates:
- name: cards
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "New today:"}
  - type: CAROUSEL
    cards:
    - components:
      - {type: HEADER, format: IMAGE, example: {file: one.png}}
      - {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: "Yes"}]}
    - components:
      - type: HEADER
        format: IMAGE
        example: {file: two.png}
      - {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: "Yes"}]}
"""


@pytest.mark.parametrize(
    ("beginning", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"%PDF-1.7\n", "application/pdf"),
        (MP4, "video/mp4"),
        (MP4.replace(b"isom", b"3gp4"), None),
        (MP4.replace(b"isom", b"qt  "), None),
        (MP4.replace(b"isom", b"heic"), None),
        (b"GIF89a\x01\x00\x01\x00", None),
        (b"RIFF\x24\x00\x00\x00WEBP", None),
        (b"", None),
    ],
)  # fmt: skip
def test_what_a_file_is(beginning, mime):
    """Its bytes tell, not its name."""
    assert type_of(beginning) == mime


@pytest.mark.parametrize(
    ("kind", "beginning", "size", "told"),
    [
        ("IMAGE", PNG, 5 * MIB, None),
        ("IMAGE", PNG, 5 * MIB + 1, "has 5,242,881 bytes; a header with IMAGE may have 5,242,880"),
        ("IMAGE", MP4, 9, "is no image/jpeg or image/png, which a header with IMAGE needs"),
        ("IMAGE", b"", 0, "is no image/jpeg or image/png"),
        ("VIDEO", MP4, 16 * MIB, None),
        ("VIDEO", MP4, 16 * MIB + 1, "a header with VIDEO may have 16,777,216"),
        ("VIDEO", PNG, 9, "is no video/mp4"),
        ("GIF", MP4, 3_670_016, None),
        ("GIF", MP4, 3_670_017, "a header with GIF may have 3,670,016"),
        ("GIF", b"GIF89a", 9, "is no video/mp4, which a header with GIF needs"),
        ("DOCUMENT", b"%PDF-1.4", 100 * MIB, None),
        ("DOCUMENT", b"%PDF-1.4", 100 * MIB + 1, "a header with DOCUMENT may have 104,857,600"),
        ("DOCUMENT", b"PK\x03\x04", 9, "is no application/pdf"),
    ],
)  # fmt: skip
def test_what_meta_takes(kind, beginning, size, told):
    """Type and size, by the header's format."""
    found = unlawful(kind, beginning, size)
    assert found == told if told is None else told in found


def test_samples_of_headers_and_cards():
    """Whatever else stands there is no sample."""
    image = {"type": "header", "format": "image", "example": {"file": "a.png"}}
    card = {"components": [image | {"format": "VIDEO", "example": {"file": "b.mp4"}}, {"type": "BODY"}]}
    text = {"type": "HEADER", "format": "TEXT", "text": "x", "example": {"file": "c.png"}}
    handle = image | {"example": {"header_handle": ["4::a"]}}
    broken = [5, {"type": "HEADER"}, image | {"example": {"file": 7}}, {"type": "CAROUSEL", "cards": [3, {}]}]
    template = {"components": [image, {"type": "CAROUSEL", "cards": [{}, card]}, text, handle, *broken]}
    assert samples(template) == [
        Sample("a.png", "IMAGE", ("components", 0, "example", "file")),
        Sample("b.mp4", "VIDEO", ("components", 1, "cards", 1, "components", 0, "example", "file")),
    ]
    filled = with_handles(
        {"components": [image, {"type": "CAROUSEL", "cards": [card]}, text]}, {"a.png": "4::a", "b.mp4": "4::b"}
    )
    assert filled["components"][0]["example"] == {"header_handle": ["4::a"]}
    assert filled["components"][1]["cards"][0]["components"][0]["example"] == {"header_handle": ["4::b"]}
    assert filled["components"][2] == text
    assert image["example"] == {"file": "a.png"}
    assert samples({"components": "none"}) == []


@pytest.fixture
def bot(tmp_path, monkeypatch):
    """Work in the folder of a bot with a declared template whose sample is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/media").mkdir(parents=True)
    (tmp_path / "data/whatsapp_templates.yml").write_text(CATALOGUE)
    (tmp_path / "data/media/offer.png").write_bytes(PNG)
    return tmp_path


def lint():
    """Return what lint tells."""
    return CliRunner().invoke(main, ["templates", "lint"]).output.splitlines()


def test_lint_of_a_sample_that_is_right(bot):
    """Nothing is told; the editor's schema knows the key."""
    assert lint() == ["2 templates checked, each language apart; 0 findings"]
    content = yaml_files.load(bot / "data/whatsapp_templates.yml")
    validator = jsonschema.Draft7Validator(schema())
    assert validator.is_valid(content)
    content["whatsapp_templates"][0]["components"][0]["example"]["header_handle"] = ["4::a"]
    assert not validator.is_valid(content)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda file: file.unlink(), "is not there: its path counts from the folder of this file"),
        (lambda file: file.write_bytes(MP4), "is no image/jpeg or image/png, which a header with IMAGE needs"),
        (lambda file: file.write_bytes(b""), "is no image/jpeg or image/png, which a header with IMAGE needs"),
        (lambda file: os.truncate(file, 5 * MIB + 1), "has 5,242,881 bytes; a header with IMAGE may have 5,242,880"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read: Is a directory"),
    ],
    ids=["missing", "a video", "empty", "too long", "a folder"],
)  # fmt: skip
def test_lint_of_a_sample_that_is_wrong(bot, damage, told):
    """With the line of the file's name."""
    damage(bot / "data/media/offer.png")
    place = "data/whatsapp_templates.yml"
    assert lint()[:-1] == [
        f"{place}:9: offer (en): the sample data/media/offer.png {told}",
        f"{place}:15: offer (de): the sample data/media/../media/offer.png {told}",
    ]


def test_lint_of_the_samples_of_cards(bot):
    """Each at its place, from the folder of its file."""
    (bot / "data/whatsapp_templates.yml").unlink()
    (bot / "data/whatsapp_templates/new").mkdir(parents=True)
    (bot / "data/whatsapp_templates/new/cards.yml").write_text(CAROUSEL)
    (bot / "data/whatsapp_templates/new/one.png").write_bytes(PNG)
    assert lint()[:-1] == [
        "data/whatsapp_templates/new/cards.yml:15: cards (en): the sample data/whatsapp_templates/new/two.png is not there: "
        "its path counts from the folder of this file"
    ]


class Uploader:
    """Gives a handle for each file, and remembers the files."""

    def __init__(self):
        self.files = []

    def upload(self, file):
        """Return a handle."""
        self.files.append(file)
        return f"4::{len(self.files)}"


def test_a_file_is_uploaded_once(bot):
    """Whatever the path to it; what is not handed in is not uploaded."""
    entries = read_catalogue(Path("data/whatsapp_templates.yml")).entries
    uploader, told = Uploader(), []
    uploads = Samples(entries, uploader, told.append)
    english, german = (Create(entry.content) for entry in entries)
    lifetime = Edit(entries[0].content, None, {"message_send_ttl_seconds": 60}, ())
    assert uploads.handed_in(lifetime) == {"message_send_ttl_seconds": 60}
    assert uploads.named_by(lifetime) == []
    for step in (english, german, Edit(german.declared, None, {"components": german.declared["components"]}, ())):
        assert uploads.handed_in(step)["components"][0]["example"] == {"header_handle": ["4::1"]}
    assert uploader.files == [MediaFile("offer.png", "image/png", PNG)]
    assert told == [Path("data/media/offer.png")]
    assert entries[0].content["components"][0]["example"] == {"file": "media/offer.png"}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda file: file.unlink(), "the sample data/media/offer.png is not there"),
        (lambda file: file.write_bytes(MP4), "the sample data/media/offer.png is no image/jpeg or image/png"),
    ],
    ids=["gone", "another file"],
)  # fmt: skip
def test_a_file_that_changed_since_it_was_checked(bot, damage, told):
    """Only its template is not handed in."""
    entries = read_catalogue(Path("data/whatsapp_templates.yml")).entries
    damage(bot / "data/media/offer.png")
    uploader = Uploader()
    with pytest.raises(CallFailed, match=told) as raised:
        Samples(entries, uploader, print).handed_in(Create(entries[0].content))
    assert (raised.value.failure.scope, uploader.files) == (Scope.TEMPLATE, [])
