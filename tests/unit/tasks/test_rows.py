from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Failure, Level, PageResult, Region
from inkstream.tasks.model import FileVersion
from inkstream.tasks.rows import PAGES_SCHEMA, ROWS_SCHEMA, page_result, page_rows, storable

FILE = FileVersion("file:///in/a.pdf", "1-2", 2, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))


def rows_of(*results: PageResult) -> pa.RecordBatch:
    return page_rows(
        FILE,
        results,
        stream="main",
        pipeline_id="p",
        content_hash="h",
        version_id="v",
        overlay_paths=[None] * len(results),
    )


def test_a_page_is_a_row_with_its_file_and_its_regions() -> None:
    word = Region(1, 0, Level.WORD, Box(1.5, 2, 3, 4, 0.25), "hi", 96.5, "tesseract")
    block = Region(0, None, Level.BLOCK, Box(1, 2, 3, 4), None, None, "tesseract")
    batch = rows_of(PageResult(3, 7, "hi", 96.5, (block, word), 10, 20, 300, "tesseract", 1.25))
    assert batch.schema == ROWS_SCHEMA
    (row,) = batch.to_pylist()
    assert row["regions"][1] == {
        "index": 1,
        "parent": 0,
        "level": "word",
        "left": 1.5,
        "top": 2.0,
        "width": 3.0,
        "height": 4.0,
        "angle": 0.25,
        "text": "hi",
        "confidence": 96.5,
        "engine": "tesseract",
    }
    assert (row["path"], row["etag"], row["length"], row["modification_time"]) == (*FILE.key, FILE.modified)
    assert (row["pagenum"], row["total_pages"], row["text"], row["confidence"]) == (3, 7, "hi", 96.5)
    assert (row["exception"], row["exception_kind"], row["overlay_path"]) == (None, None, None)
    assert (row["version_id"], row["content_hash"], row["processing_ms"]) == ("v", "h", 1.25)


def test_a_failed_page_has_no_text_and_a_blank_page_is_not_a_failure() -> None:
    failed = PageResult(None, None, failure=Failure(FailureKind.ENCRYPTED, "needs a password"))
    first, second = rows_of(failed, PageResult(0, 1, "")).to_pylist()
    assert (first["pagenum"], first["text"]) == (None, None)
    assert (first["exception"], first["exception_kind"]) == ("needs a password", "encrypted")
    assert (second["text"], second["exception"]) == ("", None)


def test_notes_are_stored_as_one_text_and_restored() -> None:
    noted, plain = PageResult(0, 2, "x", notes=("first of 3 frames", "repaired")), PageResult(1, 2, "y")
    first, second = rows_of(noted, plain).to_pylist()
    assert (first["notes"], second["notes"]) == ("first of 3 frames; repaired", None)
    assert (page_result(first).notes, page_result(second).notes) == (noted.notes, ())
    del second["notes"]  # as in a table from before the column existed
    assert page_result(second).notes == ()


def test_the_pages_table_adds_the_columns_of_the_commit() -> None:
    assert [name for name in PAGES_SCHEMA.names if name not in ROWS_SCHEMA.names] == ["batch_id", "timestamp"]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("a\0b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("grüße\n", "grüße\n"),
        (None, None),
    ],
)
def test_text_that_cannot_be_stored_is_made_safe(text: str | None, stored: str | None) -> None:
    assert storable(text) == stored
    (row,) = rows_of(PageResult(0, 1, text)).to_pylist()
    assert row["text"] == stored


def test_a_nan_confidence_is_stored_as_none() -> None:
    (row,) = rows_of(PageResult(0, 1, "x", float("nan"))).to_pylist()
    assert row["confidence"] is None


def test_every_result_needs_its_overlay_path() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        page_rows(
            FILE,
            [PageResult(0, 1, "")],
            stream="main",
            pipeline_id=None,
            content_hash=None,
            version_id=None,
            overlay_paths=[],
        )
