"""Temporary folders of running, ended and killed processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inkstream.tasks.stores.scratch import SharedFolder

MAKE = """
import sys
from pathlib import Path
from inkstream.tasks.stores.scratch import scratch_folder
folder = scratch_folder(Path(sys.argv[1]))
(folder / "copy").write_text("somebody's document")
print(folder, flush=True)
sys.stdin.readline()
"""


def start(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_next_process_removes_only_the_folders_of_killed_ones(tmp_path: Path) -> None:
    killed, left = start(tmp_path)
    killed.kill()
    killed.communicate()
    assert (left / "copy").exists()
    living, kept = start(tmp_path)
    assert not left.exists()
    another, _ = start(tmp_path)
    assert (kept / "copy").exists()
    for process in (living, another):
        process.communicate("\n")
        assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_other_users_can_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inkstream-files-known").mkdir(mode=0o755)
    with pytest.raises(PermissionError, match="other users can open it"):
        SharedFolder("known", tmp_path)
