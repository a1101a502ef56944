"""File versions to re-read or forget, chosen from rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import PagesAgain
from inkstream.tasks.queries.selection import (
    ChosenFiles,
    choose_failed,
    choose_made_otherwise,
    choose_remembered,
    forgotten_paths,
    require_stream,
    streams_of,
)
from inkstream.tasks.rows import FORGOTTEN, PAGES_SCHEMA
from tests.integration.tasks.sinks.sqlite_sink.snapshot import ArrowSnapshot


def page(path: str, number: int | None, of: int | None, kind: str | None = None, **more: Any) -> dict[str, Any]:
    day = {"a": 3, "b": 1}.get(path, 2)
    return {
        "stream": "main",
        "path": f"file:///in/{path}",
        "etag": "e",
        "length": 1,
        "modification_time": datetime(2026, 1, day, tzinfo=UTC),
        "pagenum": number,
        "total_pages": of,
        "exception_kind": kind,
        "content_hash": f"hash of {path}",
        "pipeline_id": "now",
        **more,
    }


ROWS = [
    page("a", 0, 3),
    page("a", 1, 3, "timeout"),
    page("a", 2, 3, "limit", pipeline_id="before"),
    page("b", 0, 1, "limit"),
    page("c", 0, 1),
    page("uncounted", None, None, "corrupt"),
    page("incomplete", 0, 3, "timeout"),
    page("gone", None, None, FORGOTTEN, pipeline_id=None),
    page("theirs", 0, 1, "limit", stream="other"),
]
PAGES = ArrowSnapshot("pages", 7, pa.Table.from_pylist(ROWS, PAGES_SCHEMA), {"main": 4, "other": 0})


def names(chosen: ChosenFiles) -> list[str]:
    return [choice.file.path.rpartition("/")[2] for choice in chosen.files]


def test_only_the_failed_pages_are_chosen_if_the_others_can_be_kept() -> None:
    chosen = choose_failed(PAGES, "main")
    assert (chosen.planned_at, chosen.version, chosen.looked_at) == (4, 7, 5)
    assert names(chosen) == ["b", "incomplete", "uncounted", "a"], "oldest first"
    again = {choice.file.path[-1]: choice.again for choice in chosen.files}
    assert again["a"] == PagesAgain(3, (1, 2), "hash of a")
    assert again["b"] is again["d"] is again["e"] is None, "these are read whole"
    a = chosen.files[-1]
    assert (a.rows, dict(a.kinds), a.pipeline_id) == (3, {"timeout": 1, "limit": 1}, "now")


def test_the_choice_can_be_limited_to_kinds_or_paths() -> None:
    assert names(choose_failed(PAGES, "main", kinds=["limit"])) == ["b", "a"]
    assert choose_failed(PAGES, "main", kinds=["limit"]).files[-1].again == PagesAgain(3, (2,), "hash of a")
    assert names(choose_failed(PAGES, "main", paths=["a", "c"])) == ["a"]
    assert names(choose_failed(PAGES, "main", kinds=[FORGOTTEN])) == []


def test_files_that_another_pipeline_read_are_chosen() -> None:
    assert names(choose_made_otherwise(PAGES, "main", ["now"])) == ["a"]
    assert names(choose_made_otherwise(PAGES, "main", ["before", "now"])) == []
    assert len(names(choose_made_otherwise(PAGES, "main", ["another"]))) == 5


def test_forgotten_files_are_not_chosen_again() -> None:
    assert names(choose_remembered(PAGES, "main", ["*"])) == ["b", "c", "incomplete", "uncounted", "a"]
    assert forgotten_paths(PAGES, "main", ["gone", "a"]) == {"file:///in/gone"}
    assert forgotten_paths(PAGES, "main", ["a"]) == set()


def test_an_unknown_stream_is_refused_and_the_known_ones_are_listed() -> None:
    assert streams_of(PAGES) == ["main", "other"]
    require_stream(PAGES, "other")
    for choose in (lambda: require_stream(PAGES, "mani"), lambda: choose_failed(PAGES, "mani")):
        with pytest.raises(ConfigError, match="no rows of a stream 'mani'; there are: main, other"):
            choose()
