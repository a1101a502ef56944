"""Options of finding regions and reading text."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ocr_core.options.base import Options
from ocr_core.page import Level

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
