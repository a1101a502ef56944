"""Options of what happens to a page's pixels before anything is read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocr_core.options.base import Options


class BinarizeOptions(Options):
    """Gray to black and white."""

    method: Literal["threshold", "otsu", "sauvola", "wolf", "nick"] = Field(
        "threshold",
        description="threshold: one fixed level; otsu: one level from the histogram; others: local",
    )
    threshold: int = Field(170, ge=0, le=255, description="gray level at or above which a pixel is white (threshold)")
    window: int = Field(75, ge=3, description="side of the local window in pixels (sauvola, wolf, nick)")
    k: float = Field(0.2, description="sensitivity of the local methods (sauvola, wolf, nick)")


class PreprocessOptions(Options):
    """What happens to a page's pixels before anything is read."""

    binarize: BinarizeOptions | None = Field(None, description="black and white before detection and recognition")
