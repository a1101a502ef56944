"""Forgetting documents while others write: the text is removed, and the files stay known as read."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch, Redo
from inkstream.tasks.queries.forget import find_files, forget
from inkstream.tasks.queries.selection import choose_failed, choose_made_otherwise
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.sinks.left_behind import write_stream
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream
from tests.integration.committing import discover, project_ledger, status_of, versioned
from tests.integration.test_commit_processes import commit, drive, make_config, make_inbox, plan

pytestmark = pytest.mark.usefixtures("shared_workers")


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 3)
    config = make_config(tmp_path, max_files_per_trigger=3)
    write_stream(config)
    return config


def rows(config: StreamConfig) -> list[dict[str, Any]]:
    return sorted(PagesTable(config.sink.url).rows().to_pylist(), key=lambda row: (row["path"], row["pagenum"] or 0))


def forget_files(config: StreamConfig, *paths: str) -> Any:
    found, _ = find_files(versioned(config.sink.url), paths)
    return forget(versioned(config.sink.url), found)


def test_forgetting_removes_the_text_and_keeps_the_file_known(config: StreamConfig) -> None:
    drive(config, "")
    forgotten = forget_files(config, "001.pdf")
    assert (forgotten.version, forgotten.held_from) == (2, 1)
    first, gone, last = rows(config)[0], rows(config)[2], rows(config)[4]
    assert (first["text"], last["text"]) == ("text", "text")
    kept = ("stream", "path", "etag", "length", "modification_time", "batch_id", "timestamp", "regions")
    assert {name for name, value in gone.items() if value is not None} == {*kept, "exception", "exception_kind"}
    assert gone["exception_kind"] == "forgotten"
    assert len(rows(config)) == 5
    assert discover(config).files == []
    shutil.rmtree(LedgerTable(config.sink.url).url)
    assert discover(config).files == []
    project_ledger(config)
    ledger = {row["path"][-7:]: row for row in LedgerTable(config.sink.url).open().to_pyarrow_table().to_pylist()}
    assert (ledger["001.pdf"]["state"], ledger["001.pdf"]["pages"], ledger["001.pdf"]["failed_pages"]) == (
        "forgotten",
        0,
        0,
    )
    (stream,) = status_of(config.sink.url).streams
    assert (stream.pages, stream.failed_pages, stream.failures) == (4, 0, ())


def test_a_forgotten_file_is_not_reread_but_its_new_version_is_read(config: StreamConfig) -> None:
    drive(config, "")
    forget_files(config, "001.pdf")
    table = versioned(config.sink.url).snapshot()
    assert choose_failed(table, "main").files == []
    assert {choice.file.path[-7:] for choice in choose_made_otherwise(table, "main", ["other"]).files} == {
        "000.pdf",
        "002.pdf",
    }
    (Path(config.source.url) / "001.pdf").write_bytes(b"a new version")
    assert len(discover(config).files) == 1


def test_a_driver_that_read_the_file_meanwhile_cannot_restore_it(config: StreamConfig) -> None:
    (late,) = plan(config)
    drive(config, "")
    planned_at = discover(config).planned_at
    again = Batch("main", "again", late.files, planned_at, Redo(PagesTable(config.sink.url).open().version()))
    forget_files(config, "001.pdf")
    assert commit(config, late).batch_id is None
    committed = commit(config, again, replace=(0, 1, 2), text="again")
    assert (committed.files, committed.already_done) == ((0, 2), (1,))
    assert [row["text"] for row in rows(config)] == ["again", "again", None, "again", "again"]


def test_rows_replaced_since_the_files_were_found_are_forgotten_too(config: StreamConfig) -> None:
    drive(config, "")
    found, _ = find_files(versioned(config.sink.url), ["001.pdf"])
    (batch,) = plan(config.model_copy(update={"stream": "unused"}))
    retried = replace(batch, stream="main", planned_at=discover(config).planned_at, files=batch.files[1:2])
    commit(config, retried, replace=(0,), text="retried meanwhile")
    assert forget(versioned(config.sink.url), found).version == 3
    assert {row["text"] for row in rows(config)} == {"text", None}


def test_a_file_is_forgotten_in_every_stream_and_only_once(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    write_stream(other)
    drive(config, "")
    drive(other, "")
    forgotten = forget_files(config, str(Path(config.source.url) / "001.pdf"))
    assert set(forgotten.files) == {"main", "other"}
    assert sum(row["text"] is None for row in rows(config)) == 2
    assert find_files(versioned(config.sink.url), ["001.pdf"]) == ({}, 2)
    with pytest.raises(ConfigError, match="there are: main, other"):
        find_files(versioned(config.sink.url), ["001.pdf"], "nosuch")


def test_after_a_vacuum_text_is_held_only_from_a_later_version(config: StreamConfig) -> None:
    drive(config, "")
    forget_files(config, "00[01].pdf")
    assert names_with_stored_text(config) == {"000.pdf", "001.pdf", "002.pdf"}
    vacuum_now(config)
    assert names_with_stored_text(config) == {"002.pdf"}
    forgotten = forget_files(config, "002.pdf")
    assert forgotten.held_from == 2
    vacuum_now(config)
    assert names_with_stored_text(config) == set()


def names_with_stored_text(config: StreamConfig) -> set[str]:
    """Return the names of the documents whose text is in any Parquet file of the table's folder."""
    files = list(Path(PagesTable(config.sink.url).url).rglob("*.parquet"))
    assert files
    stored = [row for file in files for row in pq.read_table(file, columns=["path", "text"]).to_pylist()]
    return {row["path"].rpartition("/")[2] for row in stored if row["text"] is not None}


