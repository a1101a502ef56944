"""The folder in which the pages' programs and commands run."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from inkstream.flows.api import Stream
from tests.docs.blocks import stream_in

LETTERS = "source: {url: inbox}\nsink: {url: tables}\nexecution: {workers: 1}\n"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with `inbox/`, `letters.yaml`, a Delta table `tables/` of two batches, and Parquet in `texts/`."""
    place = tmp_path_factory.mktemp("docs")
    (place / "letters.yaml").write_text(LETTERS)
    with Stream(stream_in(place, "trigger.max_files_per_trigger=2")) as stream:
        assert stream.run().batches == 2
    _copy(place / "inbox" / "letter.png", place / "demo" / "inbox" / "letter.png")
    texts = place / "texts" / "pages" / "main"
    texts.mkdir(parents=True)
    pl.read_delta(str(place / "tables" / "pages")).write_parquet(texts / "000000000000.parquet")
    return place


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    shutil.copyfile(source, target)
