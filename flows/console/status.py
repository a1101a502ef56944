"""What `inkstream status` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from inkstream.flows.console.tables import plain_table, table_console
from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, human_age, human_bytes, not_read, plain, print_json, short_name, visible
from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.config import build_event_options
from inkstream.tasks.queries.status import Backlog, SinkStatus, StreamStatus, TableStatus, sink_status
from inkstream.tasks.sinks.opening import open_existing
from inkstream.tasks.source.event_source import QueueStatus
from inkstream.tasks.source.opening import count_messages


def print_status(sink: str, stream: str | None, batches: int, queue: str | None = None, *, as_json: bool) -> bool:
    """Print the state of a sink; return whether every part of it was found out.

    Args:
        sink: The sink.
        stream: Only this stream; None for all.
        batches: How many of each stream's last batches are shown.
        queue: URL of a queue whose messages are counted as well.
        as_json: Print one JSON object.
    """
    messages = count_messages(build_event_options({"queue": queue})) if queue else None
    status = sink_status(sink, open_existing(sink), stream, batches)
    now = datetime.now(UTC)
    if as_json:
        counted = {"queue": _queue_json(messages)} if messages else {}
        print_json({**status_json(status, now), **counted})
    else:
        console = table_console()
        if status.table is None and any(state.pages for state in status.streams):
            _print_line(console, f"{status.sink}: the sink keeps no versions")
        else:
            _print_table(console, status.table)
        for state in status.streams:
            _print_stream(console, state, now)
        if messages:
            _print_queue(console, messages)
    return all(state.problem is None for state in status.streams)


def status_json(status: SinkStatus, now: datetime) -> dict[str, Any]:
    """Return the status as `--json` prints it.

    Args:
        status: The state of the sink.
        now: The time at which ages are measured.
    """
    table = status.table
    return {
        "sink": status.sink,
        "table": table
        and {
            "url": table.url,
            "version": table.version,
            "oldest_version": table.oldest_version,
            "files": table.files,
            "bytes": table.size,
            "rows": table.rows,
        },
        "streams": [_stream_json(state, now) for state in status.streams],
    }


def _stream_json(stream: StreamStatus, now: datetime) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "source": stream.source,
        "backlog": stream.backlog and _backlog_json(stream.backlog, now),
        "problem": stream.problem,
        "skipped": stream.skipped.to_json(),
        "skipped_examples": stream.skipped.examples_json(),
        "pages": stream.pages,
        "failed_pages": stream.failed_pages,
        "failures": [
            {"kind": failure.kind, "files": failure.files, "pages": failure.pages} for failure in stream.failures
        ],
        "batches": [
            {
                "batch_id": batch.batch_id,
                "committed_at": batch.committed_at.isoformat(),
                "files": batch.files,
                "pages": batch.pages,
                "failed_pages": batch.failed_pages,
                "page_seconds": round(batch.page_seconds, 3),
            }
            for batch in stream.batches
        ],
    }


def _backlog_json(backlog: Backlog, now: datetime) -> dict[str, Any]:
    oldest = backlog.oldest_modified
    return {
        "files": backlog.files,
        "bytes": backlog.size,
        "oldest_path": backlog.oldest_path,
        "oldest_modification_time": oldest and oldest.isoformat(),
        "oldest_age_seconds": oldest and round((now - oldest).total_seconds(), 3),
    }


def _print_table(console: Terminal, table: TableStatus | None) -> None:
    if table is None:
        console.print("nothing has been committed yet")
        return
    _print_line(console, f"table {table.url}")
    _print_line(console, f"  version {table.version}; the oldest readable version is {table.oldest_version}")
    _print_line(console, f"  {counted(table.rows, 'row')}, {human_bytes(table.size)} in {counted(table.files, 'file')}")


def _print_stream(console: Terminal, stream: StreamStatus, now: datetime) -> None:
    source = f" from {stream.source}" if stream.source else ""
    console.print(f"\n[bold]stream {plain(stream.name)}[/]{plain(source)}", soft_wrap=True)
    waiting = f"unknown: {stream.problem}" if stream.backlog is None else _backlog_line(stream.backlog, now)
    _print_line(console, f"  waiting: {waiting}")
    line = not_read(stream.skipped, sum(f.files for f in stream.failures if f.kind == FailureKind.UNSUPPORTED))
    if line:
        _print_line(console, f"  {line}")
    _print_line(console, f"  in the table: {counted(stream.pages, 'page')}, {stream.failed_pages} of them failed")
    for failure in stream.failures:
        _print_line(console, f"    {failure.pages} {failure.kind} in {counted(failure.files, 'file')}")
    if stream.batches:
        console.print(_batches_table(stream, now))


def _queue_json(queue: QueueStatus) -> dict[str, Any]:
    dead = {"dead_letters": queue.dead_letters and _counts_json(queue.dead_letters)}
    return {**_counts_json(queue), **dead}


def _counts_json(queue: QueueStatus) -> dict[str, Any]:
    return {"url": queue.url, "waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed}


def _print_queue(console: Terminal, queue: QueueStatus) -> None:
    console.print(f"\n[bold]queue[/] {plain(queue.url)}", soft_wrap=True)
    _print_line(
        console,
        f"  messages, approximately: {queue.waiting} waiting, {queue.in_flight} in flight, {queue.delayed} delayed",
    )
    dead = queue.dead_letters
    letters = f"  dead-letter queue: {counted(dead.waiting, 'message')} in {dead.url}" if dead else None
    _print_line(console, letters or "  no dead-letter queue")


def _print_line(console: Terminal, text: str) -> None:
    console.print(visible(text, keep="\n"), markup=False, soft_wrap=True)


def _backlog_line(backlog: Backlog, now: datetime) -> str:
    if not backlog.files or backlog.oldest_modified is None:
        return "nothing"
    age = human_age((now - backlog.oldest_modified).total_seconds())
    name = short_name(backlog.oldest_path or "")
    return f"{counted(backlog.files, 'file')}, {human_bytes(backlog.size)}; the oldest, {name}, is {age} old"


def _batches_table(stream: StreamStatus, now: datetime) -> Table:
    counts = ("files", "pages", "failed", "page seconds")
    table = plain_table("  batch", "committed", "", *counts, right=("  batch", *counts))
    for batch in stream.batches:
        table.add_row(
            str(batch.batch_id),
            f"{batch.committed_at:%Y-%m-%d %H:%M:%S}",
            f"{human_age((now - batch.committed_at).total_seconds())} ago",
            str(batch.files),
            str(batch.pages),
            str(batch.failed_pages),
            f"{batch.page_seconds:.1f}",
        )
    return table
