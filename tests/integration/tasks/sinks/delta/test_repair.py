from __future__ import annotations

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.sinks.delta.log import LocalLog, added
from inkstream.tasks.sinks.delta.repair import find_damage, repair
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.integration.test_commit_processes import commit, drive, make_config, make_inbox, plan


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 3)
    return make_config(tmp_path)


def mend(config: StreamConfig) -> list[str]:
    pages = PagesTable(config.sink.url)
    return [each.problem for each in repair(Path(pages.url), Path(config.sink.url) / "repaired", pages.first_entry)]


def texts(config: StreamConfig) -> set[str]:
    return set(PagesTable(config.sink.url).rows(columns=["text"]).column(0).to_pylist())


def test_a_whole_table_has_no_damage(config: StreamConfig) -> None:
    drive(config, "")
    assert find_damage(Path(PagesTable(config.sink.url).url), thorough=True) == []
    assert find_damage(Path(config.sink.url) / "none") == []


def test_a_lost_replacement_gives_the_old_rows_back(config: StreamConfig) -> None:
    """As after a retry, a reprocess or a forgotten document."""
    (batch,) = plan(config)
    commit(config, batch, text="old")
    again = type(batch)(batch.stream, "again", batch.files, 0, batch.redo)
    commit(config, again, replace=(0, 1, 2), text="new")
    assert texts(config) == {"new"}
    log = LocalLog(Path(PagesTable(config.sink.url).url))
    for add in added(log.actions(log.versions()[-1])):
        log.data_file(add).unlink()
    assert set(mend(config)) == {"is missing"}
    assert texts(config) == {"old"}


def test_the_repaired_table_is_an_ordinary_delta_table(config: StreamConfig) -> None:
    drive(config, "")
    log = LocalLog(Path(PagesTable(config.sink.url).url))
    log.entry(log.versions()[-1]).write_bytes(b"")
    assert mend(config) == ["is empty"]
    (newest,) = DeltaTable(log.table).history(1)
    assert newest["operation"] == "REPAIR"
    assert DeltaTable(log.table).to_pyarrow_table().num_rows == 0
    assert mend(config) == []


def test_a_log_without_its_first_entry_gets_a_new_one(config: StreamConfig) -> None:
    drive(config, "")
    log = LocalLog(Path(PagesTable(config.sink.url).url))
    log.entry(0).write_bytes(b"{")
    assert mend(config) == ["is not a complete log entry"]
    assert texts(config) == {"text"}


def test_a_log_that_lacks_its_beginning_is_refused_with_a_remedy(config: StreamConfig) -> None:
    drive(config, "")
    log = LocalLog(Path(PagesTable(config.sink.url).url))
    log.entry(log.versions()[-1]).rename(log.entry(500))
    log.entry(0).unlink()
    with pytest.raises(EnvironmentFault, match="cannot be repaired") as raised:
        mend(config)
    assert "backup" in raised.value.remedy
    assert json.loads(log.entry(500).read_text().splitlines()[0]), "it was left as it is"
