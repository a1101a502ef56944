"""The stream that most tests of the Delta sink commit: six files, in batches of three."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.tasks.config import StreamConfig
from tests.integration.test_commit_processes import make_config, make_inbox


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 6)
    return make_config(tmp_path, max_files_per_trigger=3)
