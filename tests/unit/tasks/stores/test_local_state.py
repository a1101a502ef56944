"""What distinguishes one version of a local file from another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.stores.base import State
from inkstream.tasks.stores.local_state import state_of


def test_a_version_is_identified_by_time_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a b.pdf"
    path.write_bytes(b"12345")
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    assert state_of(str(path), path.stat()) == State("1700000000123456789-5", 5)


def test_the_state_of_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceChangedError, match=r"file://.*no longer a regular file"):
        state_of(str(tmp_path), tmp_path.stat())
