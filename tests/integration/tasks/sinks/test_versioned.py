"""A second format with versions, defined in the tests, supports everything that a Delta table does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.loop.planners import FailedPages
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.config.sink_formats import SINK_FORMATS
from inkstream.tasks.queries.stored_configs import stored_config
from inkstream.tasks.sinks.opening import SINKS, open_sink
from inkstream.tasks.sinks.versioned import VersionedSink, require_versions
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream
from tests.integration.committing import discover, versioned
from tests.integration.tasks.sinks import sqlite_sink
from tests.integration.test_commit_processes import commit, make_inbox, plan, wanted_rows

pytestmark = pytest.mark.usefixtures("shared_workers")

TIGHT = "pipeline.render.max_pixels=100000"
WIDE = "pipeline.render.max_pixels=50000000"


@pytest.fixture(autouse=True)
def _sqlite() -> Iterator[None]:
    with sqlite_sink.registered():
        yield


def test_each_sink_has_the_abilities_that_its_format_declares() -> None:
    urls = {"memory": "memory://here"}
    for name, sink_format in SINK_FORMATS.items():
        options: Any = {"url": urls.get(name, "tables"), "format": name}
        sink = open_sink(build_config({"source": {"url": "in"}, "sink": options}).sink)
        assert isinstance(sink, VersionedSink) == sink_format.replaces_rows, name
        if not sink_format.replaces_rows:
            with pytest.raises(ConfigError, match=r"needs sink\.format delta or sqlite"):
                require_versions(sink)
    assert SINKS.keys() == SINK_FORMATS.keys()


class Library:
    """An inbox whose second file first has a page that is too large, and a sink in SQLite."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.sink = folder / "inbox", folder / "tables"
        self.inbox.mkdir()
        (self.inbox / "a.pdf").write_bytes(tiny_pdf("a good page of text"))
        (self.inbox / "b.pdf").write_bytes(tiny_pdf("the first page", "the second page", large=[1]))
        self.cheap = ("pipeline.text_layer.mode=only", "pipeline.draw={}", "execution.workers=1")

    def run(self) -> Any:
        places = {"source": {"url": str(self.inbox)}, "sink": {"url": str(self.sink), "format": "sqlite"}}
        with Stream(build_config(places, overrides=[*self.cheap, TIGHT])) as stream:
            return stream.run()

    def retry(self) -> Any:
        config = stored_config(str(self.sink))
        assert config.sink.format == "sqlite"
        with Stream(config) as stream:
            planned = stream.plan(FailedPages())
            assert [chosen.again and chosen.again.pages for item in planned.work for chosen in item.chosen] == [(1,)]
            return stream.retry(overrides=[WIDE])

    def texts(self, version: int | None = None) -> list[tuple[str, int, str | None]]:
        rows = versioned(str(self.sink)).snapshot(version).query("SELECT path, pagenum, text FROM this").to_pylist()
        return sorted((row["path"][-5:], row["pagenum"], row["text"]) for row in rows)

    def commands(self, *arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
        command, *rest = arguments
        done = inkstream(command, self.sink, *rest, "--json", code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]


def test_run_retry_diff_status_show_and_export_work_on_a_second_format(tmp_path: Path) -> None:
    library = Library(tmp_path)
    first = library.run()
    assert (first.files, first.pages, first.failed_pages, first.version) == (2, 3, 1, 1)
    before = library.texts()
    assert library.run().files == 0

    retried = library.retry()
    assert (retried.files, retried.pages, retried.failed_pages, retried.kept_pages) == (1, 1, 0, 1)
    fixed = ("b.pdf", 1, "the second page")
    assert library.texts() == [*before[:2], fixed]
    assert library.texts(1) == before
    assert library.run().files == 0

    *pages, summary = library.commands("diff", "--from", "1")
    assert [(page["path"][-5:], page["pagenum"], page["change"]) for page in pages] == [
        ("b.pdf", 0, "same"),
        ("b.pdf", 1, "fixed"),
    ]
    assert (summary["from"], summary["to"]) == (1, 2)

    (status,) = library.commands("status")
    assert (status["table"]["version"], status["table"]["rows"]) == (2, 3)
    (stream,) = status["streams"]
    assert (stream["pages"], stream["failed_pages"], stream["backlog"]["files"]) == (3, 0, 0)
    assert [(batch["batch_id"], batch["pages"]) for batch in stream["batches"]] == [(1, 2), (0, 1)]

    assert len(library.commands("show", "--version", "1", "--limit", "2")) == 2
    library.commands("export", "--format", "text", "--output", tmp_path / "out")
    assert (tmp_path / "out" / "b.pdf.txt").read_text() == "the first page\n\fthe second page\n"


def test_forget_and_maintain_work_on_a_second_format(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.run()
    overlays = [path for path in (library.sink / "overlays").rglob("*") if path.is_file()]
    assert len(overlays) == 2
    (forgotten,) = library.commands("forget", "a.pdf", "--yes")
    assert (forgotten["overlays"], forgotten["versions_with_text"]) == (1, {"from": 1, "to": 1})
    assert [text for *_, text in library.texts()] == [None, "the first page", None]
    assert library.run().files == 0
    maintained = library.commands("maintain", "--prefect", "off")
    assert [(part["name"], part["removed"]) for part in maintained] == [("pages", 0), ("overlays", 0)]


def sqlite_config(folder: Path) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(folder / "inbox")},
            "sink": {"url": str(folder / "tables"), "format": "sqlite"},
            "trigger": {"max_files_per_trigger": 3},
        }
    )


def test_a_newer_file_version_replaces_the_rows_of_the_older_one(tmp_path: Path) -> None:
    make_inbox(tmp_path, 3)
    config = sqlite_config(tmp_path)
    config = config.model_copy(update={"sink": config.sink.model_copy(update={"mode": "upsert"})})
    commit(config, plan(config)[0])
    (tmp_path / "inbox" / "001.pdf").write_bytes(b"newer")
    found = discover(config)
    assert found.replacing == frozenset(file.path for file in found.files)
    commit(config, replace(plan(config)[0], replacing=found.replacing))
    assert keys(config) == wanted_rows(config)


def keys(config: StreamConfig) -> Counter[tuple[str, str, int, int]]:
    rows = open_sink(config.sink).rows(stream=config.stream).to_pylist()
    return Counter((row["path"], row["etag"], row["length"], row["pagenum"]) for row in rows)


def test_processes_racing_on_one_stream_write_each_file_once(tmp_path: Path) -> None:
    make_inbox(tmp_path, 24)
    command = [sys.executable, "-m", "tests.integration.tasks.sinks.test_versioned", str(tmp_path)]
    drivers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for driver in drivers:
        _, errors = driver.communicate(timeout=120)
        assert driver.returncode == 0, errors
    config = sqlite_config(tmp_path)
    assert keys(config) == wanted_rows(config)
    assert plan(config) == []


if __name__ == "__main__":
    from tests.integration.tasks.sinks.test_sink import drive

    with sqlite_sink.registered():
        drive(sqlite_config(Path(sys.argv[1])))
