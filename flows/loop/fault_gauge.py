"""Evidence that the machine, not the documents, causes a run's failures."""

from __future__ import annotations

from collections.abc import Iterable

from inkstream.ocr_core.errors import EnvironmentFault, FailureKind
from inkstream.tasks.work.open_batch import FileReport

SUSPICIOUS_FILES = 20
SUSPICIOUS_SHARE = 0.2
SUSPICIOUS_KINDS = (FailureKind.INTERNAL, FailureKind.CRASH)


class FaultGauge:
    """A count of files that ended `internal` or `crash`: if many do, the machine is broken, not the documents."""

    def __init__(self) -> None:
        self._files = 0
        self._bad = 0

    def check(self, reports: Iterable[FileReport]) -> None:
        """Count a batch's files.

        Raises:
            EnvironmentFault: If this run has read twenty files or more, and over a fifth of them ended that way.
        """
        for report in reports:
            self._files += 1
            self._bad += any(report.kinds[kind] for kind in SUSPICIOUS_KINDS)
        if self._files >= SUSPICIOUS_FILES and self._bad > SUSPICIOUS_SHARE * self._files:
            raise EnvironmentFault(
                f"{self._bad} of {self._files} files ended {' or '.join(SUSPICIOUS_KINDS)}: "
                "the cause is this machine, not the documents; this batch was not committed",
                "run `inkstream doctor`, and `inkstream ocr FILE` on one of the files",
            )
