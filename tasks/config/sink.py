"""Options of where the table lives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocr_core.options import Options


class SinkOptions(Options):
    """Where the table lives."""

    url: str = Field(
        description="folder or bucket prefix that holds pages/, files/ and overlays/", examples=["s3://bucket/tables"]
    )
    format: Literal["delta"] = Field("delta", description="table format")
