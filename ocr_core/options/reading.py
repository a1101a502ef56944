"""Options of opening a document: its text layer, its pages as pixels."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from inkstream.ocr_core.options.base import Options


class TextLayerMode(StrEnum):
    """What to do with the text a PDF already carries."""

    VERIFY = "verify"
    PREFER = "prefer"
    IGNORE = "ignore"
    ONLY = "only"


class TextLayerOptions(Options):
    """Use of the text that a born-digital PDF already carries."""

    mode: TextLayerMode = Field(
        TextLayerMode.VERIFY,
        description="verify: use what agrees with the picture, and recognize the rest; prefer: use a text layer of "
        "min_chars characters without a look at the picture, else recognize; ignore: always recognize; only: never "
        "recognize, a page without a text layer has empty text",
    )
    invisible: Literal["drop", "keep"] = Field(
        "drop",
        description="with verify, words of the text layer that cannot be seen on the page: drop counts them in the "
        "notes, keep leaves them in the text",
    )
    min_chars: int = Field(
        10,
        ge=0,
        description="with prefer and only, a text layer with fewer visible characters is ignored (Spark OCR's "
        "minSizeBeforeFallback)",
    )


class RenderOptions(Options):
    """How PDF pages and images become pixels."""

    resolution: int = Field(300, ge=36, le=1200, description="dpi at which PDF pages are rendered")
    max_pixels: int = Field(
        50_000_000,
        ge=10_000,
        description="pixels a page may have; a larger PDF page is rendered at a lower dpi",
    )
    min_resolution: int = Field(
        72, ge=10, description="dpi below which a page that does not fit max_pixels fails with kind `limit`"
    )
    color: Literal["gray", "rgb"] = Field("gray", description="colour of the rendered page")
