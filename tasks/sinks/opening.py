"""Open the sink that a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkstream.tasks.config import SinkOptions
from inkstream.tasks.sinks.sink import Sink


def open_sink(options: SinkOptions) -> Sink:
    """Returns the sink of a configuration. Nothing is read or written yet.

    Raises:
        ConfigError: If this kind of sink cannot be there.
    """
    if options.format == "parquet":
        from inkstream.tasks.sinks.parquet import ParquetSink

        return ParquetSink(options.url)
    if options.format == "memory":
        from inkstream.tasks.sinks.memory import MemorySink

        return MemorySink(options.url)
    from inkstream.tasks.sinks.delta.sink import DeltaSink

    return DeltaSink(options)
