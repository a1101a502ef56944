"""A driver that is killed between its commit and the cleaning loses nothing, and the next one cleans what it left."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.faults.conftest import World
from tests.faults.documents import tiny_pdf

KILLED = -signal.SIGKILL


@pytest.fixture
def done(world: World, tmp_path: Path) -> Path:
    world.configure("source.clean_source=archive", f"source.source_archive_dir={tmp_path}/done")
    return tmp_path / "done"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_the_next_driver_cleans_what_one_killed_after_its_commit_left(world: World, done: Path) -> None:
    world.fill(6)
    (world.inbox / "bad.pdf").write_bytes(b"%PDF-1.4 nothing more")
    assert world.run("--die-at", "BatchCommitted:1") == KILLED
    assert len(names(world.inbox)) == 7
    (world.inbox / "document00000.pdf").write_bytes(tiny_pdf("written again, after its first version was committed"))
    process = world.start()
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    summary = json.loads(printed)
    assert (summary["cleaned"], summary["not_cleaned"]) == (6, 0)
    assert names(world.inbox) == {"bad.pdf"}, "a file that failed stays where it is"
    assert names(done) == {f"document{number:05}.pdf" for number in range(6)}
    assert b"written again" in (done / "document00000.pdf").read_bytes()
    after = world.judge()
    assert not after.duplicated
    assert not after.lost
    assert after.rows == 6 * 2 + 1 + 1
