"""The interface of engines that read whole pages."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import Word


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The time allowed for a page; several pictures of the page may share it.

    Attributes:
        seconds: The whole limit.
        ends: Deadline on the clock of `time.monotonic()`.
    """

    seconds: float
    ends: float

    @classmethod
    def from_now(cls, seconds: float) -> Self:
        """Return a limit that starts now."""
        return cls(seconds, time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; 0 or less once the time is over."""
        return self.ends - time.monotonic()


class PageReader(Protocol):
    """A reader of whole pages, or of areas with several lines, that finds the lines itself."""

    def read(self, pixels: Pixels, resolution: int, limit: TimeLimit) -> list[Word]:
        """Read a picture.

        Args:
            pixels: uint8, `H x W` or `H x W x 3` (RGB).
            resolution: dpi; 0 if unknown.
            limit: When to give up.

        Returns:
            The words in reading order; boxes in pixels of the picture.

        Raises:
            DocumentError: `timeout`, or another fault in the page.
        """
