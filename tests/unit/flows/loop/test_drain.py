"""The drain loop's own decisions, without a stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.flows.loop.drain import in_absolute_terms
from inkstream.tasks.config import build_config


def test_relative_folders_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = in_absolute_terms(build_config({"source": {"url": "inbox"}, "sink": {"url": "s3://bucket/tables/"}}))
    assert config.source.url == str(tmp_path / "inbox")
    assert config.sink.url == "s3://bucket/tables"
