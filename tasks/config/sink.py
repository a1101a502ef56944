"""Options of where the table is stored, and how it is maintained."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticKnownError

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.durations import Duration
from inkstream.tasks.config.sink_formats import SINK_FORMATS, SinkFormat, refuse_impossible
from inkstream.tasks.config.urls import StoreUrl

SHORTEST_RETENTION = timedelta(hours=24)
"""Longer than any commit takes between the first thing it writes (an overlay) and the table's log."""


_MEMORY = "memory://"

TargetFileMb = Annotated[int, Field(ge=1, description="size in MiB from which compaction leaves a data file as it is")]


def _known_format(name: str) -> str:
    if name not in SINK_FORMATS:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(map(repr, SINK_FORMATS))})
    return name


def _list_formats(schema: dict[str, Any]) -> None:
    schema["enum"] = [*SINK_FORMATS]


class SinkOptions(Options):
    """Where the table is stored."""

    url: StoreUrl = Field(
        description="folder or bucket prefix that holds pages/, files/ and overlays/; or memory://NAME",
        examples=["s3://bucket/tables"],
    )
    format: Annotated[str, AfterValidator(_known_format)] = Field(
        "delta",
        json_schema_extra=_list_formats,
        description="delta: tables with versions; parquet: one file per batch, append only; memory: rows that are lost "
        "when the Python process ends (implied by a memory:// URL)",
    )
    mode: Literal["append", "upsert"] = Field(
        "append",
        description="what happens when a file is overwritten: append adds rows and keeps the old ones; upsert replaces "
        "the old ones (delta only)",
    )
    durable: bool = Field(
        True,
        description="on a local disk, a batch counts as committed only when it would survive a power cut; false saves "
        "some milliseconds a batch, and a power cut may undo the last batches",
    )
    compact_every: int | None = Field(
        100, ge=2, description="number of commits after which the stream merges small files of its tables; null: never"
    )
    target_file_mb: TargetFileMb = 128

    @model_validator(mode="before")
    @classmethod
    def _format_of_url(cls, given: Any) -> Any:
        if isinstance(given, dict) and "format" not in given and str(given.get("url", "")).startswith(_MEMORY):
            return {**given, "format": "memory"}
        return given

    @model_validator(mode="after")
    def _possible(self) -> Self:
        refuse_impossible(self.format, self.url, self.mode)
        return self

    @property
    def traits(self) -> SinkFormat:
        """The abilities of this sink's format."""
        return SINK_FORMATS[self.format]


class MaintainOptions(Options):
    """How a sink is maintained."""

    retention: Duration = Field(
        timedelta(days=30),
        description="how long to keep data that no current row needs; earlier table versions can be read that long; "
        "at least 24h",
    )
    target_file_mb: TargetFileMb = SinkOptions.model_fields["target_file_mb"].default
    check: bool = Field(
        False, description="read every data file first, and repair what is damaged; with dry_run, only report it"
    )
    dry_run: bool = Field(False, description="change nothing; print what would be done")

    @field_validator("retention")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < SHORTEST_RETENTION:
            raise ValueError("shorter than 24h: a commit under way, or a reader, may still need what would be removed")
        return value
