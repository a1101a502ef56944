"""`inkstream status` on real tables."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import ConfigError, FailureKind
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.queries.status import FailureCount
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.left_behind import write_stream
from tests.integration.command import inkstream
from tests.integration.committing import commit_to, project_ledger, status_of
from tests.integration.test_commit_processes import PAGES, commit, make_config, make_inbox, plan

HOUR = 3600


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    """Return a stream of seven files in batches of two, before its first run."""
    make_inbox(tmp_path, 7)
    now = time.time()
    for number in range(7):
        os.utime(tmp_path / "inbox" / f"{number:03}.pdf", (now - (9 - number) * HOUR, now - (9 - number) * HOUR))
    config = make_config(tmp_path, max_files_per_trigger=2)
    write_stream(config)
    return config


def commit_failed(config: StreamConfig, kind: FailureKind) -> None:
    """Commit the next batch with failed second pages, without updating the ledger."""
    batch = plan(config)[0]
    results = [PageResult(0, PAGES, "text", 90.0), PageResult(1, PAGES, failure=Failure(kind, "it is so"))]
    with ResultSpool() as spool:
        for index, file in enumerate(batch.files):
            same: dict[str, Any] = {"pipeline_id": "p", "content_hash": "h", "version_id": None}
            spool.add(index, page_rows(file, results, stream=config.stream, overlay_paths=[None] * PAGES, **same))
        commit_to(config, batch, spool, range(len(batch.files)))


def test_status_has_the_backlog_the_batches_and_the_failures(config: StreamConfig, tmp_path: Path) -> None:
    before = status_of(config.sink.url)
    assert before.table is None
    assert before.streams[0].backlog is not None
    assert (before.streams[0].backlog.files, before.streams[0].backlog.size) == (7, 28)

    commit(config, plan(config)[0])
    project_ledger(config)
    commit_failed(config, FailureKind.TIMEOUT)
    commit_failed(config, FailureKind.CORRUPT)
    status = status_of(config.sink.url, batches=2)
    (stream,) = status.streams
    assert stream.source == config.source.url
    assert stream.backlog is not None
    assert (stream.backlog.files, stream.backlog.size) == (1, 7)
    assert str(stream.backlog.oldest_path).endswith("/006.pdf")
    assert stream.backlog.oldest_modified is not None
    assert abs(time.time() - stream.backlog.oldest_modified.timestamp() - 3 * HOUR) < 600
    assert [(b.batch_id, b.files, b.pages, b.failed_pages) for b in stream.batches] == [(2, 2, 4, 2), (1, 2, 4, 2)]
    assert (stream.pages, stream.failed_pages) == (12, 4)
    assert stream.failures == (FailureCount("corrupt", 2, 2), FailureCount("timeout", 2, 2))
    assert status.table is not None
    assert (status.table.version, status.table.oldest_version, status.table.rows) == (3, 0, 12)
    assert status.table.files == 3
    assert status.table.size == sum(path.stat().st_size for path in (tmp_path / "tables/pages").glob("*.parquet"))


def test_status_is_the_same_with_and_without_the_ledger(config: StreamConfig, tmp_path: Path) -> None:
    for batch in plan(config):
        commit(config, batch)
    without = status_of(config.sink.url)
    project_ledger(config)
    assert status_of(config.sink.url).streams == without.streams
    shutil.rmtree(tmp_path / "tables" / "files")
    assert status_of(config.sink.url) == without


def test_status_distinguishes_streams(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    commit(config, plan(config)[0])
    commit(other, plan(other)[0])
    commit(other, plan(other)[0])
    assert [(s.name, s.pages, s.source) for s in status_of(config.sink.url).streams] == [
        ("main", 4, config.source.url),
        ("other", 8, None),
    ], "the sink has no record of the other stream's source"
    (only,) = status_of(config.sink.url, "other").streams
    assert [batch.batch_id for batch in only.batches] == [1, 0]
    assert only.backlog is None
    assert "no stream 'other'" in str(only.problem)
    with pytest.raises(ConfigError, match="there are: main, other"):
        status_of(config.sink.url, "mani")


def test_a_vacuum_changes_the_oldest_readable_version(config: StreamConfig) -> None:
    for batch in plan(config):
        commit(config, batch)
    pages = PagesTable(config.sink.url)
    pages.open().optimize.compact()
    status = status_of(config.sink.url)
    assert status.table is not None
    assert (status.table.version, status.table.oldest_version, status.table.files) == (5, 0, 1)
    pages.open().vacuum(0, dry_run=False, enforce_retention_duration=False)
    status = status_of(config.sink.url)
    assert status.table is not None
    readable = [version for version in range(status.table.version + 1) if can_read(pages, version)]
    assert readable == [0, *range(5, status.table.version + 1)], "version 0 is the empty table"
    assert status.table.oldest_version == 5


def can_read(pages: PagesTable, version: int) -> bool:
    return all(Path(uri.removeprefix("file://")).exists() for uri in pages.open(version).file_uris())


def test_status_finds_the_rows_of_a_sink_that_was_moved(config: StreamConfig, tmp_path: Path) -> None:
    commit(config, plan(config)[0])
    shutil.move(tmp_path / "tables", tmp_path / "elsewhere")
    status = status_of(str(tmp_path / "elsewhere"))
    assert status.streams[0].backlog is not None
    assert status.streams[0].backlog.files == 5


def test_status_of_a_parquet_sink(config: StreamConfig) -> None:
    config = build_config({**config.model_dump(mode="json"), "sink": {"url": config.sink.url, "format": "parquet"}})
    write_stream(config)
    assert status_of(config.sink.url).streams[0].pages == 0
    commit(config, plan(config)[0])
    commit_failed(config, FailureKind.LIMIT)
    status = status_of(config.sink.url, batches=1)
    assert status.table is None
    (stream,) = status.streams
    assert (stream.pages, stream.failed_pages, stream.problem) == (8, 2, None)
    assert stream.failures == (FailureCount("limit", 2, 2),)
    assert [(b.batch_id, b.files, b.pages, b.failed_pages) for b in stream.batches] == [(1, 2, 4, 2)]
    assert stream.backlog is not None
    assert stream.backlog.files == 3
    shown = inkstream("status", config.sink.url).stdout
    assert "the sink keeps no versions" in shown
    assert "8 pages, 2 of them failed" in shown


def test_the_status_command_prints_text_and_json(config: StreamConfig, tmp_path: Path) -> None:
    commit(config, plan(config)[0])
    commit_failed(config, FailureKind.ENCRYPTED)
    report = json.loads(inkstream("status", config.sink.url, "--json").stdout)
    assert report["table"]["rows"] == 8
    (stream,) = report["streams"]
    assert stream["backlog"]["files"] == 3
    assert 4.9 * HOUR < stream["backlog"]["oldest_age_seconds"] < 5.1 * HOUR
    assert stream["failures"] == [{"kind": "encrypted", "files": 2, "pages": 2}]
    shown = inkstream("status", config.sink.url).stdout
    for line in ("3 files, 18 B; the oldest, 004.pdf, is 5.0 h old", "2 encrypted in 2 files", "8 pages, 2 of them"):
        assert line in shown
    shutil.rmtree(tmp_path / "inbox")
    shown = inkstream("status", config.sink.url, code=5).stdout
    assert "waiting: unknown: there is no folder" in shown
    assert "2 encrypted in 2 files" in shown
    assert json.loads(inkstream("status", config.sink.url, "--json", code=5).stdout)["streams"][0]["backlog"] is None
    assert "no table" in inkstream("status", tmp_path / "nothing", code=2).stderr


def test_status_of_a_sink_in_a_bucket(s3: Any, bucket: str) -> None:
    config = build_config({"source": {"url": f"s3://{bucket}/in"}, "sink": {"url": f"s3://{bucket}/out"}})
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"x" * 5)
    write_stream(config)
    commit(config, plan(config)[0])
    s3.put_object(Bucket=bucket, Key="in/late", Body=b"xx")
    status = status_of(config.sink.url)
    assert status.table is not None
    assert (status.table.version, status.table.oldest_version, status.table.rows) == (1, 0, 3 * PAGES)
    (stream,) = status.streams
    assert stream.backlog is not None
    assert (stream.backlog.files, stream.backlog.size, stream.backlog.oldest_path) == (1, 2, f"s3://{bucket}/in/late")
