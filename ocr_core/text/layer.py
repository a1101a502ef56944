"""Words of a text layer, with what the file says about how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.text.words import Word


@dataclass(frozen=True, slots=True)
class LayerWord:
    """A word of a text layer.

    Attributes:
        word: Its text and position.
        font: Number of its font, unique within the page.
        angle: Direction of the text in the page as it is shown, degrees clockwise: 0, 90, 180 or 270.
        gray: Brightness of its colour, 0-255; None if it has a pattern, or no colour of its own.
        is_hidden: Whether the page draws it invisibly or under a picture, as programs do with the result of an OCR.
        is_damaged: Whether its font does not say which characters some of its glyphs are.
    """

    word: Word
    font: int = 0
    angle: int = 0
    gray: int | None = None
    is_hidden: bool = False
    is_damaged: bool = False
