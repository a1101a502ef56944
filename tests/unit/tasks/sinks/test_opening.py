"""Opening a sink, from a configuration or from what exists at its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.sinks.opening import format_at, open_existing, open_sink, refuse_other_format
from tests.integration.tasks.sinks import sqlite_sink


def make(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


DELTA, PARQUET = "pages/_delta_log/00000000000000000000.json", "pages/main/000000000000.parquet"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], None),
        (["streams/main.json", "pages/part.parquet"], None),
        ([DELTA, "pages/part.parquet"], "delta"),
        ([PARQUET], "parquet"),
        (["pages.sqlite"], None),
    ],
)
def test_a_format_is_recognised_by_its_files(tmp_path: Path, names: list[str], found: str | None) -> None:
    assert format_at(make(tmp_path / "odd [name]*", *names)) == found


def test_an_existing_sink_is_opened_and_an_empty_place_is_delta(tmp_path: Path) -> None:
    assert open_existing(make(tmp_path / "a", PARQUET)).description == f"Parquet files in {tmp_path}/a/pages"
    for sink in (open_existing(make(tmp_path / "b", DELTA)), open_existing(str(tmp_path / "none"))):
        assert "Delta tables" in sink.description
    with pytest.raises(ConfigError, match="is lost when that process ends"):
        open_existing("memory://here")


def test_a_registered_format_is_recognised_like_any_other(tmp_path: Path) -> None:
    place = make(tmp_path, "pages.sqlite")
    with sqlite_sink.registered():
        assert "SQLite table" in open_existing(place).description
        with pytest.raises(ConfigError, match=r"holds pages as sqlite.*Set sink\.format to sqlite"):
            refuse_other_format(SinkOptions(url=place))
        refuse_other_format(SinkOptions(url=place, format="sqlite"))
    refuse_other_format(SinkOptions(url=place))


def test_either_format_is_accepted_where_both_exist(tmp_path: Path) -> None:
    place = make(tmp_path, DELTA, PARQUET)
    for name in ("delta", "parquet"):
        refuse_other_format(SinkOptions(url=place, format=name))


def test_an_unknown_format_is_an_error_that_lists_the_known_ones() -> None:
    unknown = SinkOptions(url="tables").model_copy(update={"format": "iceberg"})
    with pytest.raises(ConfigError, match="'iceberg' is not one of delta, parquet, memory"):
        open_sink(unknown)


def test_an_unreadable_place_is_an_environment_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fsspec.implementations.local import LocalFileSystem

    def refuse(*_: object, **__: object) -> bool:
        raise PermissionError("denied")

    monkeypatch.setattr(LocalFileSystem, "exists", refuse)
    with pytest.raises(EnvironmentFault, match="cannot look for"):
        format_at(str(tmp_path))
