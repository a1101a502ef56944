"""The comparison of two versions of a real table, with every kind of change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError, FailureKind
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileVersion
from inkstream.tasks.queries.diff import Change, Comparison, compare_versions
from inkstream.tasks.queries.forget import find_files, forget
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.snapshot import transaction_version
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.left_behind import write_stream
from inkstream.tasks.source.listing import list_files
from tests.integration.command import inkstream
from tests.integration.committing import commit_to, versioned
from tests.integration.test_commit_processes import make_config, make_inbox

GOOD = "one line of good text"
BAD = Failure(FailureKind.TIMEOUT, "too slow")
NOT_COUNTED = PageResult(None, None, failure=Failure(FailureKind.CORRUPT, "damaged"))


class Table:
    """A table that is written page by page."""

    def __init__(self, folder: Path) -> None:
        make_inbox(folder, 5)
        self.config: StreamConfig = make_config(folder)
        self.sink = self.config.sink.url
        self.files = list_files(self.config.source)
        write_stream(self.config)

    def put(self, number: int, *results: PageResult) -> int:
        """Commit a file's pages in place of its earlier ones; return the table version."""
        pages = PagesTable(self.sink)
        handle = pages.create()
        batch = Batch(
            "main", f"{number}-{handle.version()}", (self.files[number],), transaction_version(handle, "main")
        )
        with ResultSpool() as spool:
            spool.add(0, rows_of(self.files[number], results))
            return commit_to(self.config, batch, spool, [0], replace=[0]).version

    def compare(self, before: int, after: int | None = None, *paths: str) -> Comparison:
        return compare_versions(versioned(self.sink), before, after, paths)


def rows_of(file: FileVersion, results: tuple[PageResult, ...]) -> Any:
    same: dict[str, Any] = {"stream": "main", "pipeline_id": "p", "content_hash": "h", "version_id": None}
    return page_rows(file, results, overlay_paths=[None] * len(results), **same)


def page(number: int, of: int, text: str = GOOD, confidence: float = 90.0) -> PageResult:
    return PageResult(number, of, text, confidence)


def failed(number: int, of: int) -> PageResult:
    return PageResult(number, of, failure=BAD)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    table = Table(tmp_path)
    table.put(0, page(0, 1))
    table.put(1, page(0, 3), page(1, 3), failed(2, 3))
    table.put(2, NOT_COUNTED)
    assert table.put(3, page(0, 1)) == 4
    table.put(1, page(0, 3, "one line of gold text", 80.0), failed(1, 3), page(2, 3))
    table.put(2, page(0, 1))
    table.put(4, page(0, 2), failed(1, 2))
    forget(versioned(table.sink), find_files(versioned(table.sink), ["003.pdf"])[0])
    return table


EXPECTED = [
    ("001.pdf", 0, Change.CHANGED),
    ("001.pdf", 1, Change.FAILED),
    ("001.pdf", 2, Change.FIXED),
    ("002.pdf", None, Change.FIXED),
    ("002.pdf", 0, Change.ADDED),
    ("003.pdf", 0, Change.FORGOTTEN),
    ("004.pdf", 0, Change.ADDED),
    ("004.pdf", 1, Change.ADDED),
]


def changes(comparison: Comparison) -> list[tuple[str, int | None, Change]]:
    return [(page.path[-7:], page.pagenum, page.change) for page in comparison.pages]


def test_every_kind_of_change_is_reported_and_measured(table: Table) -> None:
    comparison = table.compare(4)
    assert (comparison.before, comparison.after) == (4, 8)
    assert changes(comparison) == EXPECTED
    changed = comparison.pages[0]
    assert (changed.edits, changed.characters, changed.cer) == (1, 21, 1 / 21)
    assert comparison.cer() == changed.cer
    assert comparison.confidence() == (90.0, 80.0)
    counts = {name: count for name, count in comparison.counts().items() if count}
    assert counts == {"changed": 1, "failed": 1, "fixed": 2, "added": 3, "forgotten": 1}


def test_versions_are_compared_backwards_and_with_themselves(table: Table) -> None:
    assert table.compare(4, 4).pages == []
    back = table.compare(8, 4)
    assert ("001.pdf", 1, Change.FIXED) in changes(back)
    assert ("004.pdf", 0, Change.REMOVED) in changes(back)


def test_a_comparison_may_be_limited_to_some_files(table: Table) -> None:
    assert changes(table.compare(4, None, "00[23].pdf")) == [
        change for change in EXPECTED if change[0] in ("002.pdf", "003.pdf")
    ]


def test_data_files_of_both_versions_are_not_read(table: Table) -> None:
    pages = PagesTable(table.sink)
    common = set(pages.open(4).file_uris()) & set(pages.open(8).file_uris())
    assert common
    for file in common:
        Path(file).unlink()
    assert changes(table.compare(4)) == EXPECTED


def test_rows_that_a_compaction_moved_are_not_different(table: Table) -> None:
    assert compact(PagesTable(table.sink), 128).merged
    assert table.compare(8).pages == []
    assert changes(table.compare(4)) == EXPECTED


def test_a_reread_page_with_the_same_text_is_reported_as_the_same(table: Table) -> None:
    table.put(0, page(0, 1, confidence=70.0))
    comparison = table.compare(8)
    assert changes(comparison) == [("000.pdf", 0, Change.SAME)]
    assert (comparison.cer(), comparison.confidence()) == (0.0, (90.0, 70.0))


def test_a_vacuumed_or_unknown_version_is_an_error(table: Table) -> None:
    DeltaTable(PagesTable(table.sink).url).vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(ConfigError, match=r"version 4 of .* can no longer be read"):
        table.compare(4)
    with pytest.raises(ConfigError, match="no version 99"):
        table.compare(99)


def test_the_diff_command_prints_changes_as_text_and_as_json(table: Table) -> None:
    shown = inkstream("diff", table.sink, "--from", "4").stdout
    for part in ("from version 4 to 8", "2 pages fixed", "001.pdf page 2: timeout", "[-good-] {+gold+}", "CER 4.76%"):
        assert part in shown, shown
    *pages, summary = map(json.loads, inkstream("diff", table.sink, "--from", "4", "--json").stdout.splitlines())
    assert [page["change"] for page in pages] == [change for _, _, change in EXPECTED]
    assert pages[0]["before"]["text"] == GOOD
    assert summary["pages"]["fixed"] == 2
