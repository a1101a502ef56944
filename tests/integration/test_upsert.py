"""Mode upsert on a real table. Run as a module, it is a driver that runs until the file `over` exists."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch
from inkstream.tasks.queries.selection import choose_made_otherwise
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.work.planning import plan_batches, redo_batches
from tests.integration.committing import discover, project_ledger, versioned
from tests.integration.test_commit_processes import commit, make_inbox


def make_config(folder: Path) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(folder / "inbox")},
            "sink": {"url": str(folder / "tables"), "mode": "upsert"},
            "trigger": {"max_files_per_trigger": 2},
        }
    )


def plan(config: StreamConfig) -> list[Batch]:
    found = discover(config)
    batches = plan_batches(
        found.files,
        stream=config.stream,
        trigger=config.trigger,
        planned_at=found.planned_at,
        new_attempt_id=lambda: os.urandom(8).hex(),
    )
    return [replace(batch, replacing=found.replacing) for batch in batches]


def drive(config: StreamConfig) -> None:
    while batches := plan(config):
        for batch in batches:
            commit(config, batch)
            project_ledger(config)


def overwrite(path: Path, content: bytes, seconds: float) -> None:
    """Write a new version that was modified this many seconds after (or before) the old one."""
    changed = path.stat().st_mtime_ns + round(seconds * 1e9)
    partial = path.with_name(f".{path.name}")
    partial.write_bytes(content)
    os.utime(partial, ns=(changed, changed))
    partial.replace(path)


def rows(config: StreamConfig) -> Counter[tuple[str, str]]:
    found = PagesTable(config.sink.url).rows(columns=["path", "etag", "pagenum"]).to_pylist()
    return Counter((row["path"], row["etag"]) for row in found)


def newest(config: StreamConfig) -> Counter[tuple[str, str]]:
    return Counter({(file.path, file.etag): 2 for file in list_files(config.source)})


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 5)
    config = make_config(tmp_path)
    drive(config)
    return config


@pytest.fixture
def file(tmp_path: Path, config: StreamConfig) -> Path:
    return tmp_path / "inbox" / "002.pdf"


def test_a_newer_version_replaces_the_older_one(config: StreamConfig, file: Path) -> None:
    overwrite(file, b"newer", 1)
    found = discover(config)
    assert (len(found.files), found.known, found.superseded) == (1, 4, 0)
    drive(config)
    assert rows(config) == newest(config)
    assert plan(config) == []
    assert "WRITE" in PagesTable(config.sink.url).open().history(1)[0]["operation"]


def test_an_older_version_is_superseded_and_not_read(config: StreamConfig, file: Path) -> None:
    before = rows(config)
    overwrite(file, b"older", -1000)
    found = discover(config)
    assert (found.files, found.known, found.superseded) == ([], 5, 1)
    assert rows(config) == before


def test_an_older_version_that_was_already_read_is_not_committed(config: StreamConfig, file: Path) -> None:
    overwrite(file, b"second", 1)
    (late,) = plan(config)
    overwrite(file, b"the third", 1)
    drive(config)
    committed = commit(config, late)
    assert (committed.batch_id, committed.superseded, committed.already_done) == (None, (0,), ())
    assert rows(config) == newest(config)


def test_a_newer_version_replaces_one_committed_since_its_plan(config: StreamConfig, tmp_path: Path) -> None:
    file = tmp_path / "inbox" / "new.pdf"
    file.write_bytes(b"first")
    (early,) = plan(config)
    overwrite(file, b"second", 1)
    (late,) = plan(config)
    commit(config, early)
    assert late.replacing == early.replacing == frozenset()
    assert commit(config, late).files == (0,)
    assert rows(config) == newest(config)


def test_the_next_run_decides_between_versions_of_the_same_time(config: StreamConfig, file: Path) -> None:
    overwrite(file, b"second", 1)
    (first,) = plan(config)
    overwrite(file, b"the third", 0)
    (second,) = plan(config)
    commit(config, first)
    assert commit(config, second).superseded == (0,)
    drive(config)
    assert rows(config) == newest(config)


def test_content_that_comes_back_is_the_newest_version(config: StreamConfig) -> None:
    """On a store whose etag is a hash of the content, the ledger knows this very file version."""
    (old,) = (file for file in list_files(config.source) if file.path.endswith("002.pdf"))
    new = replace(old, etag="other", modified=old.modified + timedelta(seconds=1))
    back = replace(old, modified=old.modified + timedelta(seconds=2))
    for version in (new, back):
        planned_at = discover(config).planned_at
        batch = Batch("main", version.etag, (version,), planned_at, replacing=frozenset({old.path}))
        assert commit(config, batch).files == (0,)
        project_ledger(config)
    assert rows(config) == newest(config)


def test_upsert_works_without_the_ledger(config: StreamConfig, file: Path) -> None:
    overwrite(file, b"newer", 1)
    drive(config)
    ledger = Path(LedgerTable(config.sink.url).url)
    ledger.rename(ledger.with_name("lost"))
    assert plan(config) == []
    overwrite(file, b"older", -1000)
    assert discover(config).superseded == 1


def test_many_files_are_replaced_in_one_commit(tmp_path: Path) -> None:
    make_inbox(tmp_path, 600)
    config = make_config(tmp_path).model_copy(
        update={"trigger": make_config(tmp_path).trigger.model_copy(update={"max_files_per_trigger": 1000})}
    )
    drive(config)
    for path in (tmp_path / "inbox").iterdir():
        overwrite(path, path.read_bytes() + b"x", 1)
    drive(config)
    assert rows(config) == newest(config)
    assert discover(config).planned_at == 1


def read_again(config: StreamConfig) -> Batch:
    """Plan to read the whole table again, as a retry or a reprocess would, in one batch."""
    chosen = choose_made_otherwise(versioned(config.sink.url).snapshot(), config.stream, ["another"])
    batch = Batch(config.stream, os.urandom(8).hex(), tuple(choice.file for choice in chosen.files), chosen.planned_at)
    return redo_batches([batch], version=chosen.version, again={})[0]


def commit_again(config: StreamConfig, batch: Batch) -> Committed:
    return commit(config, batch, replace=tuple(range(len(batch.files))))


def test_a_reread_version_does_not_replace_a_newer_one(config: StreamConfig, file: Path) -> None:
    late = read_again(config)
    overwrite(file, b"newer", 1)
    drive(config)
    committed = commit_again(config, late)
    assert [late.files[index].path.rpartition("/")[2] for index in committed.superseded] == ["002.pdf"]
    assert len(committed.files) == 4
    assert rows(config) == newest(config)
    assert plan(config) == []


def test_a_newer_version_replaces_one_reread_since_its_plan(config: StreamConfig, file: Path) -> None:
    again = read_again(config)
    overwrite(file, b"newer", 1)
    (late,) = plan(config)
    assert len(commit_again(config, again).files) == 5
    assert commit(config, late).files == (0,)
    assert rows(config) == newest(config)


def test_rereading_an_old_version_keeps_the_newer_one(config: StreamConfig, tmp_path: Path) -> None:
    """A table from mode append has both versions, and another file of the batch replaces its path."""
    append = config.model_copy(update={"sink": config.sink.model_copy(update={"mode": "append"})})
    first = {file.path: file for file in list_files(config.source)}
    overwrite(tmp_path / "inbox" / "002.pdf", b"newer", 1)
    drive(append)
    both = rows(config)
    (old,) = (file for path, file in first.items() if path.endswith("002.pdf"))
    (other,) = (file for path, file in first.items() if path.endswith("001.pdf"))
    planned = read_again(config)
    rival = replace(other, etag="older", modified=other.modified - timedelta(seconds=1))
    commit(append, Batch("main", "rival", (rival,), planned.planned_at))
    assert commit_again(config, replace(planned, files=(old, other))).files == (0, 1)
    assert rows(config) == both


def test_upsert_needs_delta() -> None:
    with pytest.raises(ConfigError, match="needs format delta"):
        build_config({"source": {"url": "a"}, "sink": {"url": "b", "mode": "upsert", "format": "parquet"}})


def drain_until_over(folder: Path) -> None:
    """Drain repeatedly until the file `over` exists, and then once more."""
    config = make_config(folder)
    over = False
    while not over:
        over = (folder / "over").exists()
        try:
            drive(config)
        except TransientError:
            over = False


def test_drivers_racing_over_overwritten_files_leave_the_newest_versions(tmp_path: Path) -> None:
    make_inbox(tmp_path, 6)
    command = [sys.executable, "-m", "tests.integration.test_upsert", str(tmp_path)]
    drivers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    table = PagesTable(str(tmp_path / "tables"))
    try:
        for version in range(1, 9):
            reached = (table.version() or 0) + 2
            while (table.version() or 0) < reached and all(driver.poll() is None for driver in drivers):
                pass
            for path in sorted((tmp_path / "inbox").iterdir()):
                overwrite(path, path.read_bytes() + b"x", version % 2)
        (tmp_path / "over").touch()
        for driver in drivers:
            _, errors = driver.communicate(timeout=120)
            assert driver.returncode == 0, errors
    finally:
        for driver in drivers:
            driver.kill()
    config = make_config(tmp_path)
    assert rows(config) == newest(config)
    assert plan(config) == []


if __name__ == "__main__":
    drain_until_over(Path(sys.argv[1]))
