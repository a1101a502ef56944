"""A chain of stages, checked when it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.pipeline.attempt import Attempt, opened_page
from inkstream.ocr_core.stages.stage import MOVED, RESTORED, SOURCE, Stage

if TYPE_CHECKING:
    from inkstream.ocr_core.documents.document import Document
    from inkstream.ocr_core.page import PageResult


@dataclass(frozen=True)
class Pipeline:
    """A checked chain of stages.

    Raises:
        ConfigError: If a stage needs something that no earlier stage provides.
    """

    stages: Sequence[Stage] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        have = {SOURCE}
        for stage in self.stages:
            for need in sorted(stage.needs - have):
                raise ConfigError(f"{stage.name} needs {need}; no earlier stage provides {_pronoun(need)}")
            have |= stage.provides
        if MOVED in have and RESTORED not in have:
            raise ConfigError("a stage moves pixels; Restore must come after reading, or boxes miss their words")

    def run(self, document: Document, pagenum: int) -> PageResult:
        """Process one page. A fault of the document becomes a result with `failure`, never an exception.

        Args:
            document: The open file.
            pagenum: 0-based.

        Raises:
            ConfigError: If an engine rejects an option, such as an unknown Tesseract variable.
            EnvironmentFault: If this machine lacks something.
        """
        attempt = Attempt(document.info)
        with attempt, opened_page(document, pagenum) as page:
            attempt.page = page
            for stage in self.stages:
                stage.run(page)
        return attempt.result(pagenum)


def _pronoun(need: str) -> str:
    return "them" if need.endswith("s") else "it"
