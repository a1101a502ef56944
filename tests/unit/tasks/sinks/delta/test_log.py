from __future__ import annotations

import json
from pathlib import Path

import pytest

from inkstream.tasks.sinks.delta.log import LocalLog, added


@pytest.fixture
def log(tmp_path: Path) -> LocalLog:
    log = LocalLog(tmp_path)
    log.folder.mkdir()
    for version in (11, 2, 9):
        add = {"path": f"part%20{version}.parquet", "size": 7}
        log.entry(version).write_text(f"{json.dumps({'commitInfo': {}})}\n{json.dumps({'add': add})}\n")
    for name in (
        f"{10:020}.checkpoint.parquet",
        f"{20:020}.checkpoint.{1:010}.{2:010}.parquet",
        f"{20:020}.checkpoint.{2:010}.{2:010}.parquet",
        "_last_checkpoint",
        ".12.json.partial",
    ):
        (log.folder / name).touch()
    return log


def test_versions_and_checkpoints_rise(log: LocalLog) -> None:
    assert log.versions() == [2, 9, 11]
    assert log.checkpoints() == [10, 20]
    assert [len(log.checkpoint_files(version)) for version in (9, 10, 20)] == [0, 1, 2]


def test_an_entry_names_the_files_that_it_adds(log: LocalLog) -> None:
    (add,) = added(log.actions(11))
    assert log.data_file(add) == log.table / "part 11.parquet"


@pytest.mark.parametrize("content", ["", "\n", '{"add": {"path"', "[1]\n", "\0" * 40])
def test_a_torn_entry_is_an_error(log: LocalLog, content: str) -> None:
    log.entry(9).write_text(content)
    with pytest.raises(ValueError, match=r".*"):
        log.actions(9)


def test_a_table_without_a_log_has_no_versions(tmp_path: Path) -> None:
    assert LocalLog(tmp_path / "none").versions() == []
