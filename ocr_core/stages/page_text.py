"""Setting a page's text from the words that were read, merged with those of its text layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.text.layout import compose_page
from inkstream.ocr_core.text.merging import merge
from inkstream.ocr_core.text.words import Word, branch

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
    from inkstream.ocr_core.stages.stage import WorkingPage

_CREDIBLE = 50.0
"""Mean confidence of a line needed to add it to a text layer that has most of the page: the rest is often pictures,
which look a little like text."""


def set_text(page: WorkingPage, words: Sequence[Word], engine: str, options: RecognizeOptions) -> None:
    """Set `text`, `confidence`, `regions` and `engine` from words in coordinates of `pixels`.

    Args:
        page: The page; its `layer`, if any, is merged with the words.
        words: Words in reading order.
        engine: Name of the engine that read those that name none.
        options: What the text looks like.
    """
    if page.layer:
        back = page.to_rendered.inverse()
        layer = page.layer if back == Affine() else [replace(word, box=back.box(word.box)) for word in page.layer]
        words = merge(layer, list(_credible(words)) if len(words) < len(layer) else words)
    made = compose_page(list(words), engine, options, page.pixels_resolution)
    page.text, page.confidence, page.regions = made.text, made.confidence, made.regions
    page.engine = "+".join(sorted({word.engine or engine for word in words})) or engine


def _credible(words: Sequence[Word]) -> Iterator[Word]:
    for _, group in groupby(words, key=lambda word: branch(word, Level.LINE)):
        line = list(group)
        telling = [word for word in line if any(map(str.isalnum, word.text))]
        if telling and sum(word.confidence for word in telling) / len(telling) >= _CREDIBLE:
            yield from line
