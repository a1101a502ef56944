"""What `inkstream status` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from inkstream.flows.console.show import table_console
from inkstream.flows.text import human_age, human_bytes, plain, print_json, short_name, visible
from inkstream.tasks.config import build_event_options
from inkstream.tasks.queries.status import Backlog, SinkStatus, StreamStatus, TableStatus, sink_status
from inkstream.tasks.sinks.opening import open_existing
from inkstream.tasks.source.event_source import QueueStatus
from inkstream.tasks.source.opening import count_messages


def print_status(sink: str, stream: str | None, batches: int, queue: str | None = None, *, as_json: bool) -> bool:
    """Prints how a sink stands; returns whether all of it could be found out.

    Args:
        sink: The sink.
        stream: Only this stream; all when None.
        batches: How many of the last batches are shown of each stream.
        queue: URL of the queue whose messages are counted, too.
        as_json: One JSON object.
    """
    messages = count_messages(build_event_options({"queue": queue})) if queue else None
    status = sink_status(sink, open_existing(sink), stream, batches)
    now = datetime.now(UTC)
    if as_json:
        counted = {"queue": _queue_json(messages)} if messages else {}
        print_json({**status_json(status, now), **counted})
    else:
        console = table_console()
        if status.table is None and any(one.pages for one in status.streams):
            _say(console, f"{status.sink}: the sink keeps no versions")
        else:
            _print_table(console, status.table)
        for one in status.streams:
            _print_stream(console, one, now)
        if messages:
            _print_queue(console, messages)
    return all(one.problem is None for one in status.streams)


def status_json(status: SinkStatus, now: datetime) -> dict[str, Any]:
    """Returns the status as `--json` prints it.

    Args:
        status: What was found.
        now: What ages count from.
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
        "streams": [_stream_json(one, now) for one in status.streams],
    }


def _stream_json(stream: StreamStatus, now: datetime) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "source": stream.source,
        "backlog": stream.backlog and _backlog_json(stream.backlog, now),
        "problem": stream.problem,
        "pages": stream.pages,
        "failed_pages": stream.failed_pages,
        "failures": [{"kind": one.kind, "files": one.files, "pages": one.pages} for one in stream.failures],
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


def _print_table(console: Console, table: TableStatus | None) -> None:
    if table is None:
        console.print("nothing was committed yet")
        return
    _say(console, f"table {table.url}")
    _say(console, f"  version {table.version}; can be read back to version {table.oldest_version}")
    _say(console, f"  {table.rows} rows, {human_bytes(table.size)} in {table.files} files")


def _print_stream(console: Console, stream: StreamStatus, now: datetime) -> None:
    source = f" from {stream.source}" if stream.source else ""
    console.print(f"\n[bold]stream {plain(stream.name)}[/]{plain(source)}", soft_wrap=True)
    waiting = f"cannot be told: {stream.problem}" if stream.backlog is None else _backlog_line(stream.backlog, now)
    _say(console, f"  waiting: {waiting}")
    _say(console, f"  in the table: {stream.pages} pages, {stream.failed_pages} of them failed")
    for failure in stream.failures:
        _say(console, f"    {failure.pages} {failure.kind} in {failure.files} files")
    if stream.batches:
        console.print(_batches_table(stream, now))


def _queue_json(queue: QueueStatus) -> dict[str, Any]:
    dead = {"dead_letters": queue.dead_letters and _counts_json(queue.dead_letters)}
    return {**_counts_json(queue), **dead}


def _counts_json(queue: QueueStatus) -> dict[str, Any]:
    return {"url": queue.url, "waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed}


def _print_queue(console: Console, queue: QueueStatus) -> None:
    console.print(f"\n[bold]queue[/] {plain(queue.url)}", soft_wrap=True)
    _say(
        console, f"  about {queue.waiting} messages wait, {queue.in_flight} are worked on, {queue.delayed} are delayed"
    )
    dead = queue.dead_letters
    _say(console, f"  dead-letter queue: {dead.waiting} messages in {dead.url}" if dead else "  no dead-letter queue")


def _say(console: Console, text: str) -> None:
    console.print(visible(text, keep="\n"), markup=False, soft_wrap=True)


def _backlog_line(backlog: Backlog, now: datetime) -> str:
    if not backlog.files or backlog.oldest_modified is None:
        return "nothing"
    age = human_age((now - backlog.oldest_modified).total_seconds())
    name = short_name(backlog.oldest_path or "")
    return f"{backlog.files} files, {human_bytes(backlog.size)}; the oldest, {name}, is {age} old"


def _batches_table(stream: StreamStatus, now: datetime) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("  batch", "committed", "", "files", "pages", "failed", "page seconds"):
        shown.add_column(name, justify="left" if name in ("committed", "") else "right", no_wrap=True)
    for batch in stream.batches:
        shown.add_row(
            str(batch.batch_id),
            f"{batch.committed_at:%Y-%m-%d %H:%M:%S}",
            f"{human_age((now - batch.committed_at).total_seconds())} ago",
            str(batch.files),
            str(batch.pages),
            str(batch.failed_pages),
            f"{batch.page_seconds:.1f}",
        )
    return shown
