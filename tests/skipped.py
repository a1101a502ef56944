"""Ends a test run's report with the skipped tests and their reasons."""

from __future__ import annotations

from collections import defaultdict

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each reason for skipping, with the skipped tests."""
    tests: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        tests[str(reason).removeprefix("Skipped: ")].append(report.nodeid)
    if not tests:
        return
    terminalreporter.section("what was skipped, and why")
    for reason, names in sorted(tests.items()):
        terminalreporter.line(reason)
        for name in sorted(names):
            terminalreporter.line(f"    {name}")
