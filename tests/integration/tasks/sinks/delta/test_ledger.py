"""The ledger: a projection that may lag, be lost or belong to another table."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import StreamConfig, TriggerOptions
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.ledger import LedgerProjection
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.source.listing import list_files
from tests.integration.committing import discover, project_ledger
from tests.integration.test_commit_processes import (
    commit,
    drive,
    plan,
)


def test_the_ledger_matches_the_pages_table(config: StreamConfig) -> None:
    drive(config, "")
    rows = LedgerTable(config.sink.url).open().scan().read_all()
    ledger = pa.table(rows).to_pylist()
    assert {row["path"] for row in ledger} == {file.path for file in list_files(config.source)}
    assert {(row["state"], row["pages"], row["failed_pages"], row["stream"]) for row in ledger} == {
        ("done", 2, 0, "main")
    }
    assert {row["batch_id"] for row in ledger} == {0, 1}


def test_losing_the_ledger_loses_nothing(config: StreamConfig) -> None:
    drive(config, "")
    shutil.rmtree(LedgerTable(config.sink.url).url)
    assert discover(config).files == []
    assert project_ledger(config) == 1
    assert discover(config).known == 6


@pytest.mark.parametrize(
    "meanwhile", ["nothing", "deleted", "deleted and made again", "projected by another", "compacted"]
)
def test_a_projection_continues_whatever_happens_to_the_ledger(config: StreamConfig, meanwhile: str) -> None:
    config = config.model_copy(update={"trigger": TriggerOptions(max_files_per_trigger=1)})
    batches, ledger = plan(config), LedgerTable(config.sink.url)
    projection = LedgerProjection(PagesTable(config.sink.url), ledger)
    for number, batch in enumerate(batches):
        commit(config, batch)
        if number == 3 and "deleted" in meanwhile:
            shutil.rmtree(ledger.url)
        if number == 3 and meanwhile in ("deleted and made again", "projected by another"):
            project_ledger(config)
        if number == 3 and meanwhile == "compacted":
            assert compact(ledger, 128).merged
            assert compact(PagesTable(config.sink.url), 128).merged
        assert projection.run(config.stream) == number
    rows = pa.table(ledger.open().scan().read_all()).to_pylist()
    assert [row["path"] for row in sorted(rows, key=lambda row: row["batch_id"])] == [b.files[0].path for b in batches]
    assert plan(config) == []


def test_a_ledger_without_its_pages_table_is_refused_with_a_remedy(config: StreamConfig) -> None:
    drive(config, "")
    shutil.rmtree(PagesTable(config.sink.url).url)
    with pytest.raises(EnvironmentFault, match="delete"):
        discover(config)
    PagesTable(config.sink.url).create()
    with pytest.raises(EnvironmentFault, match="delete"):
        discover(config)
    with pytest.raises(EnvironmentFault, match="delete"):
        project_ledger(config)
    shutil.rmtree(LedgerTable(config.sink.url).url)
    assert len(discover(config).files) == 6


def test_projecting_without_a_pages_table_does_nothing(config: StreamConfig) -> None:
    assert project_ledger(config) == -1
    assert not LedgerTable(config.sink.url).exists()
