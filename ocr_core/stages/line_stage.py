"""A stage in two halves: it hands out pictures of lines, and goes on when they are read.

Between the halves a page may wait while another process reads, so what the second half needs is plain data.
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
    """What a page waits for.

    Attributes:
        crops: Upright pictures of one line each; perhaps none.
        state: What the second half needs besides their readings; of the stage's `state_type`.
    """

    crops: list[Pixels]
    state: State


class LineStage(ABC, Generic[State]):
    """Has lines read by an engine that reads one at a time.

    Attributes:
        open_reader: Returns the engine's reader; called for each page that has lines to read in this process.
        state_type: A dataclass that pydantic can write as JSON.
    """

    open_reader: Callable[[], LineReader]
    state_type: ClassVar[type[Any]]

    @abstractmethod
    def ask(self, page: WorkingPage) -> Asked[State] | None:
        """Return what is to be read; None if the page has its text already."""

    @abstractmethod
    def take(self, page: WorkingPage, state: State, readings: Sequence[Reading]) -> None:
        """Set `text`, `confidence`, `engine` and `regions`. Pixels may be gone by now.

        Args:
            page: With size, resolution and `to_rendered` as they were.
            state: From `ask`.
            readings: One a crop, in their order.
        """

    def run(self, page: WorkingPage) -> None:
        """Do both halves, reading in this process."""
        asked = self.ask(page)
        if asked is not None:
            self.take(page, asked.state, self._read(asked.crops))

    def _read(self, crops: Sequence[Pixels]) -> list[Reading]:
        return self.open_reader().read(crops) if crops else []
