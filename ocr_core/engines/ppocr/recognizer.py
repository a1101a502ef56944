"""Reading lines with PP-OCR's recogniser, a CTC network (SVTR-LCNet; Li et al., PP-OCRv3, 2022)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkstream.ocr_core.engines.line_reader import Reading, ReadWord
from inkstream.ocr_core.engines.ppocr.ctc import BLANK, Aligned, Posterior, align, beam_search, greedy, log_likelihood
from inkstream.ocr_core.engines.ppocr.lexicon import Lexicon
from inkstream.ocr_core.engines.ppocr.models import find_model, open_session
from inkstream.ocr_core.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path

    from inkstream.ocr_core.options import PpocrOptions
    from inkstream.ocr_core.pixels import Pixels

HEIGHT = 48
"""Height of the network's input, pixels."""
_LEAST_WIDTH = 16
_SPACE_BIAS = 4
"""Factor for the probability of a space, because the network drops narrow ones. On receipts 2 to 32 work alike."""
_EAST = 0x2E80
"""Unicode marks and signs from here on are East Asian."""
_LONGEST = 6000
"""Pixels; a longer line is squeezed."""
_SQUEEZES = (1.0, 0.85, 1.15)
"""Relative widths at which a line is read, because the network reads some widths of writing better than others."""

_OWN_MODEL = "use an ONNX file whose metadata key `character` lists one character per line, like those of rapidocr"

LinePicture = NDArray[np.float32]
"""`3 x HEIGHT x W`, BGR, -1 to 1."""


class PpocrReader:
    """A reader of line crops.

    Args:
        options: Model, scripts, decoder.

    Raises:
        EnvironmentFault: If the model is missing.
        ConfigError: If a language of `lexicon` has no word list.
    """

    def __init__(self, options: PpocrOptions) -> None:
        path = find_model("rec", options.model)
        self._options = options
        self._session = open_session(path)
        self._input = self._session.get_inputs()[0].name
        self._kept = _columns_of(path, options.scripts)
        self._alphabet = [characters(path)[column] for column in self._kept]
        self._columns = {character: column for column, character in enumerate(self._alphabet)}
        self._squeezes = _SQUEEZES[: options.views]
        self._lexicon = Lexicon(options.lexicon, options.lexicon_weight) if options.lexicon else None

    def warm_up(self) -> None:
        """Run the network once, so that the first page does not wait for its set-up."""
        self.read([np.zeros((HEIGHT, HEIGHT), np.uint8)])

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """Read crops of one line each; see `LineReader.read`."""
        return [self.decode([self.look(picture(crop, squeeze)) for squeeze in self._squeezes]) for crop in crops]

    def look(self, line: LinePicture) -> Posterior:
        """Run the network on one line.

        Single lines are faster than batches, which are padded to their longest line and do not fit into the
        processor's caches; see `benchmarks.ppocr`.
        """
        answer: Posterior = self._session.run(None, {self._input: line[None]})[0][0]
        return answer[:, self._kept]

    def decode(self, views: list[Posterior]) -> Reading:
        """Return the text that best fits all views of a line (at least one), with confidences from the first view."""
        texts = [self._text(view).strip() for view in views]
        if len(set(texts)) > 1:
            texts.sort(key=lambda text: -self._likelihood(text, views))
        return Reading(tuple(_words(align(views[0], self._columns, texts[0]), len(views[0]))))

    def _text(self, posterior: Posterior) -> str:
        if self._lexicon is None:
            spaced = posterior.copy()
            spaced[:, self._columns[" "]] *= _SPACE_BIAS
            return greedy(spaced, self._alphabet)
        return beam_search(posterior, self._alphabet, self._lexicon, self._options.beam_width)

    def _likelihood(self, text: str, views: list[Posterior]) -> float:
        seen = float(np.mean([log_likelihood(view, self._columns, text) for view in views]))
        return seen + (sum(self._lexicon.whole(word) for word in text.split()) if self._lexicon else 0.0)


def _words(aligned: list[Aligned], steps: int) -> list[ReadWord]:
    """Split at the spaces. A word's confidence is the geometric mean over its characters, so one doubt lowers it."""
    words: list[ReadWord] = []
    letters: list[Aligned] = []
    for character in [*aligned, Aligned(" ", 1.0, steps, steps)]:
        if not character.character.isspace():
            letters.append(character)
        elif letters:
            sure = float(np.exp(np.mean([np.log(max(letter.probability, 1e-6)) for letter in letters])))
            text = "".join(letter.character for letter in letters)
            start, end = max(0.0, letters[0].first - 0.5), min(steps, letters[-1].last + 1.5)
            words.append(ReadWord(text, round(100 * sure, 2), start / steps, end / steps))
            letters = []
    return words


def picture(crop: Pixels, squeeze: float = 1.0) -> LinePicture:
    """Return the network's input for a crop.

    Args:
        crop: Upright line, uint8, `H x W` or `H x W x 3` (RGB).
        squeeze: Width relative to the one that keeps the crop's proportions.
    """
    import cv2

    height, width = crop.shape[:2]
    across = max(_LEAST_WIDTH, min(_LONGEST, round(width * HEIGHT / height * squeeze)))
    interpolation = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    small = cv2.resize(crop, (across, HEIGHT), interpolation=interpolation)
    color = np.repeat(small[..., None], 3, axis=2) if small.ndim == 2 else small[..., ::-1]  # trained on BGR
    result: LinePicture = (color.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
    return result


@lru_cache(maxsize=2)
def characters(path: Path) -> list[str]:
    """Return the character of each output column: the blank, the model's own characters, the space.

    Raises:
        EnvironmentFault: If the model does not list its characters, or their number differs from its columns.
    """
    session = open_session(path)
    listed = session.get_modelmeta().custom_metadata_map.get("character")
    if listed is None:
        raise EnvironmentFault(f"the recogniser {path} does not list the characters it reads", _OWN_MODEL)
    found, columns = ["", *listed.splitlines(), " "], session.get_outputs()[0].shape[-1]
    if isinstance(columns, int) and columns != len(found):
        raise EnvironmentFault(
            f"the recogniser {path} has {columns} columns but {len(found)} characters, counting blank and space",
            _OWN_MODEL,
        )
    return found


@lru_cache(maxsize=8)
def _columns_of(path: Path, scripts: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the columns of the scripts' letters, and those of no script: digits, marks, the blank."""
    wanted = tuple(script.upper() for script in scripts)
    return np.array(
        [
            column
            for column, character in enumerate(characters(path))
            if column == BLANK or not wanted or (len(character) == 1 and _is_of(character, wanted))
        ]
    )


def _is_of(character: str, scripts: tuple[str, ...]) -> bool:
    if not character.isalpha():
        return ord(character) < 0x250 or (unicodedata.category(character)[0] in "ZPS" and ord(character) < 0x2E80)
    return unicodedata.name(character, "").startswith(scripts)
