"""A sink in memory, whose rows last as long as this process."""

from __future__ import annotations

import uuid

import pytest

from inkstream.tasks.commit.operations import Append
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.memory import MemorySink
from tests.unit.tasks.commit.test_spool import pages


def put(sink: MemorySink, stream: str, number: int, commit_id: str = "mine") -> None:
    with ResultSpool() as spool:
        spool.add(0, pages(0))
        sink.create(stream, number, CommitRows(spool, Append((0,), number, commit_id), PAGES_SCHEMA), commit_id)


def test_memory_sinks_with_the_same_name_share_their_rows() -> None:
    url = f"memory://{uuid.uuid4()}"
    put(MemorySink(url), "main", 0)
    put(MemorySink(url), "other", 0)
    put(MemorySink(f"memory://{uuid.uuid4()}"), "main", 5)
    again = MemorySink(url)
    assert (again.numbers("main"), again.streams()) == ([0], ["main", "other"])
    assert again.commit_id("main", 0) == "mine"
    assert again.read("main", 0, ["batch_id"]).to_pylist() == [{"batch_id": 0}]


def test_a_commit_cannot_be_created_twice() -> None:
    sink = MemorySink(f"memory://{uuid.uuid4()}")
    put(sink, "main", 0, "first")
    with pytest.raises(FileExistsError):
        put(sink, "main", 0, "second")
    assert sink.commit_id("main", 0) == "first"
