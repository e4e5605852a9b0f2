"""What is declared under data/ for WhatsApp, and the files of media beside it, are nothing that Rasa trains a model with."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.data import get_data_files, is_nlu_file

TEMPLATES = """whatsapp_templates:
- name: news
  language: en
  category: UTILITY
  response: utter_news
  components: [{type: BODY, text: It is here.}]
"""


@pytest.mark.parametrize(
    "name", ["whatsapp_templates.yml", "whatsapp_templates/news.yml", "whatsapp_templates/a/b.yaml"]
)
def test_rasa_passes_them_over(tmp_path: Path, name: str) -> None:
    """Neither examples nor stories, whether they are one file or a folder of them."""
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.write_text(TEMPLATES, "utf-8")
    file.with_name("offer.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    file.with_name("bill.pdf").write_bytes(b"%PDF-1.4\x80\x81")
    for is_training_data in (is_nlu_file, YAMLStoryReader.is_stories_file):
        assert get_data_files([str(tmp_path / "data")], is_training_data) == []
