"""The verdict on a text layer: whether a sample of it agrees with the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkstream.ocr_core.stages.verify.sample import (
    Compared,
    Stretch,
    agreement,
    choose,
    compare,
    cut_out,
    digits_in,
    script_of,
    spread,
)

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.stages.verify.reader import SampleReader
    from inkstream.ocr_core.text.words import LayerWord

DRAWN = 0.6
"""Agreement below which the text that a page draws is not believed: its fonts have a wrong map."""
HIDDEN = 0.96
"""Agreement below which the result of an earlier OCR is not believed."""
DIGITS = 0.6
"""Agreement of the digits below which a text layer is not believed."""
SURE = 80.0
"""Confidence of the engine at which a disagreement counts: the engine may not know the script."""
_FLAGRANT = 0.3
"""Agreement that needs no confirmation."""
_FEW_DIGITS = 4
"""Digits needed to judge by them alone."""
_FEW_LETTERS = 12
"""Letters and digits of a font needed to judge it alone."""
_SAMPLE, _LARGE_SAMPLE = 4, 8
"""Stretches read at first, and to confirm a disagreement or to judge an earlier OCR."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sample says about a text layer.

    Attributes:
        agreement: 0-1, of all that could be compared; None if the engine was never sure.
        is_believed: Whether the layer is what the page shows.
    """

    agreement: float | None
    is_believed: bool


Judge = Callable[[Sequence["LayerWord"], "Pixels", int, "SampleReader"], Verdict]
"""Judges words on a page of a resolution in dpi, with an engine."""


def judge_drawn(words: Sequence[LayerWord], pixels: Pixels, resolution: int, read: SampleReader) -> Verdict:
    """Judge words that the page draws.

    Unless hardly anything agrees, a second, larger sample has to confirm a doubt.

    Args:
        words: Words with ink, of fonts with a map.
        pixels: The page.
        resolution: Its dpi.
        read: The engine.
    """
    first = choose(words, _SAMPLE)
    compared = _read(first, pixels, resolution, read)
    verdict = _verdict(compared, DRAWN)
    if verdict.is_believed or (verdict.agreement or 0.0) < _FLAGRANT:
        return verdict
    more = [stretch for stretch in spread(words, _LARGE_SAMPLE) if stretch not in first]
    return _verdict([*compared, *_read(more, pixels, resolution, read)], DRAWN)


def judge_hidden(words: Sequence[LayerWord], pixels: Pixels, resolution: int, read: SampleReader) -> Verdict:
    """Judge words that the page does not draw, but that have ink: the result of an earlier OCR.

    What cannot be compared is believed only if the engine does not read its script.
    """
    compared = _read(spread(words, _LARGE_SAMPLE), pixels, resolution, read)
    verdict = _verdict(compared, HIDDEN)
    if verdict.agreement is None:
        scripts = [script_of([each.layer for each in compared]), script_of([each.read for each in compared])]
        return Verdict(None, None not in scripts and scripts[0] != scripts[1])
    return verdict


def _read(stretches: Sequence[Stretch], pixels: Pixels, resolution: int, read: SampleReader) -> list[Compared]:
    if not stretches:
        return []
    return compare(stretches, read([cut_out(pixels, stretch) for stretch in stretches], resolution))


def _verdict(compared: Sequence[Compared], least: float) -> Verdict:
    telling = [each for each in compared if each.confidence >= SURE or _agree([each]) >= least]
    if not telling:
        return Verdict(None, True)
    fonts = [[each for each in telling if each.font == font] for font in {each.font for each in telling}]
    parts = [part for part in fonts if sum(map(len, (each.layer for each in part))) >= _FEW_LETTERS]
    is_believed = all(_agree(part) >= least and not _has_wrong_digits(part) for part in [telling, *parts])
    return Verdict(_agree(telling), is_believed)


def _has_wrong_digits(compared: Sequence[Compared]) -> bool:
    most = max(digits_in([each.layer for each in compared]), digits_in([each.read for each in compared]))
    return most >= _FEW_DIGITS and _agree(compared, digits_only=True) < DIGITS


def _agree(compared: Sequence[Compared], *, digits_only: bool = False) -> float:
    return agreement([(each.layer, each.read) for each in compared], digits_only=digits_only)
