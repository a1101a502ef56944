"""Options of every stage, each said once: type, default, unit and meaning.

`PipelineOptions` is the `pipeline:` part of a configuration file. Only what is here changes the output, so
its fingerprint is (with the engine versions) a row's `pipeline_id`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocr_core.page import Level


class Options(BaseModel):
    """Base of every options model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextLayerMode(StrEnum):
    """What to do with the text a PDF already carries."""

    IGNORE = "ignore"
    PREFER = "prefer"
    ONLY = "only"


class TextLayerOptions(Options):
    """The text a born-digital PDF carries, used instead of recognising it again."""

    mode: TextLayerMode = Field(
        TextLayerMode.PREFER,
        description="ignore: always recognise pixels; prefer: use a usable text layer, else recognise; "
        "only: never recognise, a page without a text layer has empty text",
    )
    min_chars: int = Field(
        10,
        ge=0,
        description="fewer visible characters are no text layer (the original's minSizeBeforeFallback)",
    )


class RenderOptions(Options):
    """PDF pages and images to pixels."""

    resolution: int = Field(300, ge=36, le=1200, description="dpi at which PDF pages are rendered")
    max_pixels: int = Field(
        50_000_000,
        ge=10_000,
        description="pixels a page may have; a PDF page over it is rendered at a lower dpi",
    )
    min_resolution: int = Field(
        72, ge=10, description="dpi below which a page that does not fit max_pixels fails with kind `limit`"
    )
    color: Literal["gray", "rgb"] = Field("gray", description="colour of the rendered page")


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


PageSegMode = Annotated[int, Field(ge=1, le=13)]


class DetectOptions(Options):
    """Finding regions: Tesseract's own layout analysis."""

    engine: Literal["tesseract"] = Field("tesseract", description="what finds the regions")
    page_seg_mode: PageSegMode = Field(3, description="Tesseract page segmentation mode for the whole page")
    level: Level = Field(Level.BLOCK, description="what a region is")


class RecognizeOptions(Options):
    """Reading text with Tesseract."""

    engine: Literal["tesseract"] = Field("tesseract", description="what reads the text")
    binding: Literal["auto", "tesserocr", "pytesseract"] = Field(
        "auto",
        description="tesserocr keeps one handle open; pytesseract starts a process a page; auto: the first there is",
    )
    languages: tuple[str, ...] = Field(
        ("eng",), min_length=1, description="Tesseract language codes, most likely first"
    )
    tessdata: str | None = Field(None, description="folder of *.traineddata; default: where the system keeps it")
    page_seg_mode: PageSegMode = Field(3, description="Tesseract page segmentation mode; 6 = one uniform block")
    engine_mode: Literal["lstm", "legacy", "legacy_lstm", "default"] = Field(
        "lstm", description="Tesseract OCR engine mode (legacy needs traineddata that holds it)"
    )
    per_region: bool = Field(False, description="read each detected region by itself (needs a detect stage)")
    iterator_level: Level = Field(
        Level.WORD,
        description="finest level kept in `regions`, and the level confidence_threshold applies to",
    )
    confidence_threshold: float = Field(
        0.0,
        ge=0,
        le=100,
        description="text of elements (see iterator_level) below this confidence is left out",
    )
    variables: dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]] = Field(
        {}, description="Tesseract variables, such as tessedit_char_whitelist"
    )
    time_limit: float = Field(
        60.0, gt=0, description="seconds Tesseract may spend on one page before it fails with kind `timeout`"
    )


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


class PipelineOptions(Options):
    """One page's journey: render, preprocess, detect, recognize, draw."""

    text_layer: TextLayerOptions = Field(TextLayerOptions(), description="text that a PDF already carries")
    render: RenderOptions = Field(RenderOptions(), description="pages to pixels")
    preprocess: PreprocessOptions = Field(PreprocessOptions(), description="pixels to better pixels")
    detect: DetectOptions | None = Field(None, description="find regions first; null: recognition finds its own")
    recognize: RecognizeOptions = Field(RecognizeOptions(), description="pixels to text")
    draw: DrawOptions | None = Field(None, description="draw an overlay of every page; null: none")

    def canonical(self) -> str:
        """Returns the options as JSON with sorted keys: equal options, equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
