"""Options of where documents arrive and how much makes one batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.durations import Duration
from inkstream.tasks.config.urls import StoreUrl


def _off(value: Any) -> Any:
    if value is False:  # as YAML reads the word off
        return "off"
    return value.lower() if isinstance(value, str) else value


CleanSource = Annotated[Literal["off", "archive", "delete"], BeforeValidator(_off)]


class SourceOptions(Options):
    """Where documents arrive."""

    url: StoreUrl = Field(
        description="folder where documents arrive: a local path, or a URL of any store that fsspec has a driver for, "
        "by bucket (s3, gs, abfss) or by host (ftp, sftp, http, smb, webhdfs); without a user or password",
        examples=["s3://bucket/inbox/", "ftp://host/inbox"],
    )
    glob: str = Field("*", description="which file names are taken (Spark's pathGlobFilter), case-sensitive")
    recursive: bool = Field(True, description="look into subfolders")
    latest_first: bool = Field(False, description="newest files first instead of oldest first")
    max_file_age: Duration | None = Field(
        None, description="leave out files older than this, such as 7d, seen from the newest file; null: take all"
    )
    stability_delay: Duration = Field(
        timedelta(0), description="leave a file for a later trigger until it has not changed for this long, such as 30s"
    )

    clean_source: CleanSource = Field(
        "off",
        description="what becomes of a file whose pages were all read and committed: off (it stays), archive (moved to "
        "source_archive_dir) or delete; local folders and S3 only",
    )
    source_archive_dir: StoreUrl | None = Field(
        None,
        description="folder that clean_source: archive moves files to, under their paths in the source; in the same "
        "kind of store, and outside the source",
        examples=["s3://bucket/done"],
    )

    @model_validator(mode="after")
    def _archive_has_a_place(self) -> Self:
        if self.clean_source == "archive" and self.source_archive_dir is None:
            raise ValueError("clean_source: archive needs source_archive_dir, the folder to move files to")
        return self


class TriggerOptions(Options):
    """How much makes one batch."""

    max_files_per_trigger: int = Field(100, ge=1, description="files in one batch at most")
    max_bytes_per_trigger: int | None = Field(
        None, ge=1, description="bytes in one batch at most, but always at least one file; null: no such limit"
    )
