"""`inkstream show` prints the rows of a sink."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inkstream.flows.console.show import print_show
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.sinks.opening import open_sink
from tests.unit.tasks.queries.test_stored_pages import OTHER, put
from tests.unit.tasks.test_rows import FILE


@pytest.fixture(params=["delta", "parquet"])
def sink_format(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    sink = open_sink(SinkOptions(url=str(tmp_path), format=request.param))
    put(sink, FILE)
    put(sink, OTHER)
    return str(request.param)


def test_show_prints_the_newest_rows_and_their_location(
    sink_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_show(str(tmp_path), None, 3, as_json=False)
    shown = capsys.readouterr().out
    last = {"delta": f"version 2 of {tmp_path}/pages", "parquet": f"Parquet files in {tmp_path}/pages"}[sink_format]
    assert shown.splitlines()[-1] == last
    assert (shown.count("b.pdf"), shown.count("a.pdf")) == (2, 1)


def test_show_prints_rows_as_json_lines(sink_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_show(str(tmp_path), None, 2, as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["path"], row["pagenum"]) for row in rows] == [(OTHER.path, 0), (OTHER.path, 1)]


def test_show_prints_an_earlier_version_if_the_sink_keeps_versions(
    sink_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if sink_format == "parquet":
        with pytest.raises(ConfigError, match="have no versions"):
            print_show(str(tmp_path), 1, 9, as_json=True)
        return
    print_show(str(tmp_path), 1, 9, as_json=True)
    assert {json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()} == {FILE.path}
