"""Reading lines with PP-OCR's recogniser: a CTC network (SVTR-LCNet; Li et al., PP-OCRv3, 2022)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ocr_core.engines.line_reader import Reading, ReadWord
from ocr_core.engines.ppocr import ENGINE
from ocr_core.engines.ppocr.ctc import BLANK, Aligned, Posterior, align, beam_search, greedy, log_likelihood
from ocr_core.engines.ppocr.lexicon import Lexicon
from ocr_core.engines.ppocr.models import find_model, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_core.document import Pixels
    from ocr_core.options import PpocrOptions

HEIGHT = 48
"""Pixels the network wants."""
_LEAST_WIDTH = 16
_SPACE_BIAS = 4
"""The network leaves narrow spaces out; found on receipts, where 2 to 32 do alike."""
_EAST = 0x2E80
"""From here on Unicode's marks and signs are East Asian."""
_LONGEST = 6000
"""Pixels; a longer line is squeezed."""
_SQUEEZES = (1.0, 0.85, 1.15)
"""Widths at which a line is looked at: writing is wide or narrow, and the network has its likes."""


class PpocrReader:
    """Reads crops of lines.

    Args:
        options: Model, batch size, scripts, decoder.

    Raises:
        EnvironmentFault: If the model is not there.
        ConfigError: If there is no word list for a language of `lexicon`.
    """

    name = ENGINE
    independent = False  # lines are padded to the widest of a batch, and the network looks at the padding, too

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
        """Has the network look at something, so that the first page does not pay for what it sets up."""
        self.read([np.zeros((HEIGHT, HEIGHT), np.uint8)])

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """Reads crops of one line each; see `LineReader.read`. Lines of like length go through together."""
        views = [(index, _width(crop, squeeze)) for index, crop in enumerate(crops) for squeeze in self._squeezes]
        posteriors = self._look(crops, views)
        each = len(self._squeezes)
        return [self._decode(posteriors[start : start + each]) for start in range(0, len(views), each)]

    def _look(self, crops: Sequence[Pixels], views: list[tuple[int, int]]) -> list[Posterior]:
        """Runs the network on crops (by index) that are made a number of pixels wide."""
        found: list[Posterior] = [np.empty((0, 0), np.float32)] * len(views)
        order = sorted(range(len(views)), key=lambda view: views[view][1])
        for start in range(0, len(order), self._options.batch_size):
            batch = order[start : start + self._options.batch_size]
            widest = max(views[view][1] for view in batch)
            tensor = np.zeros((len(batch), 3, HEIGHT, widest), np.float32)
            for row, view in enumerate(batch):
                index, width = views[view]
                tensor[row, :, :, :width] = _tensor(crops[index], width)
            answers = self._session.run(None, {self._input: tensor})[0]
            for row, view in enumerate(batch):
                steps = max(1, round(answers.shape[1] * views[view][1] / widest))
                found[view] = answers[row, :steps][:, self._kept]
        return found

    def _decode(self, views: list[Posterior]) -> Reading:
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
    """Cuts at the spaces. A word's confidence is the geometric mean over its characters: one doubt tells."""
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


def _width(crop: Pixels, squeeze: float) -> int:
    height, width = crop.shape[:2]
    scaled: float = width * HEIGHT / height * squeeze
    return max(_LEAST_WIDTH, min(_LONGEST, round(scaled)))


def _tensor(crop: Pixels, width: int) -> NDArray[np.float32]:
    import cv2

    shrinks = crop.shape[0] > HEIGHT
    small = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    color = np.repeat(small[..., None], 3, axis=2) if small.ndim == 2 else small[..., ::-1]  # trained on BGR
    result: NDArray[np.float32] = (color.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
    return result


@lru_cache(maxsize=2)
def characters(path: Path) -> list[str]:
    """Returns the character of each column of the network's output: the blank, the model's own, the space."""
    listed = open_session(path).get_modelmeta().custom_metadata_map["character"].splitlines()
    return ["", *listed, " "]


@lru_cache(maxsize=8)
def _columns_of(path: Path, scripts: tuple[str, ...]) -> NDArray[np.int64]:
    """Returns the columns that are letters of the scripts, or belong to no script: digits, marks, the blank."""
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
