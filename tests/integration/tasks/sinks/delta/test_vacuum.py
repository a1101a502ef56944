"""Maintenance of a sink keeps all rows and their files. Run as a module, it maintains a sink or writes to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.loop.maintain import Upkeep
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config, build_maintain_options
from inkstream.tasks.model import Batch
from inkstream.tasks.progress import BatchDone, Compacted, Event
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.sinks.delta.vacuum import try_to_compact, vacuum
from inkstream.tasks.sinks.overlays import overlay_key, put_overlay, vacuum_overlays
from inkstream.tasks.source.listing import list_files
from tests.faults.documents import tiny_pdf
from tests.integration.command import run_json, settings
from tests.integration.committing import discover, project_ledger, versioned
from tests.integration.test_commit_processes import commit, found_rows, make_config, make_inbox, plan, wanted_rows

pytestmark = pytest.mark.usefixtures("shared_workers")

NOW, DAY = timedelta(0), timedelta(hours=24)
FILES = 8


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, FILES)
    return make_config(tmp_path, max_files_per_trigger=1)


def fill_table(config: StreamConfig) -> None:
    for batch in plan(config):
        commit(config, batch)
        project_ledger(config)


def data_files(table: PagesTable | LedgerTable) -> set[str]:
    return {path.name for path in Path(table.url).glob("*.parquet")}


def everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def age(path: Path, days: float = 40) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def parts(done: list[Upkeep]) -> dict[str, Upkeep]:
    return {part.name: part for part in done}


def test_vacuum_removes_merged_and_orphaned_files_but_no_young_ones(config: StreamConfig) -> None:
    fill_table(config)
    pages = PagesTable(config.sink.url)
    merged = data_files(pages)
    (old, young) = (Path(pages.url) / f"part-00000-{name}.parquet" for name in ("old", "young"))
    for orphan in (old, young):
        orphan.write_bytes(b"x" * 1000)
    age(old)
    for file in merged:
        age(Path(pages.url) / file)  # their age in the log is what counts
    compact(pages, 128)
    assert vacuum(pages, DAY, dry_run=True).size == 1000
    assert old.exists()
    assert vacuum(pages, DAY, dry_run=False).files == 1
    assert not old.exists()
    assert young.exists()
    assert merged <= data_files(pages)
    assert pages.rows(version=2).num_rows == 4
    assert vacuum(pages, NOW, dry_run=False).files == FILES + 1
    assert not merged & data_files(pages)
    assert found_rows(config) == wanted_rows(config)
    with pytest.raises(ConfigError, match="maintain"):
        pages.rows(version=2)


def test_a_short_retention_is_refused() -> None:
    with pytest.raises(ConfigError, match="24h"):
        build_maintain_options({"retention": "23h"})


def test_a_sink_on_s3_is_compacted_and_vacuumed(s3: Any, bucket: str) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"in/{number}.pdf", Body=tiny_pdf(f"document {number}"))
    sink = f"s3://{bucket}/out"
    cheap = settings(
        pipeline__text_layer__mode="only", pipeline__draw="{}", execution__workers=1, sink__compact_every=3
    )
    run_json("--source", f"s3://{bucket}/in", "--sink", sink, "--max-files-per-trigger", "1", *cheap)
    pages = PagesTable(sink)
    assert len(pages.open().file_uris()) == 1
    put_overlay(sink, overlay_key("orphan", 0, "p", "jpg"), b"picture")
    assert vacuum_overlays(versioned(sink), DAY, dry_run=False).files == 0
    removed = vacuum_overlays(versioned(sink), NOW, dry_run=False)
    assert (removed.files, removed.size) == (1, 7)
    assert vacuum(pages, NOW, dry_run=False).files == 3
    assert pages.rows().num_rows == 3
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="out/overlays/")["Contents"]
    named = {row["overlay_path"] for row in pages.rows().to_pylist()}
    assert named == {f"s3://{bucket}/{entry['Key']}" for entry in listed}


class Watcher:
    """An observer that records compactions; with `damage`, a data file is missing during the first one."""

    def __init__(self, sink: Path, *, damage: bool) -> None:
        self.compactions: list[Compacted] = []
        self._sink = sink
        self._batches_to_damage = 4 if damage else 0
        self._hidden: Path | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, BatchDone):
            self._batches_to_damage -= 1
            if self._batches_to_damage == 0:
                file = next((self._sink / "pages").glob("*.parquet"))
                self._hidden = file.rename(self._sink / file.name)
        elif isinstance(event, Compacted):
            self.compactions.append(event)
            if self._hidden is not None:
                self._hidden.rename(self._sink / "pages" / self._hidden.name)
                self._hidden = None


@pytest.mark.parametrize("damage", [False, True])
def test_a_stream_compacts_when_due_and_continues_if_that_fails(tmp_path: Path, damage: bool) -> None:
    inbox, sink = tmp_path / "inbox", tmp_path / "tables"
    inbox.mkdir()
    for number in range(5):
        (inbox / f"{number}.pdf").write_bytes(tiny_pdf(f"document {number}"))
    config = build_config(
        {
            "source": {"url": str(inbox)},
            "sink": {"url": str(sink), "compact_every": 4},
            "trigger": {"max_files_per_trigger": 1},
            "pipeline": {"text_layer": {"mode": "only"}},
            "execution": {"workers": 1},
        }
    )
    watcher = Watcher(sink, damage=damage)
    with Stream(config, observers=[watcher]) as stream:
        summary = stream.run()
    assert (summary.batches, summary.files, summary.left_out) == (5, 5, {})
    pages, ledger = watcher.compactions
    assert (ledger.merged, ledger.into, ledger.problem) == (4, 1, None)
    assert len(PagesTable(str(sink)).open().file_uris()) == (5 if damage else 2)
    assert (pages.problem is not None) == damage
    assert list((sink / "files" / "_delta_log").glob("*.checkpoint.parquet"))


def test_compaction_keeps_the_merged_files_for_vacuum(config: StreamConfig) -> None:
    fill_table(config)
    pages = PagesTable(config.sink.url)
    before = data_files(pages)
    assert [done.merged for done in try_to_compact(config.sink)] == [FILES, FILES]
    assert before < data_files(pages)


def upkeep_until(folder: Path, sentinel: Path) -> None:
    """Compact and vacuum continuously until a file exists."""
    sink = str(folder / "tables")
    while not sentinel.exists():
        for _ in try_to_compact(make_config(folder).sink):
            pass
        for table in (PagesTable(sink), LedgerTable(sink)):
            if table.exists():
                vacuum(table, DAY, dry_run=False)


def replace_rows(config: StreamConfig, count: int) -> None:
    """Replace the first file's rows repeatedly, as a retry does."""
    file = list_files(config.source)[0]
    for number in range(count):
        planned_at = discover(config).planned_at
        batch = Batch("main", f"again{number}", (file,), planned_at)
        commit(config, batch, replace=(0,), text=f"text {number}")


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.tasks.sinks.delta.test_vacuum", str(folder), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_maintenance_beside_commits_and_replacements_loses_no_rows(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    make_inbox(tmp_path, 30)
    config = make_config(tmp_path, max_files_per_trigger=2)
    first, *_ = plan(config)
    commit(config, first)
    keepers = [_start(tmp_path, "upkeep") for _ in range(2)]
    workers = [_start(tmp_path, "drive"), _start(tmp_path, "drive"), _start(tmp_path, "replace")]
    processes += keepers + workers
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    (tmp_path / "over").touch()
    for keeper in keepers:
        _, errors = keeper.communicate(timeout=60)
        assert keeper.returncode == 0, errors
    assert found_rows(config) == wanted_rows(config)
    operations = {commit["operation"] for commit in PagesTable(config.sink.url).open().history()}
    assert "OPTIMIZE" in operations
    texts = PagesTable(config.sink.url).rows(columns=["text"]).column(0).to_pylist()
    assert texts.count("text 9") == 2


if __name__ == "__main__":
    place, role = Path(sys.argv[1]), sys.argv[2]
    if role == "upkeep":
        upkeep_until(place, place / "over")
    elif role == "replace":
        replace_rows(make_config(place), 10)
    else:
        from tests.integration.test_commit_processes import drive

        while plan(make_config(place, max_files_per_trigger=2)):
            drive(make_config(place, max_files_per_trigger=2), "")
