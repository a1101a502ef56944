"""A second table format, which proves that a sink with versions is one folder and one registration.

A catalogue in SQLite lists the pieces of rows of each version; the pieces are Arrow, and DuckDB queries them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inkstream.tasks.config.sink_formats import SINK_FORMATS, SinkFormat
from inkstream.tasks.sinks.opening import SINKS, register_sink
from tests.integration.tasks.sinks.sqlite_sink.catalogue import FILE
from tests.integration.tasks.sinks.sqlite_sink.sink import SqliteSink

NAME = "sqlite"
FORMAT = SinkFormat(protocols=("file",), places="a local folder", sign=FILE, replaces_rows=True)


@contextmanager
def registered() -> Iterator[None]:
    """Register `sink.format: sqlite` during the block."""
    register_sink(NAME, FORMAT, SqliteSink)
    try:
        yield
    finally:
        del SINK_FORMATS[NAME], SINKS[NAME]
