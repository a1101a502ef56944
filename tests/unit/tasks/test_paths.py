"""Where a sink may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import refuse_sink_under_source


@pytest.mark.parametrize(
    ("source", "sink", "refused"),
    [
        ("in", "in", True),
        ("in", "in/tables", True),
        ("in/.", "link/tables", True),
        ("in", "inside", False),
        ("data/in", "data", False),
        ("data/pages/x", "data", True),
        ("data/overlays", "data", True),
        ("s3://b/in", "s3://b/in/t", True),
        ("s3a://b/in/", "s3://b/in/t", True),
        ("s3://b/in", "s3://b/in2", False),
        ("s3://b", "s3://b/t", True),
        ("s3://b/t/files/", "s3://b/t", True),
        ("s3://b/in", "s3://c/in/t", False),
        ("in", "s3://in/t", False),
    ],
)
def test_a_sink_in_the_source_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, sink: str, refused: bool
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    if refused:
        with pytest.raises(ConfigError, match="sink"):
            refuse_sink_under_source(source, sink)
    else:
        refuse_sink_under_source(source, sink)
