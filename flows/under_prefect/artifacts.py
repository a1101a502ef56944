"""Artifacts and log lines of a run in Prefect: its files, its batches, a page's regions and its progress.

They come from an ordinary observer, which cannot change what is committed and whose failures do not end a run. It shows
neither the text of documents nor credentials; paths contain none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from inkstream.flows.text import not_read, short_name, visible
from inkstream.flows.under_prefect.pictures import data_uri, regions_svg, throughput_svg
from inkstream.tasks.progress import (
    BatchDone,
    Event,
    FileDone,
    Finished,
    Listed,
    MessagesTaken,
    Notice,
    Planned,
    RangeDone,
)
from inkstream.tasks.skipped import Skipped

if TYPE_CHECKING:
    import pyarrow as pa

MAX_FILES = 500
MAX_BATCHES = 30
MAX_LOGGED = 20
PROGRESS_SECONDS = 2.0
"""The shortest time between two updates of the bar."""


def artifact_key(stream: str, what: str) -> str:
    """Return the key of an artifact; Prefect accepts lower-case letters, digits and dashes."""
    return f"inkstream-{re.sub('[^a-z0-9]+', '-', stream.lower()).strip('-')}-{what}"


class RunArtifacts:
    """An observer that shows events in the current flow run. After its first failure it shows nothing more.

    Args:
        stream: Name of the stream.
    """

    def __init__(self, stream: str) -> None:
        from prefect.logging import get_run_logger

        self._stream = stream
        self._log = get_run_logger()
        self._silent = False
        self._waiting = 0
        self._skipped = Skipped()
        self._files = 0
        self._files_done = 0
        self._under_way: dict[str, float] = {}
        self._bar: UUID | None = None
        self._drawn_at = 0.0
        self._pictures: dict[str, tuple[str, str]] = {}
        self._summary: str | None = None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._silent:
            return
        try:
            self._take_in(event)
        except Exception as error:  # noqa: BLE001 - showing a run must not end it
            self._silent = True
            self._log.warning("this run shows no more artifacts and goes on reading: %s", type(error).__name__)

    def _take_in(self, event: Event) -> None:
        if isinstance(event, Listed):
            self._files, self._files_done, self._waiting = event.new_files, 0, event.waiting
            self._take_in_skipped(event.skipped)
        elif isinstance(event, Planned) and event.batches:
            self._draw_bar()
        elif isinstance(event, RangeDone):
            self._range_done(event)
        elif isinstance(event, BatchDone):
            self._batch_done(event)
        elif isinstance(event, MessagesTaken):
            self._log_messages(event)
        elif isinstance(event, Notice):
            self._log.info("%s", visible(event.text))
        elif isinstance(event, Finished):
            self._finish(event)

    def _take_in_skipped(self, skipped: Skipped) -> None:
        self._skipped = skipped
        if line := not_read(skipped):
            self._log.info("%s", line)

    def _range_done(self, event: RangeDone) -> None:
        share = event.pages / event.total_pages if event.total_pages else 1.0
        self._under_way[event.path] = min(1.0, self._under_way.get(event.path, 0.0) + share)
        picture = None
        if event.attempt_id not in self._pictures and event.rows is not None:
            picture = _picture(event.rows)
        if picture is not None:
            self._pictures[event.attempt_id] = picture
        if time.monotonic() - self._drawn_at >= PROGRESS_SECONDS:
            self._draw_bar()

    def _batch_done(self, event: BatchDone) -> None:
        from prefect.artifacts import create_markdown_artifact, create_table_artifact

        self._files_done += len(event.files)
        page = self._pictures.pop(event.attempt_id, None)
        for file in event.files:  # keep those of the next batch
            self._under_way.pop(file.path, None)
        self._log_batch(event)
        batch = _batch_row(event.progress, self._waiting + self._files - self._files_done)
        name = f"batch {batch['batch']} of stream {self._stream}"
        rows = [_file_row(file) for file in sorted(event.files, key=_worst_first)[:MAX_FILES]]
        create_table_artifact(
            rows, key=self._key("files"), description=f"{len(event.files)} files, {name}, worst first"
        )
        batches = [*self._last_batches(), batch][-MAX_BATCHES:]
        create_table_artifact(batches, key=self._key("batches"), description=f"The last batches, up to {name}")
        self._summary = _summary(self._stream, event, batches, page, self._skipped)
        create_markdown_artifact(self._summary, key=self._key("summary"), description=f"What {name} did")
        self._draw_bar()

    def _finish(self, event: Finished) -> None:
        """Add to the last batch's summary what to do next."""
        from prefect.artifacts import create_markdown_artifact

        for step in event.next_steps:
            self._log.info("%s", visible(str(step)))
        if self._summary is None or not event.next_steps:
            return
        lines = [self._summary, "", "## What to do next", "", *(f"- {visible(str(step))}" for step in event.next_steps)]
        create_markdown_artifact("\n".join(lines), key=self._key("summary"), description="What to do next")

    def _last_batches(self) -> list[dict[str, Any]]:
        """Return the rows of the latest batches artifact; an empty list if there is none."""
        import json

        from prefect.artifacts import Artifact

        latest = Artifact.get(self._key("batches"), _sync=True)  # type: ignore[call-arg]
        if latest is None or not isinstance(latest.data, str):  # type: ignore[union-attr]
            return []
        return list(json.loads(latest.data))  # type: ignore[union-attr]

    def _draw_bar(self) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        self._drawn_at = time.monotonic()
        done = 100.0 * min(1.0, (self._files_done + sum(self._under_way.values())) / max(self._files, 1))
        description = f"{self._files_done} of {self._files} files of stream {self._stream}"
        if self._bar is None:
            self._bar = cast(UUID, create_progress_artifact(done, key=self._key("progress"), description=description))
        else:
            update_progress_artifact(self._bar, progress=done, description=description)

    def _log_batch(self, event: BatchDone) -> None:
        progress = event.progress
        batch = progress["batchId"]
        self._log.info(
            "batch %s: %d files, %d pages, %d failed, %d left out, %.1f s",
            batch,
            progress["numInputRows"],
            progress["pages"],
            progress["failed_pages"],
            progress["left_out"],
            progress["durationMs"]["triggerExecution"] / 1000,
        )
        for file in [file for file in event.files if file.kinds or file.left_out][:MAX_LOGGED]:
            self._log.info("batch %s, file %s: %s", batch, visible(short_name(file.path)), _trouble(file))

    def _log_messages(self, event: MessagesTaken) -> None:
        self._log.info("%d messages taken, %d settled", event.messages, event.settled)
        if line := not_read(event.skipped):
            self._log.info("%s", line)
        for path, why in [*event.unsettled.items()][:MAX_LOGGED]:
            self._log.info("file %s waits: %s", visible(short_name(path)), visible(why))
        for message, why in [*event.unreadable.items()][:MAX_LOGGED]:
            self._log.info("message %s cannot be read: %s", visible(message), visible(why))

    def _key(self, what: str) -> str:
        return artifact_key(self._stream, what)


