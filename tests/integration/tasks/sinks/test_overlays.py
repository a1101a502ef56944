"""Overlays beside a table: their keys, and which are removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.page import PageResult
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.delta.vacuum import vacuum
from inkstream.tasks.sinks.overlays import (
    overlay_key,
    overlay_keys,
    put_overlay,
    remove_overlays,
    vacuum_overlays,
)
from tests.integration.committing import commit_to, discover, versioned
from tests.integration.tasks.sinks.delta.test_vacuum import DAY, NOW, age
from tests.integration.test_commit_processes import make_config, make_inbox, plan


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 3)
    return make_config(tmp_path, max_files_per_trigger=1)


def test_an_overlay_key_depends_on_content_page_and_pipeline() -> None:
    key = overlay_key("hash", 0, "pipeline", "jpg")
    assert key == overlay_key("hash", 0, "pipeline", "jpg")
    others = {overlay_key("h", 0, "p", "jpg"), overlay_key("hash", 1, "pipeline", "jpg")}
    assert len({key, *others, overlay_key("hash", 0, "other", "jpg")}) == 4


def test_overlay_keys_are_found_in_the_paths_of_any_sink() -> None:
    key = overlay_key("hash", 0, "p", "jpg")
    paths = [f"/tables/{key}", f"s3://bucket/tables/{key}", None, "/tables/overlays/ab/notes.txt"]
    assert overlay_keys(paths) == {key}


def test_removal_returns_the_overlays_that_existed(tmp_path: Path) -> None:
    keys = [overlay_key(name, 0, "p", "jpg") for name in "ab"]
    picture = Path(put_overlay(str(tmp_path), keys[0], b"picture"))
    assert picture.read_bytes() == b"picture"
    assert remove_overlays(str(tmp_path), keys) == {keys[0]}
    assert not picture.exists()


def commit_with_overlays(config: StreamConfig, batch: Batch, overlays: list[str | None], **options: Any) -> None:
    with ResultSpool() as spool:
        results = [PageResult(page, len(overlays), "text", 90.0) for page in range(len(overlays))]
        same: dict[str, Any] = {"pipeline_id": "p", "content_hash": "h", "version_id": None}
        spool.add(0, page_rows(batch.files[0], results, stream="main", overlay_paths=overlays, **same))
        commit_to(config, batch, spool, [0], **options)


def overlay(config: StreamConfig, name: str) -> str:
    return put_overlay(config.sink.url, overlay_key(name, 0, "p", "jpg"), b"picture of " + name.encode())


def test_overlays_are_removed_when_no_readable_version_names_them(config: StreamConfig) -> None:
    first, second, *_ = plan(config)
    kept, replaced, orphan, young, late = (overlay(config, name) for name in "abcde")
    partial = Path(orphan).with_name(f".{Path(orphan).name}.{'0' * 32}.partial")
    foreign = Path(orphan).with_name("notes.txt")
    partial.write_bytes(b"half")
    foreign.write_bytes(b"not ours")
    commit_with_overlays(config, first, [kept, None])
    commit_with_overlays(config, second, [replaced])
    again = replace(second, attempt_id="again", planned_at=discover(config).planned_at)
    commit_with_overlays(config, again, [late], replace=[0])
    for path in (kept, replaced, orphan, late, partial, foreign):
        age(Path(path))

    sink = config.sink.url
    assert vacuum_overlays(versioned(sink), DAY, dry_run=True).files == 2
    assert vacuum_overlays(versioned(sink), DAY, dry_run=False).files == 2
    assert [Path(path).exists() for path in (kept, replaced, orphan, young, late, partial, foreign)] == [
        True, True, False, True, True, False, True,
    ]  # fmt: skip
    vacuum(PagesTable(sink), NOW, dry_run=False)
    assert vacuum_overlays(versioned(sink), DAY, dry_run=False).files == 1
    assert not Path(replaced).exists()
    assert Path(kept).exists()


def test_a_moved_sink_keeps_its_overlays(config: StreamConfig, tmp_path: Path) -> None:
    path = overlay(config, "a")
    commit_with_overlays(config, plan(config)[0], [path])
    age(Path(path))
    moved = tmp_path / "elsewhere"
    Path(config.sink.url).rename(moved)
    assert vacuum_overlays(versioned(str(moved)), DAY, dry_run=False).files == 0


def test_an_unreadable_data_file_keeps_all_overlays(config: StreamConfig) -> None:
    path = overlay(config, "a")
    commit_with_overlays(config, plan(config)[0], [None])
    age(Path(path))
    next(Path(PagesTable(config.sink.url).url).glob("*.parquet")).write_bytes(b"not Parquet")
    with pytest.raises(Exception, match="no overlay is removed"):
        vacuum_overlays(versioned(config.sink.url), DAY, dry_run=False)
    assert Path(path).exists()
