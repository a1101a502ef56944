"""Sinks whose commits are numbered objects, in memory."""

from __future__ import annotations

import uuid

import pytest

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.commit.operations import Append, CommittedSince, FindCommit, Landed, ModifiedSince, Open, Opened
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.model import Batch
from inkstream.tasks.sinks.memory import MemorySink
from tests.unit.tasks.commit.test_spool import pages
from tests.unit.tasks.test_rows import FILE

BATCH = Batch("main", "mine", (FILE,), -1)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink(f"memory://{uuid.uuid4()}")


def append(sink: MemorySink, number: int, commit_id: str = "mine") -> object:
    with ResultSpool() as spool:
        spool.add(0, pages(0, 1, total=2))
        return sink.runner(BATCH, spool, frozenset()).run(Append((0,), number, commit_id))


def test_the_number_of_a_commit_is_its_transaction(sink: MemorySink) -> None:
    with ResultSpool() as spool:
        runner = sink.runner(BATCH, spool, frozenset())
        assert runner.run(Open()) == Opened(version=0, transaction=-1)
        assert append(sink, 0) == 1
        assert runner.run(Open()) == Opened(version=1, transaction=0)
        assert runner.run(CommittedSince(-1)) == frozenset({FILE.key})
        assert runner.run(CommittedSince(0)) == frozenset()
        assert runner.run(FindCommit("mine", 0)) == Landed(0, 1)
        assert runner.run(FindCommit("mine", 1)) is None
        assert runner.run(FindCommit("another", 0)) is None
        with pytest.raises(TypeError):
            runner.run(ModifiedSince(0))


def test_a_commit_number_that_is_taken_is_a_transient_error(sink: MemorySink) -> None:
    append(sink, 0)
    with pytest.raises(TransientError, match="another driver made commit 0"):
        append(sink, 0, "rival")


def test_rows_cannot_be_replaced(sink: MemorySink) -> None:
    with (
        ResultSpool() as spool,
        pytest.raises(ConfigError, match=r"cannot replace rows: this needs sink\.format delta"),
    ):
        sink.runner(BATCH, spool, frozenset({0}))


def test_a_limit_reads_no_more_commits_than_needed(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        append(sink, number)
    numbers: list[int] = []
    read = MemorySink.read

    def watched(self: MemorySink, stream: str, number: int, columns: object) -> object:
        numbers.append(number)
        return read(self, stream, number, None)

    monkeypatch.setattr(MemorySink, "read", watched)
    assert sink.rows(stream="main", limit=3).num_rows == 3
    assert numbers == [4, 3]