def vacuum_now(config: StreamConfig) -> None:
    table = DeltaTable(PagesTable(config.sink.url).url)
    table.vacuum(0, dry_run=False, enforce_retention_duration=False)


def test_every_version_of_a_file_is_forgotten_in_upsert_mode(config: StreamConfig) -> None:
    drive(config, "")
    (Path(config.source.url) / "001.pdf").write_bytes(b"a newer version")
    drive(config, "")
    upsert = config.model_copy(update={"sink": config.sink.model_copy(update={"mode": "upsert"})})
    write_stream(upsert)
    forget_files(upsert, "001.pdf")
    assert [row["text"] for row in rows(config) if row["path"].endswith("001.pdf")] == [None, None]
    assert discover(upsert).files == []


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Make a sink whose files a and b are identical, so that they share their overlays."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name, text in (("a.pdf", "both of these"), ("b.pdf", "both of these"), ("c.pdf", "something else")):
        (inbox / name).write_bytes(tiny_pdf(text))
    cheap = ["pipeline.text_layer.mode=only", "pipeline.draw={}", "execution.workers=1"]
    places = {"source": {"url": str(inbox)}, "sink": {"url": str(tmp_path / "tables")}}
    with Stream(build_config(places, overrides=cheap)) as stream:
        assert stream.run().pages == 3
    return tmp_path / "tables"


def test_overlays_are_removed_unless_another_row_uses_them(drawn: Path) -> None:
    def overlays() -> int:
        return len(list(drawn.glob("overlays/*/*.jpg")))

    assert overlays() == 2
    assert "--yes" in inkstream("forget", drawn, "a.pdf", code=2).stderr
    assert "no rows of nosuch.pdf" in inkstream("forget", drawn, "nosuch.pdf", "--yes", code=2).stderr
    looked = json.loads(inkstream("forget", drawn, "*.pdf", "--dry-run", "--json").stdout)
    assert (len(looked["files"]), looked["forgotten"]) == (3, False)
    first = json.loads(inkstream("forget", drawn, "a.pdf", "--yes", "--json").stdout)
    assert (first["overlays"], first["versions_with_text"], overlays()) == (0, {"from": 1, "to": 1}, 2)
    export = ("export", drawn, "--format", "text", "--output", drawn / "out")
    inkstream(*export)
    assert sorted(file.name for file in (drawn / "out").rglob("*.txt")) == ["b.pdf.txt", "c.pdf.txt"]
    shown = inkstream("forget", drawn, "b.pdf", "c.pdf", "-y").stdout
    assert "removed 2 overlays" in shown
    assert "versions 1 to 2 of the table still hold their text" in shown
    assert overlays() == 0
    assert "forgotten before: 3 files" in inkstream("forget", drawn, "*.pdf", "-y").stdout
    assert (
        "has no file" in inkstream("export", drawn, "--format", "text", "--output", drawn, "--path", "*", code=2).stderr
    )
    rerun = inkstream("run", "--source", drawn.parent / "inbox", "--sink", drawn, "--prefect", "off")
    assert "nothing new" in rerun.stdout
