"""What every engine that reads one line at a time offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ocr_core.document import Pixels


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word of a line.

    Attributes:
        text: Without white space, never empty.
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
    """What was read in one crop.

    Attributes:
        words: Left to right; none in a crop without text.
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


class LineReader(Protocol):
    """Reads crops of single lines. One call may take many: what pays is batching."""

    @property
    def name(self) -> str:
        """The engine's name, as rows carry it."""

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """Reads crops.

        Args:
            crops: Upright pictures of one line each, `H x W` or `H x W x 3` (RGB), any sizes.

        Returns:
            One reading a crop, in the order given.
        """
