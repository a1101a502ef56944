"""The formats that a sink can have, and what each of them can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import protocol_of


@dataclass(frozen=True, slots=True)
class SinkFormat:
    """What a configuration must know of one format.

    Attributes:
        protocols: URL protocols of the stores that can hold such a sink; `file` is a local folder.
        places: The same for people, to go on after "give".
        sign: Glob pattern, relative to the sink, of something that only a sink of this format has; None for a format
            that leaves nothing in a store.
        replaces_rows: Whether it keeps versions and can replace rows.
        outlives_process: Whether the rows stay when the process ends.
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
        places="a local folder, or a bucket by s3://, gs:// or abfss://",
        sign="pages/_delta_log",
        replaces_rows=True,
    ),
    "parquet": SinkFormat(
        protocols=("file", "s3"),
        places="a local folder, or a bucket by s3://",
        sign="pages/*/*.parquet",
        replaces_rows=False,
    ),
    "memory": SinkFormat(
        protocols=("memory",), places="memory://NAME", sign=None, replaces_rows=False, outlives_process=False
    ),
}
"""All formats by name. `inkstream.tasks.sinks.opening.register_sink` adds to it."""


def require_lasting_place(sink_url: str) -> None:
    """Refuse a URL where no run can have left a sink.

    Raises:
        ConfigError: If no format can be there, or only one that ends with its process.
    """
    possible = [sink_format for sink_format in SINK_FORMATS.values() if sink_format.can_be_at(sink_url)]
    if any(sink_format.outlives_process for sink_format in possible):
        return
    if possible:
        raise needs_versions(f"{sink_url} is in the memory of the Python process that ran the stream, and ends with it")
    raise ConfigError(_cannot_be_at("delta", sink_url))


def needs_versions(why: str) -> ConfigError:
    """Return the error for what only a sink can do that keeps versions and can replace rows.

    Args:
        why: What the sink is instead.
    """
    able = _listed(name for name, sink_format in SINK_FORMATS.items() if sink_format.replaces_rows)
    return ConfigError(
        f"{why}: this needs sink.format {able}. Give another folder or bucket as --sink; `inkstream run` makes a Delta "
        "table there unless told otherwise"
    )


def refuse_impossible(name: str, url: str, mode: str) -> None:
    """Refuse a format that does not go with the other options of a sink.

    Args:
        name: The format.
        url: Where the sink is to be.
        mode: `append` or `upsert`.

    Raises:
        ValueError: If the format cannot be there or does not have that mode.
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
