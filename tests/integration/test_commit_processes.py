"""The commit loop in several real processes on a real table. Run as a module, it is a driver that reads no pages."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from inkstream.ocr_core.errors import TransientError
from inkstream.ocr_core.page import PageResult
from inkstream.tasks.commit.loop import Committed
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch, FileVersion
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.delta import commit as commit_table
from inkstream.tasks.sinks.delta.ledger import LedgerProjection
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.work.planning import plan_batches
from tests.integration.committing import commit_to, discover

PAGES = 2
PLANNED_BATCHES = 4
KILL_POINTS = ("planned", "processed", "writing", "written", "committed", "projected")


def make_config(folder: Path, overrides: Sequence[str] = (), **trigger: int) -> StreamConfig:
    given = {
        "source": {"url": str(folder / "inbox")},
        "sink": {"url": str(folder / "tables")},
        "trigger": trigger or {"max_files_per_trigger": 5},
    }
    return build_config(given, overrides=overrides)


def make_inbox(folder: Path, count: int) -> None:
    (folder / "inbox").mkdir()
    for number in range(count):
        (folder / "inbox" / f"{number:03}.pdf").write_bytes(b"x" * (number + 1))


def fill(spool: ResultSpool, batch: Batch, text: str = "text") -> None:
    for index, file in enumerate(batch.files):
        spool.add(index, rows_of(file, batch.stream, text))


def rows_of(file: FileVersion, stream: str, text: str) -> pa.RecordBatch:
    results = [PageResult(page, PAGES, text, 90.0) for page in range(PAGES)]
    same: dict[str, Any] = {"pipeline_id": "p", "content_hash": "h", "version_id": None}
    return page_rows(file, results, stream=stream, overlay_paths=[None] * PAGES, **same)


def plan(config: StreamConfig) -> list[Batch]:
    found = discover(config)
    return plan_batches(
        found.files,
        stream=config.stream,
        trigger=config.trigger,
        planned_at=found.planned_at,
        new_attempt_id=lambda: uuid.uuid4().hex,
    )


def commit(config: StreamConfig, batch: Batch, *, replace: tuple[int, ...] = (), text: str = "text") -> Committed:
    with ResultSpool() as spool:
        fill(spool, batch, text)
        return commit_to(config, batch, spool, range(len(batch.files)), replace=replace)


def found_rows(config: StreamConfig) -> Counter[tuple[str, str, int, int]]:
    rows = PagesTable(config.sink.url).rows(columns=["path", "etag", "length", "pagenum", "stream"])
    return Counter(
        (row["path"], row["etag"], row["length"], row["pagenum"])
        for row in rows.to_pylist()
        if row["stream"] == config.stream
    )


def wanted_rows(config: StreamConfig) -> Counter[tuple[str, str, int, int]]:
    return Counter((*file.key, page) for file in list_files(config.source) for page in range(PAGES))


def die_at(place: str, wanted: str) -> None:
    if place == wanted:
        os.kill(os.getpid(), signal.SIGKILL)


def drive(config: StreamConfig, kill_point: str) -> int:
    """Drain the source once; return the number of transient faults."""
    faults = 0
    projection = LedgerProjection(PagesTable(config.sink.url), LedgerTable(config.sink.url))
    while batches := plan(config):
        die_at("planned", kill_point)
        for batch in batches[:PLANNED_BATCHES]:
            try:
                commit(config, batch)
                die_at("committed", kill_point)
                projection.run(config.stream)
                die_at("projected", kill_point)
            except TransientError:
                faults += 1
    return faults


class DyingSpool(ResultSpool):
    """A spool that kills its process while the rows are being written, before the commit."""

    def read(self, index: int) -> Iterator[pa.RecordBatch]:
        yield from super().read(index)
        if index:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--die-at", default="")
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    config = make_config(arguments.folder, arguments.set)
    if arguments.die_at == "writing":
        globals()["ResultSpool"] = DyingSpool
    if arguments.die_at == "processed":
        globals()["commit"] = lambda *_: die_at("processed", "processed")
    if arguments.die_at == "written":

        def write(*args: Any, **options: Any) -> None:
            write_deltalake(*args, **options)
            die_at("written", "written")

        vars(commit_table)["write_deltalake"] = write
    while True:
        try:
            drive(config, arguments.die_at)
        except TransientError:  # planning raises it too; the next trigger would also try again
            continue
        return 0


def start(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.test_commit_processes", str(folder), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def assert_all_succeed(drivers: list[subprocess.Popen[str]]) -> None:
    for driver in drivers:
        _, errors = driver.communicate(timeout=120)
        assert driver.returncode == 0, errors


def test_four_drivers_racing_on_one_stream_write_each_file_once(tmp_path: Path) -> None:
    make_inbox(tmp_path, 40)
    config = make_config(tmp_path)
    assert_all_succeed([start(tmp_path) for _ in range(4)])
    assert found_rows(config) == wanted_rows(config)
    ledger = LedgerTable(config.sink.url).open()
    assert ledger.transaction_version("main") == PagesTable(config.sink.url).open().transaction_version("main")
    assert plan(config) == []


@pytest.mark.parametrize("kill_point", KILL_POINTS)
def test_a_driver_killed_anywhere_leaves_nothing_lost_or_doubled(tmp_path: Path, kill_point: str) -> None:
    make_inbox(tmp_path, 12)
    config = make_config(tmp_path)
    killed = start(tmp_path, "--die-at", kill_point)
    _, errors = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, errors
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)


def test_compaction_beside_commits_loses_and_doubles_nothing(tmp_path: Path) -> None:
    make_inbox(tmp_path, 40)
    config = make_config(tmp_path)
    PagesTable(config.sink.url).create()
    compactor = (
        "import sys; from deltalake import DeltaTable\n"
        "for _ in range(25):\n"
        "    try: DeltaTable(sys.argv[1]).optimize.compact()\n"
        "    except Exception: pass\n"
    )
    compacting = subprocess.Popen([sys.executable, "-c", compactor, PagesTable(config.sink.url).url])
    assert_all_succeed([start(tmp_path) for _ in range(2)])
    assert compacting.wait(timeout=120) == 0
    assert found_rows(config) == wanted_rows(config)


if __name__ == "__main__":
    sys.exit(main())
