"""How likely a word is in a language: frequencies that come with pyspellchecker."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from inkstream.ocr_core.errors import ConfigError

_EDGES = re.compile(r"^\W+|\W+$")
_NUMBER = re.compile(r"[\d.,:;/%€$£#()+-]+")
_RAREST = -18.0
"""Log probability below which words of the list are alike: one occurrence in 65 million."""
_NUMBER_SCORE = -8.0
_MARK_SCORE = -6.0
_UNKNOWN = -10.0
"""An unknown word is worth this and `_UNKNOWN_LETTER` for each letter: less than any rare word of its length."""
_UNKNOWN_LETTER = -3.0
_WORD_BONUS = 4.0
"""Each word's start costs about this much on average; without it, words would be glued together."""


class Lexicon:
    """Scores words of some languages.

    Args:
        languages: ISO 639-1 codes, such as `en`.
        weight: How much the list counts against what the network sees; 0 not at all.

    Raises:
        ConfigError: If there is no list for a language.
    """

    def __init__(self, languages: Sequence[str], weight: float) -> None:
        self._lists = [_word_list(language) for language in languages]
        self._weight = weight
        self._whole: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    def whole(self, word: str) -> float:
        """Returns the weighted log score of a word as written, marks around it included."""
        if word not in self._whole:
            self._whole[word] = self._weight * (_WORD_BONUS + self._score(word, WordList.whole))
        return self._whole[word]

    def begun(self, word: str) -> float:
        """Returns the best weighted log score of a word that begins so."""
        if word not in self._begun:
            look = WordList.whole if word and not word[-1].isalnum() else WordList.begun
            self._begun[word] = self._weight * (_WORD_BONUS + self._score(word, look))
        return self._begun[word]

    def _score(self, word: str, look: Callable[[WordList, str], float]) -> float:
        if _NUMBER.fullmatch(word):
            return _NUMBER_SCORE
        core = _EDGES.sub("", word)
        if not core:
            return _MARK_SCORE
        found = max(look(words, core.lower()) for words in self._lists)
        written_so = core in (core.lower(), core.capitalize(), core.upper())
        if found > -math.inf and written_so:
            return max(found, _RAREST)
        return _UNKNOWN + _UNKNOWN_LETTER * len(core)


class WordList:
    """The words of a language with their log probabilities.

    Args:
        words: How often each occurs, in lower case.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        total = math.log(sum(words.values()))
        self._sorted = sorted(word for word, count in words.items() if count > 0)
        self._logs = np.array([math.log(words[word]) - total for word in self._sorted], np.float32)

    def whole(self, word: str) -> float:
        """Returns a word's log probability; minus infinity when it is not in the list."""
        place = bisect_left(self._sorted, word)
        known = place < len(self._sorted) and self._sorted[place] == word
        return float(self._logs[place]) if known else -math.inf

    def begun(self, start: str) -> float:
        """Returns the highest log probability of the words that begin so; minus infinity when none does."""
        first = bisect_left(self._sorted, start)
        last = bisect_left(self._sorted, start + "\U0010ffff", lo=first)
        return float(self._logs[first:last].max()) if last > first else -math.inf


@lru_cache(maxsize=4)
def _word_list(language: str) -> WordList:
    from spellchecker import SpellChecker

    try:
        return WordList(SpellChecker(language=language).word_frequency.dictionary)
    except ValueError as error:
        raise ConfigError(f"pipeline.recognize.ppocr.lexicon: no word list for {language!r} ({error})") from None
