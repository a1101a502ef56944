"""What the Delta sink knows, and when it merges small files."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.sinks.delta import sink as delta_sink
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.discovery import compare
from inkstream.tasks.source.listing import list_files
from tests.integration.committing import project_ledger
from tests.integration.test_commit_processes import (
    commit,
    plan,
)


@pytest.mark.parametrize("named", [1000, 0])
@pytest.mark.parametrize("projected", [True, False])
def test_comparing_some_files_finds_the_same_as_comparing_all(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, named: int, projected: bool
) -> None:
    monkeypatch.setattr(delta_sink, "_NAMED_PATHS", named)
    for name in ("it's.pdf", "ä ö%.pdf", "\U0001f4c4.pdf", "zz.pdf"):
        (Path(config.source.url) / name).write_bytes(name.encode())
    batch = plan(config)[1]
    commit(config, batch)
    if projected:
        project_ledger(config)
    files = list_files(config.source)
    (Path(config.source.url) / "it's.pdf").write_bytes(b"overwritten")
    files.extend(file for file in list_files(config.source) if "it" in file.path)
    done = {file.key for file in batch.files}
    assert done < {file.key for file in files}
    for some in (files, files[:1], files[3:5], files[-5:], files[::2]):
        snapshot = open_sink(config.sink).known(config.stream)
        found = compare(config, snapshot, list(some), {file.path for file in some})
        assert [file.key for file in found.files] == [file.key for file in some if file.key not in done]


def test_compaction_is_due_after_every_nth_commit(config: StreamConfig) -> None:
    every = config.sink.model_copy(update={"compact_every": 3})
    assert [open_sink(every).is_due(batch_id) for batch_id in range(6)] == [False, False, True, False, False, True]
    never = config.sink.model_copy(update={"compact_every": None})
    assert not any(open_sink(never).is_due(batch_id) for batch_id in range(200))


def test_known_rows_are_those_of_one_table_version(config: StreamConfig) -> None:
    first, second = plan(config)
    sink = open_sink(config.sink)
    before = sink.known("main")
    commit(config, first)
    after = sink.known("main")
    commit(config, second)
    assert (before.planned_at, after.planned_at) == (-1, 0)
    assert list(before.rows(["path"])) == []
    paths = {path for rows in after.rows(["path"]) for path in rows.column("path").to_pylist()}
    assert paths == {file.path for file in first.files}
    assert (sink.version("main"), sink.version("other")) == (2, 2)
