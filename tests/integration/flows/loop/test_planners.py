"""Retry and reprocess on real documents, a real table and real Dask; some tests run the command itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.loop.planners import FailedPages, OtherPipeline, Planner
from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.config import build_config
from inkstream.tasks.progress import Summary
from inkstream.tasks.queries.stored_configs import stored_config
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream

TIGHT = "pipeline.render.max_pixels=100000"
WIDE = "pipeline.render.max_pixels=50000000"
ALONE = ("execution.scheduler=null", "execution.workers=1")
"""Overrides that start a new worker, which has no copies of files from earlier runs."""


class Place:
    """An inbox and a table, with methods that work on them."""

    def __init__(self, folder: Path, scheduler: str) -> None:
        self.inbox, self.sink = folder / "inbox", folder / "tables"
        self.inbox.mkdir()
        self.cheap = ("pipeline.text_layer.mode=only", "pipeline.draw={}", f"execution.scheduler={scheduler}")

    def run(self, *overrides: str) -> Summary:
        places = {"source": {"url": str(self.inbox)}, "sink": {"url": str(self.sink)}}
        with Stream(build_config(places, overrides=[*self.cheap, TIGHT, *overrides])) as stream:
            return stream.run()

    def retry(self, *overrides: str, stream: str | None = None, **chosen: Any) -> Summary:
        with Stream(stored_config(str(self.sink), stream, overrides)) as started:
            return started.retry(overrides=overrides, **chosen)

    def reprocess(self, *overrides: str, paths: tuple[str, ...] = ()) -> Summary:
        with Stream(stored_config(str(self.sink), None, overrides)) as started:
            return started.reprocess(paths=paths)

    def planned(self, planner: Planner, *overrides: str) -> dict[str, tuple[int, ...] | None]:
        """Return which pages of which files would be re-read; None means all."""
        with Stream(stored_config(str(self.sink), None, overrides)) as started:
            work = started.plan(planner).work
        chosen = [choice for item in work for choice in item.chosen]
        return {_name(choice.file.path): choice.again.pages if choice.again else None for choice in chosen}

    def command(self, *arguments: str | Path, code: int = 0) -> tuple[list[dict[str, Any]], str]:
        """Run a command on this sink; return its JSON output and its messages."""
        command, *rest = arguments
        done = inkstream(command, self.sink, *rest, "--json", "--prefect", "off", code=code)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def rows(self, version: int | None = None) -> dict[tuple[str, int | None], dict[str, Any]]:
        rows = PagesTable(str(self.sink)).rows(version).to_pylist()
        found = {(_name(row["path"]), row["pagenum"]): row for row in rows}
        assert len(found) == len(rows)
        return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@pytest.fixture
def place(tmp_path: Path, scheduler: str) -> Place:
    place = Place(tmp_path, scheduler)
    (place.inbox / "a.pdf").write_bytes(tiny_pdf("the first page", "the second page", "the third page", large=[1]))
    (place.inbox / "b.pdf").write_bytes(tiny_pdf("the only page", large=[0]))
    (place.inbox / "c.pdf").write_bytes(tiny_pdf("a good page of text"))
    (place.inbox / "damaged.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    place.run()
    return place


def test_only_failed_pages_are_read_again_and_their_rows_replaced(place: Place) -> None:
    before = place.rows()
    assert place.planned(FailedPages(kinds=(FailureKind.LIMIT,))) == {"a.pdf": (1,), "b.pdf": None}
    assert place.rows() == before
    summary = place.retry(WIDE, kinds=["limit"])
    assert (summary.files, summary.pages, summary.failed_pages, summary.kept_pages) == (2, 2, 0, 2)
    after = place.rows()
    assert after.keys() == before.keys()
    assert after["a.pdf", 1]["text"] == "the second page"
    stamps = dict.fromkeys(("batch_id", "timestamp"))
    for page in (0, 2):
        assert {**after["a.pdf", page], **stamps} == {**before["a.pdf", page], **stamps}
        assert after["a.pdf", page]["batch_id"] == 1
    assert after["a.pdf", 1]["pipeline_id"] != after["a.pdf", 0]["pipeline_id"]
    assert after["damaged.pdf", None] == before["damaged.pdf", None]
    assert place.run().files == 0
    assert place.rows(version=1) == before


def test_pages_that_fail_again_are_committed_again(place: Place) -> None:
    summary = place.retry(paths=["damaged.pdf", "c*"])
    assert (summary.files, summary.pages, summary.failed_pages) == (1, 1, 1)
    assert place.rows()["damaged.pdf", None]["batch_id"] == 1
    assert place.retry(kinds=["timeout"]).files == 0


def test_the_retry_command_leaves_out_missing_and_changed_files(place: Place) -> None:
    planned, _ = place.command("retry", "--dry-run", "--kind", "limit")
    assert [(_name(file["path"]), file["pages"], file["failures"]) for file in planned] == [
        ("a.pdf", [1], {"limit": 1}),
        ("b.pdf", None, {"limit": 1}),
    ]
    (place.inbox / "b.pdf").unlink()
    (place.inbox / "damaged.pdf").write_bytes(b"%PDF-1.4\nnothing less")
    before = place.rows()
    alone = [part for option in (WIDE, *ALONE) for part in ("--set", option)]
    done = inkstream("retry", place.sink, *alone, "--prefect", "off", code=5)
    read_again = ("3 files to read again", "2 other pages")
    for part in (*read_again, "it is gone", "it was overwritten", "with the rows as they were"):
        assert part in done.stdout
    after = place.rows()
    assert after["a.pdf", 1]["text"] == "the second page"
    assert {key: row for key, row in after.items() if key[0] != "a.pdf"} == {
        key: row for key, row in before.items() if key[0] != "a.pdf"
    }


def test_touched_files_are_read_again_and_keep_their_identity(place: Place) -> None:
    before = place.rows()
    for path in place.inbox.iterdir():
        os.utime(path, ns=(1, 1))
    assert place.run().unchanged == 4
    assert place.retry(WIDE, paths=["b.pdf"]).left_out == {}
    assert place.reprocess(WIDE).left_out == {}
    after = place.rows()
    assert {key[0] for key in after} == {key[0] for key in before}
    assert {row["etag"] for row in after.values()} == {row["etag"] for row in before.values()}
    assert place.run().files == 0


def test_new_bytes_under_an_old_version_are_not_mixed_with_its_rows(place: Place) -> None:
    file = place.inbox / "a.pdf"
    stat = file.stat()
    file.write_bytes(file.read_bytes().replace(b"the second page", b"the secret page"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    before = place.rows()
    (reason,) = place.retry(WIDE, *ALONE, paths=["a.pdf"]).left_out.values()
    assert "inkstream reprocess" in reason
    assert place.rows() == before
    assert place.reprocess(WIDE, *ALONE, paths=("a.pdf",)).pages == 3
    assert place.rows()["a.pdf", 1]["text"] == "the secret page"


def test_reprocess_leaves_all_rows_made_by_one_pipeline(place: Place) -> None:
    place.retry(WIDE, paths=["b.pdf"])
    summary = place.reprocess(WIDE)
    assert (summary.files, summary.pages, summary.failed_pages) == (3, 5, 1)  # b.pdf is as wanted
    rows = place.rows()
    assert len({row["pipeline_id"] for row in rows.values()}) == 1
    assert all((place.sink / "pipelines" / f"{row['pipeline_id']}.json").exists() for row in rows.values())
    again = place.reprocess(WIDE)
    assert (again.files, again.version) == (0, summary.version)
    assert len(place.planned(OtherPipeline())) == 4  # the stream's own pipeline is still the tight one
    assert json.loads((place.sink / "streams" / "main.json").read_text())["pipeline"]["render"]["max_pixels"] == 100000


def test_the_reprocess_command_reads_a_configuration_file_as_run_does(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(f"pipeline: {{text_layer: {{mode: only}}}}\nexecution: {{scheduler: '{place.cheap[2][20:]}'}}\n")
    lines, _ = place.command("reprocess", file, "--path", "c.pdf")
    assert (lines[-1]["files"], lines[-1]["pages"], lines[-1]["left_out"]) == (1, 1, 0)
    made_by = place.rows()["c.pdf", 0]["pipeline_id"]
    (place.inbox / "late.pdf").write_bytes(tiny_pdf("what came late"))
    inkstream("run", file, "--source", place.inbox, "--sink", place.sink, "--prefect", "off")
    assert place.rows()["late.pdf", 0]["pipeline_id"] == made_by
    assert place.command("reprocess", file, "--path", "c.pdf", "--dry-run")[0] == []
    messages = inkstream("reprocess", place.sink, "--dry-run").stdout  # the run left its pipeline as the stream's
    assert "3 of 5 files would be read again; nothing was changed" in messages


def test_the_stream_must_be_named_if_there_are_several(place: Place) -> None:
    place.run("stream=other")
    assert "main, other" in place.command("retry", code=2)[1]
    assert "there are: main, other" in place.command("retry", "--stream", "nosuch", code=2)[1]
    assert place.retry(WIDE, stream="other", kinds=["limit"]).files == 2
    assert "no stream has run" in inkstream("retry", place.inbox, code=2).stderr
