"""A stage in two halves: the first cuts out line crops, the second continues when they have been read.

Between the halves a page may wait while another process reads, so the second half takes plain data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from inkstream.ocr_core.engines.line_reader import LineReader, Reading
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Asked(Generic[State]):
    """The crops that a page waits for.

    Attributes:
        crops: Upright pictures of one line each; may be empty.
        state: What else the second half needs, as the stage's `state_type`.
    """

    crops: list[Pixels]
    state: State


class LineStage(ABC, Generic[State]):
    """A stage whose lines are read by an engine that reads single lines.

    Attributes:
        open_reader: Returns the engine's reader; called for each page with lines to read in this process.
        state_type: A dataclass that pydantic can write as JSON.
    """

    open_reader: Callable[[], LineReader]
    state_type: ClassVar[type[Any]]

    @abstractmethod
    def ask(self, page: WorkingPage) -> Asked[State] | None:
        """Return the crops to read; None if the page already has its text."""

    @abstractmethod
    def take(self, page: WorkingPage, state: State, readings: Sequence[Reading]) -> None:
        """Set `text`, `confidence`, `engine` and `regions`.

        Args:
            page: The page with its size, resolution and `to_rendered`; its pixels may be gone.
            state: From `ask`.
            readings: One per crop, in the same order.
        """

    def run(self, page: WorkingPage) -> None:
        """Run both halves and read in this process."""
        asked = self.ask(page)
        if asked is not None:
            self.take(page, asked.state, self._read(asked.crops))

    def _read(self, crops: Sequence[Pixels]) -> list[Reading]:
        return self.open_reader().read(crops) if crops else []
