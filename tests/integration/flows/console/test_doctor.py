"""What `inkstream doctor` prints."""

from __future__ import annotations

import json

import pytest

from inkstream.flows.console.doctor import print_doctor
from inkstream.tasks.config import build_config

CONFIG = build_config(
    {"source": {"url": "in"}, "sink": {"url": "out"}},
    overrides=["pipeline.text_layer.mode=only", "execution.limits.memory_mb=10000000000"],
)
MISSING = ("source.url", "sink.url")


def test_the_remedy_is_printed_below_a_failed_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert not print_doctor(CONFIG, MISSING, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("FAIL memory"))
    assert lines[at + 1].startswith("     remedy: lower execution.limits.memory_mb")
    assert lines[0].startswith("ok   python ")


def test_json_has_one_line_per_check(capsys: pytest.CaptureFixture[str]) -> None:
    print_doctor(CONFIG, MISSING, as_json=True)
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {frozenset(check) for check in checks} == {frozenset({"name", "ok", "detail", "remedy"})}
    assert [check["name"] for check in checks if not check["ok"]] == ["memory"]
