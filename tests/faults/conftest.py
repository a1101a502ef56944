"""The world of a fault test: a source folder that remembers what was put into it, a sink, and drivers that die."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from inkstream.tasks.config import build_config
from tests.faults.documents import tiny_pdf
from tests.faults.oracle import Corpus, Verdict
from tests.places import ROOT


class World:
    """A source, a sink and the processes that work on them.

    Args:
        folder: The folder that holds both.
        overrides: `--set` strings on top of those that make documents cheap to read.
        scheduler: Address of a Dask cluster that the drivers share; None: each starts its own.
    """

    def __init__(self, folder: Path, overrides: tuple[str, ...] = (), scheduler: str | None = None) -> None:
        self.inbox = folder / "inbox"
        self.sink = folder / "tables"
        self.inbox.mkdir(exist_ok=True)
        self.corpus = Corpus(self.inbox)
        self._config = folder / "config.json"
        self._scheduler = scheduler
        self._processes: list[subprocess.Popen[str]] = []
        self.configure(*overrides)

    def configure(self, *overrides: str) -> None:
        """Write the configuration of drivers that start from now on."""
        config = build_config(
            {
                "source": {"url": str(self.inbox)},
                "sink": {"url": str(self.sink)},
                "trigger": {"max_files_per_trigger": 4},
                "pipeline": {"text_layer": {"mode": "only"}, "render": {"resolution": 72}},
                "execution": {"workers": 1, "worker_wait_seconds": 20, "scheduler": self._scheduler},
            },
            overrides=overrides,
        )
        self._config.write_text(config.model_dump_json())

    def fill(self, files: int, *, pages: int = 2, start: int = 0, large: Collection[int] = ()) -> None:
        """Put new small documents into the source; the pages numbered in `large` are larger."""
        for number in range(start, start + files):
            name = f"document{number:05}.pdf"
            texts = [f"document {number} page {page}" for page in range(pages)]
            self.corpus.put(name, tiny_pdf(*texts, large=large), pages)

    def start(self, *arguments: str, module: str = "tests.faults.driver") -> subprocess.Popen[str]:
        """Start a driver."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(self._config), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def run(self, *arguments: str, module: str = "tests.faults.driver") -> int:
        """Run a driver to its end and return its exit code (negative: the signal that ended it)."""
        process = self.start(*arguments, module=module)
        _, errors = process.communicate(timeout=120)
        assert "Traceback" not in errors, errors
        return process.returncode

    def commits(self) -> int:
        """Return the number of commits in the table's log."""
        return len(list((self.sink / "pages" / "_delta_log").glob("*.json")))

    def judge(self) -> Verdict:
        """Compare the table with the source."""
        return self.corpus.judge(self.sink)

    def close(self) -> None:
        """Kill the drivers that still run."""
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def world(tmp_path: Path, scheduler: str) -> Iterator[World]:
    """Yield a world whose drivers share a Dask cluster, so that they start in half the time."""
    made = World(tmp_path, scheduler=scheduler)
    yield made
    made.close()


@pytest.fixture
def own_cluster_world(tmp_path: Path) -> Iterator[World]:
    """Yield a world in which each driver starts a Dask cluster of its own, as most runs do."""
    made = World(tmp_path)
    yield made
    made.close()
