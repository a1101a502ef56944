"""The interface of engines that read single lines, and what they return."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word of a line.

    Attributes:
        text: No white space, never empty.
        confidence: 0-100.
        start: Where it begins along the line, 0 (left end of the crop) to 1.
        end: Where it ends.
    """

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The words read in one crop.

    Attributes:
        words: Left to right; empty for a crop without text.
    """

    words: tuple[ReadWord, ...]

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float | None:
        """Mean over words, 0-100; None without words."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else None

    def to_list(self) -> list[Any]:
        """Return the words as lists that JSON can hold."""
        return [[word.text, word.confidence, word.start, word.end] for word in self.words]

    @classmethod
    def from_list(cls, values: Any) -> Self:
        """Rebuild a reading from `to_list`.

        Raises:
            ValueError: If the values are not a reading.
            TypeError: If they have other types.
        """
        words = tuple(ReadWord(str(text), float(sure), float(start), float(end)) for text, sure, start, end in values)
        if not all(math.isfinite(number) for word in words for number in (word.confidence, word.start, word.end)):
            raise ValueError(f"not a reading: {values!r}")
        return cls(words)


class LineReader(Protocol):
    """A reader of line crops. Other lines in the same call never change a line's text; a batch may be faster."""

    def warm_up(self) -> None:
        """Read a dummy crop, so that memory is allocated and code is loaded before the first page."""

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """Read crops.

        Args:
            crops: Upright pictures of one line each, `H x W` or `H x W x 3` (RGB), of any size.

        Returns:
            One reading per crop, in the same order.
        """


class DeviceLostError(Exception):
    """Raised when an engine's device has failed; it stays unusable for the rest of this process."""
