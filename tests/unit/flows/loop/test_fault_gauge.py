"""When many failures are blamed on the machine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inkstream.flows.loop.fault_gauge import FaultGauge
from inkstream.ocr_core.errors import EnvironmentFault, FailureKind
from inkstream.tasks.model import FileVersion
from inkstream.tasks.work.open_batch import FileReport

FILE = FileVersion("file:///inbox/a.pdf", "1-2", 2, datetime(2026, 11, 1, tzinfo=UTC))


def reports(kind: FailureKind, bad: int, good: int) -> list[FileReport]:
    failed = [FileReport(FILE, pages=1, failed_pages=1) for _ in range(bad)]
    for report in failed:
        report.kinds[kind] += 1
    return failed + [FileReport(FILE, pages=1) for _ in range(good)]


@pytest.mark.parametrize("kind", [FailureKind.CRASH, FailureKind.INTERNAL])
def test_many_crashes_are_an_environment_fault(kind: FailureKind) -> None:
    gauge = FaultGauge()
    gauge.check(reports(kind, 4, 15))
    with pytest.raises(EnvironmentFault, match="5 of 20 files"):
        gauge.check(reports(kind, 1, 0))


@pytest.mark.parametrize(
    ("kind", "bad", "good"), [(FailureKind.CRASH, 19, 0), (FailureKind.CRASH, 4, 16), (FailureKind.CORRUPT, 50, 0)]
)
def test_few_files_few_crashes_or_bad_documents_are_not_a_fault(kind: FailureKind, bad: int, good: int) -> None:
    FaultGauge().check(reports(kind, bad, good))
