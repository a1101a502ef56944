"""Options of the overlay."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocr_core.options.base import Options
from ocr_core.page import Level


class DrawOptions(Options):
    """A picture of the page with its regions drawn: the overlay."""

    level: Level = Field(Level.LINE, description="which regions are drawn")
    color: str = Field("green", description="outline colour, a CSS name or #rrggbb")
    line_width: int = Field(3, ge=1, le=100, description="outline width in pixels of the drawn picture")
    format: Literal["jpeg", "png"] = Field("jpeg", description="encoding of the picture")
    quality: int = Field(80, ge=1, le=95, description="JPEG quality")
    max_side: int = Field(
        2000, ge=100, description="longer side of the picture in pixels; larger pages are scaled down"
    )
