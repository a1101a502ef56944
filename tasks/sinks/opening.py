"""Opening a sink: the one that a configuration names, or the one that exists at a URL."""

from __future__ import annotations

from collections.abc import Callable
from glob import escape, has_magic

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import SinkOptions, build_sink_options
from inkstream.tasks.config.sink_formats import SINK_FORMATS, SinkFormat, require_lasting_place
from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.stores import explain_store_error, filesystem


def _delta(options: SinkOptions) -> Sink:
    from inkstream.tasks.sinks.delta.sink import DeltaSink

    return DeltaSink(options)


def _parquet(options: SinkOptions) -> Sink:
    from inkstream.tasks.sinks.parquet import ParquetSink

    return ParquetSink(options.url, durable=options.durable)


def _memory(options: SinkOptions) -> Sink:
    from inkstream.tasks.sinks.memory import MemorySink

    return MemorySink(options.url)


SINKS: dict[str, Callable[[SinkOptions], Sink]] = {"delta": _delta, "parquet": _parquet, "memory": _memory}
"""The function that opens a sink of each format."""


def register_sink(name: str, sink_format: SinkFormat, opener: Callable[[SinkOptions], Sink]) -> None:
    """Add a format. No other part of Inkstream needs to know it.

    Args:
        name: Its name in `sink.format`.
        sink_format: Its abilities.
        opener: Returns a sink of this format. It must not read or write anything yet.
    """
    SINK_FORMATS[name] = sink_format
    SINKS[name] = opener


def open_sink(options: SinkOptions) -> Sink:
    """Return the sink of a configuration. Nothing is read or written yet.

    Raises:
        ConfigError: If the format is unknown, or a sink of it cannot be at that URL.
    """
    opener = SINKS.get(options.format)
    if opener is None:
        raise ConfigError(f"sink.format {options.format!r} is not one of {', '.join(SINKS)}")
    return opener(options)


def open_existing(sink_url: str) -> Sink:
    """Return the sink that exists at a URL.

    If nothing was committed yet, it is the sink that a run would create there by default.

    Raises:
        ConfigError: If no run can have left a sink there.
        EnvironmentFault: If the URL cannot be read from here.
        TransientError: If the store does not answer.
    """
    require_lasting_place(sink_url)
    found = format_at(sink_url)
    return open_sink(build_sink_options({"url": sink_url} if found is None else {"url": sink_url, "format": found}))


def refuse_other_format(options: SinkOptions) -> None:
    """Check, before a stream's first commit, that a sink's URL does not hold pages in another format.

    Raises:
        ConfigError: If it does.
        EnvironmentFault: If the URL cannot be read from here.
        TransientError: If the store does not answer.
    """
    found = format_at(options.url, first=options.format)
    if found not in (None, options.format):
        raise ConfigError(
            f"{options.url} holds pages as {found}, and sink.format is {options.format}: they would not be one table. "
            f"Set sink.format to {found}, or give another sink.url"
        )


def format_at(sink_url: str, first: str | None = None) -> str | None:
    """Return the format of the pages at a sink's URL; None if there are none.

    Args:
        sink_url: The sink's folder or prefix.
        first: The format to look for first.

    Raises:
        EnvironmentFault: If the URL cannot be read from here.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(sink_url)
    signs = {name: kept.sign for name, kept in SINK_FORMATS.items() if kept.sign and kept.can_be_at(sink_url)}
    for name in sorted(signs, key=lambda name: name != first):
        if _is_there(protocol, f"{escape(root)}/{signs[name]}"):
            return name
    return None


def _is_there(protocol: str, pattern: str) -> bool:
    store = filesystem(protocol)
    try:
        return bool(store.glob(pattern) if has_magic(pattern) else store.exists(pattern))
    except FileNotFoundError:
        return False
    except Exception as error:
        raise explain_store_error(error, f"cannot look for {pattern}") from error
