"""Options of the overlay."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from inkstream.ocr_core.options.base import Options
from inkstream.ocr_core.page import Level


class Label(StrEnum):
    """The text beside a region."""

    NONE = "none"
    CONFIDENCE = "confidence"
    TEXT = "text"
    TEXT_AND_CONFIDENCE = "text_and_confidence"


class DrawOptions(Options):
    """A picture of the page with its regions drawn: the overlay."""

    level: Level = Field(Level.LINE, description="which regions are drawn")
    color: str = Field("green", description="colour of outlines, fills and labels, a CSS name or #rrggbb")
    color_by_confidence: bool = Field(
        False,
        description="colour regions by confidence: red up to 50, amber at 75, teal from 95; "
        "colour-blind people can tell these apart; regions without a confidence keep `color`",
    )
    line_width: int = Field(3, ge=1, le=100, description="outline width in pixels of the drawn picture")
    filled: bool = Field(False, description="also fill the regions with their colour")
    fill_opacity: float = Field(
        0.2, ge=0, le=1, description="opacity of a fill; 1 hides what is under it, like a redaction"
    )
    label: Label = Field(
        Label.CONFIDENCE,
        description="confidence: beside each region, where there is room; text: a second page beside the first, with "
        "the text at the place where it was read",
    )
    font: str | None = Field(
        None, description="font file of the labels; null: a font of this machine that has the characters"
    )
    font_size: int | None = Field(
        None,
        ge=6,
        le=500,
        description="size of labels and text in pixels of the drawn picture; null: follows the page's text",
    )
    format: Literal["jpeg", "png", "webp"] = Field("jpeg", description="encoding of the picture")
    quality: int = Field(80, ge=1, le=95, description="quality of a JPEG or WebP picture")
    max_side: int = Field(
        2000, ge=100, description="longest side of the picture in pixels; larger pages are scaled down"
    )
