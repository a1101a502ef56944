"""A small sink for the tests of commands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.documents import tiny_pdf
from tests.integration.command import run_json, settings

CHEAP = settings(pipeline__text_layer__mode="only", execution__workers=1)


@dataclass(frozen=True, slots=True)
class SmallSink:
    """`inbox/` with four documents, one of them damaged, and `tables/` with the rows of two runs.

    Attributes:
        folder: The folder that holds both.
    """

    folder: Path

    @property
    def url(self) -> str:
        """The sink as a command takes it."""
        return str(self.folder / "tables")


@pytest.fixture(scope="session")
def small_sink(tmp_path_factory: pytest.TempPathFactory) -> SmallSink:
    """Return a sink for tests that only read it: its two runs are versions 1 and 2 of the table."""
    folder = tmp_path_factory.mktemp("small")
    inbox = folder / "inbox"
    inbox.mkdir()
    (inbox / "a.pdf").write_bytes(tiny_pdf("first page of a", "second page of a"))
    (inbox / "with space #1.pdf").write_bytes(tiny_pdf("the whole text of b"))
    (inbox / "damaged.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    sink = SmallSink(folder)
    run_json("--source", inbox, "--sink", sink.url, *CHEAP)
    (inbox / "late.pdf").write_bytes(tiny_pdf("the text that came late"))
    run_json("--source", inbox, "--sink", sink.url, *CHEAP)
    return sink


@pytest.fixture
def own_sink(small_sink: SmallSink, tmp_path: Path) -> SmallSink:
    """Return a copy that the test may change."""
    shutil.copytree(small_sink.folder, tmp_path / "own")
    return SmallSink(tmp_path / "own")
