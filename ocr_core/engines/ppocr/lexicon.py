"""Word probabilities of a language, from the frequency lists of pyspellchecker."""

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
"""Lowest log probability of a listed word, about one occurrence in 65 million; rarer words count the same."""
_NUMBER_SCORE = -8.0
_MARK_SCORE = -6.0
_UNKNOWN = -10.0
"""Score of an unknown word, plus `_UNKNOWN_LETTER` per letter: lower than any rare word of its length."""
_UNKNOWN_LETTER = -3.0
_WORD_BONUS = 4.0
"""About the average cost of starting a word; without this bonus, words would be run together."""


class Lexicon:
    """Word scores for one or more languages.

    Args:
        languages: ISO 639-1 codes, such as `en`.
        weight: Weight of the word list against the network; 0 ignores the list.

    Raises:
        ConfigError: If a language has no word list.
    """

    def __init__(self, languages: Sequence[str], weight: float) -> None:
        self._lists = [_word_list(language) for language in languages]
        self._weight = weight
        self._whole: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    def whole(self, word: str) -> float:
        """Return the weighted log score of a word as written, including punctuation around it."""
        if word not in self._whole:
            self._whole[word] = self._weight * (_WORD_BONUS + self._score(word, WordList.whole))
        return self._whole[word]

    def begun(self, word: str) -> float:
        """Return the best weighted log score of any word that starts with `word`."""
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
        words: Number of occurrences of each word, in lower case.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        total = math.log(sum(words.values()))
        self._sorted = sorted(word for word, count in words.items() if count > 0)
        self._logs = np.array([math.log(words[word]) - total for word in self._sorted], np.float32)

    def whole(self, word: str) -> float:
        """Return a word's log probability; minus infinity if it is not in the list."""
        place = bisect_left(self._sorted, word)
        known = place < len(self._sorted) and self._sorted[place] == word
        return float(self._logs[place]) if known else -math.inf

    def begun(self, start: str) -> float:
        """Return the highest log probability of the words that begin with `start`; minus infinity if there are none."""
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
