"""The caller's side of reading lines: one process that keeps its model when page processes are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.grouping import groups_within
from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.sandbox.process import Cost
from inkstream.ocr_core.sandbox.supervisor import Sandbox
from inkstream.ocr_core.workers.crop_wire import pack_crops

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

HANDLER = "inkstream.ocr_core.workers.line_handler:handle"

TOGETHER = 32 << 20
"""Bytes of crops above which pages are not read together, because larger batches only take memory."""


class LineWorker:
    """Reads crops in a sandboxed child, which loads the model once and lives until it is closed or killed.

    Threads may share it; they take turns.

    Args:
        options: Which engine reads lines, and how.
        limits: `memory_mb` is allowed in addition to the loaded model; each call sets its seconds.
    """

    def __init__(self, options: RecognizeOptions, limits: LimitOptions | None = None) -> None:
        self.options = options
        self.limits = limits or LimitOptions()
        self._request = {"options": options.model_dump_json()}
        self._sandbox = Sandbox(HANDLER, self.limits, self._request, lasting=True, task="the model")

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is none."""
        return self._sandbox.pid

    def start(self) -> None:
        """Load the model now instead of at the first call.

        Raises:
            EnvironmentFault: If the model cannot be loaded.
        """
        self._sandbox.start()

    def read(
        self, pages: Sequence[Sequence[Pixels]], seconds: Sequence[float] | None = None
    ) -> list[list[Reading] | DocumentError]:
        """Read the lines of several pages together, so that lines of similar length can form batches.

        If the model's process dies, they are read again by a new one; if that fails, too, each page by itself.

        Args:
            pages: The crops of each page, as for `LineReader.read`.
            seconds: Time limit of each page; None for `limits.page_seconds`.

        Returns:
            For each page, one reading per crop, or the error.

        Raises:
            EnvironmentFault: If the model cannot be loaded.
            ConfigError: If the engine does not accept an option.
        """
        allowed = [self.limits.page_seconds] * len(pages) if seconds is None else seconds
        answers: list[list[Reading] | DocumentError] = []
        for group in groups_within(
            range(len(pages)), lambda number: sum(crop.size for crop in pages[number]), TOGETHER
        ):
            answers += self._together([pages[number] for number in group], [allowed[number] for number in group])
        return answers

    def close(self) -> None:
        """End the child. A later call starts a new one."""
        self._sandbox.close()

    def _together(
        self, pages: Sequence[Sequence[Pixels]], seconds: Sequence[float]
    ) -> Sequence[list[Reading] | DocumentError]:
        try:
            return self._read(pages, sum(seconds))
        except DocumentError as error:
            if len(pages) == 1:
                return [error]
        return [self._together([page], [most])[0] for page, most in zip(pages, seconds, strict=True)]

    def _read(self, pages: Sequence[Sequence[Pixels]], seconds: float) -> list[list[Reading]]:
        crops = [crop for page in pages for crop in page]
        if not crops:
            return [[] for _ in pages]
        shapes, blob = pack_crops(crops)
        cost = Cost(seconds, self.limits.page_cpu_seconds * len(pages))
        reply, _ = self._sandbox.call({**self._request, "shapes": shapes}, blob, cost)
        try:
            readings = iter([Reading.from_list(values) for _, values in zip(crops, reply["readings"], strict=True)])
        except (KeyError, TypeError, ValueError):
            raise DocumentError(FailureKind.CRASH, "the model's process sent malformed readings") from None
        return [[next(readings) for _ in page] for page in pages]
