"""The commands of the documentation do what the pages say: those that need only this machine are run, page by page."""

from __future__ import annotations

import io
import re
import shutil
from itertools import groupby
from pathlib import Path

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.cli import app
from tests.docs.test_docs import commands, stream_in

ELSEWHERE = re.compile(
    r"s3://|https://|tcp://|tls://"  # a store, a queue, a cluster
    r"|^(serve|listen|demo)\b|--every"  # these go on for ever, or have tests of their own
    r"|engine=trocr|streaming\.yaml"  # a model of 250 MB; the migration page's own test
)
OTHER_CODES = (
    (re.compile("doctor"), 4),  # what it looks for need not be on this machine
    (re.compile("export .*--format pdf"), 3),  # no PDF can be made of damaged.pdf
    (re.compile(r"forget .*letter\.\w+$"), 2),  # it asks, and here is nobody to answer
)
"""Codes besides 0 that commands may end with here."""
SAYS_NOTHING = re.compile("config check .*--json")
"""A line for each mistake, and there is none."""


def pages() -> list[tuple[str, list[list[str]]]]:
    """Each page with the commands that run here, in its order."""
    found = [(command.id.split(":")[0], list(command.values[0])) for command in commands()]
    here = [(page, words) for page, words in found if not ELSEWHERE.search(" ".join(words))]
    return [(page, [words for _, words in group]) for page, group in groupby(here, key=lambda pair: pair[0])]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of: `inbox/`, `letters.yaml` and `tables/` with two batches."""
    place = tmp_path_factory.mktemp("commands")
    (place / "letters.yaml").write_text("source: {url: inbox}\nsink: {url: tables}\nexecution: {workers: 1}\n")
    with Stream(stream_in(place, "trigger.max_files_per_trigger=2")) as stream:
        assert stream.run().batches == 2
    return place


@pytest.mark.parametrize(("page", "lines"), pages(), ids=lambda value: value if isinstance(value, str) else "")
def test_the_commands_of_a_page_run(
    page: str,
    lines: list[list[str]],
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    # The table knows files by where they are, so the same place is filled anew for each page.
    kept = shutil.copytree(place, tmp_path / "kept")
    try:
        for words in lines:
            with pytest.raises(SystemExit) as ended:
                app(words, prog_name="inkstream")
            said, errors = capfd.readouterr()
            allowed = [0, *(code for some, code in OTHER_CODES if some.match(" ".join(words)))]
            assert ended.value.code in allowed, (page, words, said, errors)
            if "--output" in words:
                assert (place / words[words.index("--output") + 1]).exists(), (page, words)
            else:
                assert bool(said) != bool(SAYS_NOTHING.match(" ".join(words))), (page, words)
            assert "Traceback" not in errors, (page, words, errors)
    finally:
        shutil.rmtree(place)
        shutil.copytree(kept, place)
