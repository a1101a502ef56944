"""The formats that a sink can have, and what each can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import protocol_of


@dataclass(frozen=True, slots=True)
class SinkFormat:
    """What a configuration must know about one format.

    Attributes:
        protocols: URL protocols of the stores that can hold such a sink; `file` is a local folder.
        places: The same in words, to follow "give" in a message.
        sign: Glob pattern, relative to the sink, that matches only in a sink of this format; None for a format that
            stores nothing.
        replaces_rows: Whether the sink keeps versions and can replace rows.
        outlives_process: Whether the rows remain when the process ends.
    """

    protocols: tuple[str, ...]
    places: str
    sign: str | None
    replaces_rows: bool
    outlives_process: bool = True

    def can_be_at(self, url: str) -> bool:
        """Return whether a sink of this format can be at a URL."""
        return protocol_of(url) in self.protocols


SINK_FORMATS: dict[str, SinkFormat] = {
    "delta": SinkFormat(
        protocols=("file", "s3", "gs", "az", "abfs", "abfss", "adl"),
        places="a local folder, or a bucket with s3://, gs:// or abfss://",
        sign="pages/_delta_log",
        replaces_rows=True,
    ),
    "parquet": SinkFormat(
        protocols=("file", "s3"),
        places="a local folder, or a bucket with s3://",
        sign="pages/*/*.parquet",
        replaces_rows=False,
    ),
    "memory": SinkFormat(
        protocols=("memory",), places="memory://NAME", sign=None, replaces_rows=False, outlives_process=False
    ),
}
"""All formats by name. `inkstream.tasks.sinks.opening.register_sink` adds to them."""


def require_lasting_place(sink_url: str) -> None:
    """Raise an error for a URL where no earlier run can have left a sink.

    Raises:
        ConfigError: If no format can be stored there, or only one that is lost when its process ends.
    """
    possible = [sink_format for sink_format in SINK_FORMATS.values() if sink_format.can_be_at(sink_url)]
    if any(sink_format.outlives_process for sink_format in possible):
        return
    if possible:
        raise needs_versions(
            f"{sink_url} is in the memory of the Python process that ran the stream, and is lost when that process ends"
        )
    raise ConfigError(_cannot_be_at("delta", sink_url))


def needs_versions(why: str) -> ConfigError:
    """Return the error for an action that needs a sink with versions and replaceable rows.

    Args:
        why: Why this sink does not qualify.
    """
    able = _listed(name for name, sink_format in SINK_FORMATS.items() if sink_format.replaces_rows)
    return ConfigError(
        f"{why}: this needs sink.format {able}. Give another folder or bucket as --sink; `inkstream run` makes a Delta "
        "table there by default"
    )


def refuse_impossible(name: str, url: str, mode: str) -> None:
    """Raise an error if a sink's format does not fit its other options.

    Args:
        name: The format.
        url: The sink's URL.
        mode: `append` or `upsert`.

    Raises:
        ValueError: If the format cannot be stored at that URL, or does not have that mode.
    """
    if not SINK_FORMATS[name].can_be_at(url):
        raise ValueError(f"url {_cannot_be_at(name, url)}")
    if mode == "upsert" and not SINK_FORMATS[name].replaces_rows:
        able = _listed(other for other, sink_format in SINK_FORMATS.items() if sink_format.replaces_rows)
        raise ValueError(f"mode upsert needs format {able}: {name} cannot replace rows")


def _cannot_be_at(name: str, url: str) -> str:
    protocol = protocol_of(url)
    place = "in a local folder" if protocol == "file" else f"on {protocol}://"
    return f"{url!r}: a {name} sink cannot be kept {place}; give {SINK_FORMATS[name].places}"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
