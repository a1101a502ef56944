"""Options of where documents arrive, and how large a batch is."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.durations import Duration
from inkstream.tasks.config.urls import StoreUrl


def _off(value: Any) -> Any:
    if value is False:  # YAML reads the word off as false
        return "off"
    return value.lower() if isinstance(value, str) else value


CleanSource = Annotated[Literal["off", "archive", "delete"], BeforeValidator(_off)]


class SourceOptions(Options):
    """Where documents arrive."""

    url: StoreUrl = Field(
        description="folder where documents arrive: a local path, or a bucket (s3, gs, abfss); any other fsspec driver "
        "that is installed works too; without a user or password",
        examples=["s3://bucket/inbox/", "./inbox"],
    )
    glob: str = Field(
        "*",
        description="pattern of the file names to read (Spark's pathGlobFilter), case-sensitive; *, ?, [...] and "
        "{pdf,PDF} work",
        examples=["*.{pdf,PDF}"],
    )
    recursive: bool = Field(True, description="read subfolders too")
    latest_first: bool = Field(False, description="read the newest files first instead of the oldest")
    max_file_age: Duration | None = Field(
        None,
        description="leave out files that are older than the newest file by more than this, such as 7d; null: read all",
    )
    stability_delay: Duration = Field(
        timedelta(0),
        description="leave a file for a later trigger until it has been unchanged for this long, such as 30s; a local "
        "file whose time is in the future counts from its last change by the clock of the file system",
    )

    clean_source: CleanSource = Field(
        "off",
        description="what to do with a file once all its pages are read and committed: off (leave it), archive (move "
        "it to source_archive_dir) or delete; only for local folders and S3",
    )
    source_archive_dir: StoreUrl | None = Field(
        None,
        description="folder that clean_source: archive moves files to, keeping their paths in the source; it must be "
        "in the same kind of store and outside the source",
        examples=["s3://bucket/done"],
    )

    @model_validator(mode="after")
    def _archive_has_a_place(self) -> Self:
        if self.clean_source == "archive" and self.source_archive_dir is None:
            raise ValueError("clean_source: archive needs source_archive_dir, the folder to move files to")
        return self


class TriggerOptions(Options):
    """How large a batch is."""

    max_files_per_trigger: int = Field(100, ge=1, description="maximum number of files in one batch")
    max_bytes_per_trigger: int | None = Field(
        None, ge=1, description="maximum number of bytes in one batch, but always at least one file; null: no limit"
    )
