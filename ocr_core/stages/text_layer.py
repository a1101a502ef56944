"""The bypass: text that the page already carries."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.documents import pdf_text as text_layer
from inkstream.ocr_core.options import RecognizeOptions, RenderOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.stages.stage import SOURCE, WorkingPage
from inkstream.ocr_core.text.layout import compose_page


@dataclass(frozen=True)
class TextLayer:
    """Takes the page's own text where it is usable; the stages up to recognition then have nothing to do."""

    options: TextLayerOptions
    render: RenderOptions
    recognize: RecognizeOptions
    name: str = "text_layer"
    needs: frozenset[str] = frozenset({SOURCE})

    @property
    def provides(self) -> frozenset[str]:
        """Text and regions for certain only when nothing else may read the page."""
        return frozenset({"text", "regions"} if self.options.mode is TextLayerMode.ONLY else ())

    def run(self, page: WorkingPage) -> None:
        """Sets `text` and `regions` from the text layer; `only` sets empty ones where it is not usable."""
        assert page.source is not None
        canvas = page.source.canvas(self.render)
        words = page.source.words(canvas) or []
        believed = text_layer.usable(words, self.options.min_chars)
        if not believed and self.options.mode is not TextLayerMode.ONLY:
            return
        made = compose_page(words if believed else [], text_layer.ENGINE, self.recognize, canvas.resolution)
        page.width, page.height, page.resolution = canvas.width, canvas.height, canvas.resolution
        page.text, page.confidence, page.regions = made.text, made.confidence, made.regions
        page.engine = text_layer.ENGINE
