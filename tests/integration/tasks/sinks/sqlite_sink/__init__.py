"""A second table format, to prove that a sink that keeps versions is one folder and one registration.

A catalogue in SQLite says which pieces of rows belong to which version; the pieces are Arrow, and DuckDB answers
queries over them.
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
    """Let `sink.format: sqlite` be known inside."""
    register_sink(NAME, FORMAT, SqliteSink)
    try:
        yield
    finally:
        del SINK_FORMATS[NAME], SINKS[NAME]
