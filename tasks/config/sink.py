"""Options of where the table lives, and of its upkeep."""

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


def _known_format(name: str) -> str:
    if name not in SINK_FORMATS:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(map(repr, SINK_FORMATS))})
    return name


def _list_formats(schema: dict[str, Any]) -> None:
    schema["enum"] = [*SINK_FORMATS]


class SinkOptions(Options):
    """Where the table lives."""

    url: StoreUrl = Field(
        description="folder or bucket prefix that holds pages/, files/ and overlays/; or memory://NAME",
        examples=["s3://bucket/tables"],
    )
    format: Annotated[str, AfterValidator(_known_format)] = Field(
        "delta",
        json_schema_extra=_list_formats,
        description="delta: tables with versions; parquet: one file a batch, append only; memory: rows that live as "
        "long as the Python process, what a memory:// URL means",
    )
    mode: Literal["append", "upsert"] = Field(
        "append",
        description="append: an overwritten file gets rows beside its old ones; upsert: in their place (delta only)",
    )
    compact_every: int | None = Field(
        100, ge=2, description="commits after which the stream merges small files of its tables; null: never"
    )
    target_file_mb: int = Field(128, ge=1, description="MiB of a data file that is not merged any more")

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
        """What a sink of this format can do."""
        return SINK_FORMATS[self.format]


class MaintainOptions(Options):
    """How a sink is tidied."""

    retention: Duration = Field(
        timedelta(days=30),
        description="how long what no current row needs is kept: earlier versions stay readable for so long; "
        "24h at least",
    )
    target_file_mb: int = Field(
        SinkOptions.model_fields["target_file_mb"].default,
        ge=1,
        description="MiB of a data file that is not merged any more",
    )
    dry_run: bool = Field(False, description="change nothing, say what would be done")

    @field_validator("retention")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < SHORTEST_RETENTION:
            raise ValueError("shorter than 24h: a commit under way, or a reader, may still need what would be removed")
        return value
