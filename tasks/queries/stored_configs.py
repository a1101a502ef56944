"""Configurations that runs stored in a sink: one for each stream, and one for each pipeline that made rows."""

from __future__ import annotations

from collections.abc import Iterable

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.config.sink_formats import require_lasting_place
from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.left_behind import read_json
from inkstream.tasks.stores import explain_store_error, open_store

_SUFFIX = ".json"


def stored_streams(sink_url: str) -> list[str]:
    """Return the names of the streams that have run into this sink."""
    protocol, root = split_url(sink_url)
    try:
        found = open_store(protocol, root).names(f"{root}/streams")
    except Exception as error:
        raise explain_store_error(error, f"cannot list the streams of {sink_url}") from error
    names = (path.rpartition("/")[2] for path in found)
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX) and not name.startswith("."))


def stored_config(sink_url: str, stream: str | None = None, overrides: Iterable[str] = ()) -> StreamConfig:
    """Return the configuration that a stream last ran with.

    Args:
        sink_url: The sink. It replaces the URL in the stored configuration, because the sink may have been moved.
        stream: The stream; optional if there is only one.
        overrides: `a.b=value` strings that override options.

    Raises:
        ConfigError: If the stream is unknown, if there are several streams and none was named, if the overrides are
            not valid, or if no run can have left a sink at that URL.
    """
    require_lasting_place(sink_url)
    name = stream or _only_stream(sink_url)
    document = read_json(sink_url, f"streams/{name}{_SUFFIX}")
    if document is None:
        there_are = ", ".join(stored_streams(sink_url)) or "none"
        raise ConfigError(f"no stream {name!r} has run into {sink_url}; there are: {there_are}")
    document["sink"]["url"] = sink_url
    return build_config(document, overrides=overrides)


def read_again_with(config: StreamConfig, pipeline_id: str | None, overrides: Iterable[str] = ()) -> StreamConfig:
    """Return the configuration for reading pages as an earlier pipeline did.

    Args:
        config: The stream's configuration. Its pipeline is used if the sink has no pipeline with that id.
        pipeline_id: The pipeline that made the rows; None if the rows do not name one.
        overrides: `a.b=value` strings that override options.
    """
    document = config.model_dump(mode="json")
    stored = read_json(config.sink.url, f"pipelines/{pipeline_id}{_SUFFIX}") if pipeline_id else None
    if stored is not None:
        document["pipeline"] = stored["pipeline"]
    return build_config(document, overrides=overrides)


def _only_stream(sink_url: str) -> str:
    streams = stored_streams(sink_url)
    if len(streams) == 1:
        return streams[0]
    if not streams:
        raise ConfigError(f"no stream has run into {sink_url}; start one with `inkstream run`")
    raise ConfigError(f"{sink_url} has several streams; name one with --stream: {', '.join(streams)}")