def _trouble(file: FileDone) -> str:
    if file.left_out:
        return "left for the next trigger"
    return ", ".join(f"{count} {kind}" for kind, count in file.kinds.items())


def _state(file: FileDone) -> str:
    if file.left_out:
        return "left out"
    return "with failures" if file.failed_pages else "done"


def _worst_first(file: FileDone) -> tuple[bool, int, str]:
    return (file.left_out is None, -file.failed_pages, file.path)


def _file_row(file: FileDone) -> dict[str, Any]:
    return {
        "file": visible(short_name(file.path)),
        "state": _state(file),
        "pages": file.pages,
        "failures": _trouble(file) if file.kinds or file.left_out else "",
        "confidence": "" if file.confidence is None else round(file.confidence, 1),
        "seconds": round(file.seconds, 2),
        "path": file.path,
    }


def _batch_row(progress: Mapping[str, Any], backlog: int) -> dict[str, Any]:
    seconds = progress["durationMs"]["triggerExecution"] / 1000
    return {
        "batch": progress["batchId"],
        "files": progress["numInputRows"],
        "pages": progress["pages"],
        "failed": progress["failed_pages"],
        "left_out": progress["left_out"],
        "not_read": sum(progress["skipped"].values()),
        "seconds": round(seconds, 2),
        "pages_per_second": round(progress["pages"] / max(seconds, 0.001), 2),
        "backlog": max(backlog, 0),
        "begun": progress["timestamp"],
    }


def _summary(
    stream: str, event: BatchDone, batches: list[dict[str, Any]], page: tuple[str, str] | None, skipped: Skipped
) -> str:
    batch = batches[-1]
    known = [file.confidence for file in event.files if file.confidence is not None]
    confidence = f"{sum(known) / len(known):.1f}" if known else "none"
    lines = [
        f"# Stream {stream}, batch {batch['batch']}",
        "",
        "| files | pages | failed | left out | confidence | seconds | pages/s | waiting |",
        "|---|---|---|---|---|---|---|---|",
        f"| {batch['files']} | {batch['pages']} | {batch['failed']} | {batch['left_out']} | {confidence} "
        f"| {batch['seconds']} | {batch['pages_per_second']} | {batch['backlog']} |",
        "",
    ]
    failures = event.progress["failures"]
    if failures:
        lines += ["Failed pages: " + ", ".join(f"{count} {kind}" for kind, count in failures.items()) + ".", ""]
    lines += _not_read_table(skipped)
    lines += ["## The last batches", "", f"![pages per second, files waiting]({data_uri(throughput_svg(batches))})", ""]
    if page is not None:
        lines += [f"## Regions of {page[0]}", "", f"![regions of one page]({data_uri(page[1])})", ""]
    lines += [f"Table: `{event.progress['sink']['description']}`, version {event.progress['version']}."]
    return "\n".join(lines)


def _not_read_table(skipped: Skipped) -> list[str]:
    """Return the lines of a table with the files that the run does not read, by reason."""
    counts, examples = skipped.to_json(), skipped.examples_json()
    rows = [f"| {reason} | {count} | {_cell(', '.join(examples[reason]))} |" for reason, count in counts.items()]
    head = ["## Not read", "", "| reason | count | such as |", "|---|---|---|"]
    return [*head, *rows, ""] if rows else []


def _cell(text: str) -> str:
    """Return text that Markdown shows in a cell of a table as it is."""
    return re.sub(r"([\\`*_{}\[\]<>|#!~&])", r"\\\1", visible(text))


def _picture(rows: pa.Table) -> tuple[str, str] | None:
    """Return a name for the first page of a range that has regions, and its picture."""
    for row in rows.select(["path", "pagenum", "width", "height", "regions"]).slice(0, 3).to_pylist():
        if row["regions"] and row["width"] and row["height"]:
            name = re.sub(r"[^\w .-]", "_", short_name(row["path"]))
            return f"{name}, page {row['pagenum'] + 1}", regions_svg(row["width"], row["height"], row["regions"])
    return None
