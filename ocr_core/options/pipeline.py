"""The options of everything that happens to a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from inkstream.ocr_core.options.base import Options
from inkstream.ocr_core.options.draw import DrawOptions
from inkstream.ocr_core.options.page_selection import normalized, pages_of
from inkstream.ocr_core.options.preprocess import PreprocessOptions
from inkstream.ocr_core.options.reading import RenderOptions, TextLayerOptions
from inkstream.ocr_core.options.recognize import DetectOptions, RecognizeOptions

PageSelection = Annotated[
    str, Field(coerce_numbers_to_str=True), StringConstraints(max_length=1000), AfterValidator(normalized)
]


class PipelineOptions(Options):
    """What happens to each page: render, preprocess, detect, recognize, draw."""

    pages: PageSelection | None = Field(
        None,
        description="pages of each file to read, counted from 1: 1-3,7,last or 5- (to the last); null: all of them",
    )
    text_layer: TextLayerOptions = Field(TextLayerOptions(), description="text that a PDF already carries")
    render: RenderOptions = Field(RenderOptions(), description="pages to pixels")
    preprocess: PreprocessOptions = Field(PreprocessOptions(), description="pixels to better pixels")
    detect: DetectOptions | None = Field(None, description="find regions first; null: recognition finds its own")
    recognize: RecognizeOptions = Field(RecognizeOptions(), description="pixels to text")
    draw: DrawOptions | None = Field(None, description="draw an overlay of every page; null: no overlays")

    def selected(self, total: int) -> Sequence[int]:
        """Return the selected pages of a file with `total` pages: 0-based, in order, possibly none."""
        return pages_of(self.pages, total)

    def canonical(self) -> str:
        """Return the options as JSON with sorted keys; equal options give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
