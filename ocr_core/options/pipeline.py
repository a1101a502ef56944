"""All the options of one page's journey."""

from __future__ import annotations

import json

from pydantic import Field

from ocr_core.options.base import Options
from ocr_core.options.draw import DrawOptions
from ocr_core.options.preprocess import PreprocessOptions
from ocr_core.options.reading import RenderOptions, TextLayerOptions
from ocr_core.options.recognize import DetectOptions, RecognizeOptions


class PipelineOptions(Options):
    """One page's journey: render, preprocess, detect, recognize, draw."""

    text_layer: TextLayerOptions = Field(TextLayerOptions(), description="text that a PDF already carries")
    render: RenderOptions = Field(RenderOptions(), description="pages to pixels")
    preprocess: PreprocessOptions = Field(PreprocessOptions(), description="pixels to better pixels")
    detect: DetectOptions | None = Field(None, description="find regions first; null: recognition finds its own")
    recognize: RecognizeOptions = Field(RecognizeOptions(), description="pixels to text")
    draw: DrawOptions | None = Field(None, description="draw an overlay of every page; null: none")

    @property
    def detection(self) -> DetectOptions | None:
        """Who finds regions: `detect`; where that is null, what an engine that reads lines cannot do without."""
        if self.detect is None and self.recognize.engine == "ppocr":
            return DetectOptions(engine="ppocr")
        return self.detect

    def canonical(self) -> str:
        """Returns the options as JSON with sorted keys: equal options, equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
