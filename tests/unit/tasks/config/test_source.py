"""Options of the source and of batches."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


@pytest.mark.parametrize(("written", "meant"), [("off", "off"), ("OFF", "off"), ("false", "off"), ("Delete", "delete")])
def test_clean_source_ignores_case_and_accepts_false_for_off(written: str, meant: str) -> None:
    assert build_config(PLACES, overrides=[f"source.clean_source={written}"]).source.clean_source == meant


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("source.clean_source=archive", "needs source_archive_dir, the folder to move files to"),
        ("source.clean_source=burn", "'burn' is not one of off, archive, delete"),
        ("source.clean_source=true", "source.clean_source: "),
        ("source.url=sftp://ada:sesame@host/in", "must not have a user or password"),
        ("trigger.max_files_per_trigger=0", "greater than or equal to 1"),
        ("trigger.max_bytes_per_trigger=0", "greater than or equal to 1"),
    ],
)
def test_invalid_source_and_trigger_options_are_refused(override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(PLACES, overrides=[override])
    assert said in str(caught.value)
    assert "sesame" not in str(caught.value)
