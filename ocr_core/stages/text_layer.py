"""Using the text layer that a page already has, instead of reading it."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.documents import pdf_text as text_layer
from inkstream.ocr_core.options import RecognizeOptions, RenderOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.stages.stage import SOURCE, WorkingPage
from inkstream.ocr_core.text.layout import compose_page


@dataclass(frozen=True)
class TextLayer:
    """A stage that takes the page's text layer if it is usable; the stages up to recognition then do nothing."""

    options: TextLayerOptions
    render: RenderOptions
    recognize: RecognizeOptions
    name: str = "text_layer"
    needs: frozenset[str] = frozenset({SOURCE})

    @property
    def provides(self) -> frozenset[str]:
        """Text and regions if nothing else may read the page; otherwise nothing is certain."""
        return frozenset({"text", "regions"} if self.options.mode is TextLayerMode.ONLY else ())

    def run(self, page: WorkingPage) -> None:
        """Set `text` and `regions` from the text layer; with `only`, set empty ones if it is not usable."""
        assert page.source is not None
        canvas = page.source.canvas(self.render)
        words = page.source.words(canvas) or []
        believed = text_layer.usable(words, self.options.min_chars)
        if not believed and self.options.mode is not TextLayerMode.ONLY:
            return
        made = compose_page(
            [each.word for each in words] if believed else [], text_layer.ENGINE, self.recognize, canvas.resolution
        )
        page.width, page.height, page.resolution = canvas.width, canvas.height, canvas.resolution
        page.text, page.confidence, page.regions = made.text, made.confidence, made.regions
        page.engine = text_layer.ENGINE
