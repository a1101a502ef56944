"""What every engine that reads whole pages offers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import Word


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The time that a page may take, which several pictures of it may share.

    Attributes:
        seconds: All of it.
        ends: When it is over, on `time.monotonic()`.
    """

    seconds: float
    ends: float

    @classmethod
    def from_now(cls, seconds: float) -> Self:
        """Return a limit that begins now."""
        return cls(seconds, time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds that are left; 0 or less when the time is over."""
        return self.ends - time.monotonic()


class PageReader(Protocol):
    """Reads pictures of whole pages or of areas with several lines, and finds the lines itself."""

    def read(self, pixels: Pixels, resolution: int, limit: TimeLimit) -> list[Word]:
        """Read a picture.

        Args:
            pixels: uint8, `H x W` or `H x W x 3` (RGB).
            resolution: dpi; 0 if it is unknown.
            limit: When to give up.

        Returns:
            The words in reading order, in pixels of the picture.

        Raises:
            DocumentError: `timeout`, or another fault of the page.
        """
