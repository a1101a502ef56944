"""The pages that a sink holds, in a table with versions and in numbered commits."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.page import PageResult
from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.model import Batch, FileVersion
from inkstream.tasks.queries.stored_pages import StoredFile, stored_pages
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.sinks.sink import Sink
from tests.unit.tasks.test_rows import FILE

OTHER = FileVersion("file:///in/b.pdf", "2-2", 2, FILE.modified)


def put(sink: Sink, *files: FileVersion, pages: int = 2) -> None:
    batch = Batch("main", uuid.uuid4().hex, files, -1)
    with ResultSpool() as spool:
        for index, file in enumerate(files):
            results = [PageResult(page, pages, f"page {page}") for page in range(pages)]
            same: dict[str, Any] = {"stream": "main", "pipeline_id": "p", "content_hash": None, "version_id": None}
            spool.add(index, page_rows(file, results, overlay_paths=[None] * pages, **same))
        commit_batch(sink.runner(batch, spool, frozenset()), batch, spool, range(len(files)))


@pytest.fixture(params=["delta", "memory"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    url = f"memory://{uuid.uuid4()}" if request.param == "memory" else str(tmp_path)
    opened = open_sink(SinkOptions(url=url, format=request.param))
    put(opened, FILE)
    put(opened, OTHER, pages=3)
    return opened


def test_files_come_with_the_batch_that_wrote_them(sink: Sink) -> None:
    files = sorted(stored_pages(sink).files("main"), key=lambda stored: stored.batch_id)
    assert files == [StoredFile(FILE, 2, 0), StoredFile(OTHER, 3, 1)]
    assert list(stored_pages(sink).files("other")) == []


def test_rows_of_a_file_come_together_and_in_order(sink: Sink) -> None:
    pages = stored_pages(sink)
    files = list(pages.files("main"))
    rows = list(pages.read("main", files, ["path", "pagenum", "text"]))
    assert [(row["path"], row["pagenum"]) for row in rows] == [
        *((FILE.path, page) for page in range(2)),
        *((OTHER.path, page) for page in range(3)),
    ]
    (last,) = (stored for stored in files if stored.file == OTHER)
    assert {row["path"] for row in pages.read("main", [last], ["path"])} == {OTHER.path}


def test_only_a_sink_that_keeps_versions_returns_an_earlier_one(sink: Sink) -> None:
    if "Delta" in sink.description:
        assert [stored.file for stored in stored_pages(sink, 1).files("main")] == [FILE]
    else:
        with pytest.raises(ConfigError, match=r"have no versions.*needs sink\.format delta"):
            stored_pages(sink, 1)
