"""What `inkstream show` prints."""

from __future__ import annotations

from inkstream.flows.console.tables import print_rows, table_console
from inkstream.flows.text import print_json


def print_show(sink_url: str, version: int | None, limit: int, *, as_json: bool) -> None:
    """Print the newest rows of a sink's pages."""
    from inkstream.tasks.sinks.opening import open_existing
    from inkstream.tasks.sinks.sql import newest_rows
    from inkstream.tasks.sinks.versioned import VersionedSink, require_versions

    sink = open_existing(sink_url)
    if version is not None or isinstance(sink, VersionedSink):
        snapshot = require_versions(sink).snapshot(version)
        rows, origin = newest_rows(snapshot, limit=limit), f"version {snapshot.version} of {snapshot.url}"
    else:
        rows, origin = sink.rows(limit=limit), sink.description
    if as_json:
        for row in rows.to_pylist():
            print_json(row)
        return
    console = table_console()
    print_rows(console, rows)
    console.print(origin, markup=False, soft_wrap=True)
