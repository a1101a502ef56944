"""`inkstream demo` for a newcomer: the printed command works as pasted, and a second run reads only new files."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream

NOWHERE = "http://127.0.0.1:9"
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
SHOWN = (
    "invoice-scan.pdf",
    "Minutes of the Harbour Library",
    "GREEN LANE GROCERS",
    "corrupt: the PDF is damaged",
    "5 files, 7 pages (1 failed)",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """The folder of a demo that ran once, and its output."""

    folder: Path
    shown: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    place = tmp_path_factory.mktemp("demo")
    return Demo(place / "demo", inkstream("demo", "--prefect", "off", cwd=place, environment=os.environ).stdout)


def test_the_demo_prints_a_command_that_works_as_pasted(demo: Demo, tmp_path: Path) -> None:
    shown = demo.shown
    assert [text for text in SHOWN if text not in shown] == []

    (pasted,) = (line for line in shown.splitlines() if " -c " in line)
    read = subprocess.run(
        ["/bin/sh", "-c", pasted],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **OFFLINE, "COLUMNS": "200"},
    )
    assert read.returncode == 0, read.stderr
    assert "shape: (7, 6)" in read.stdout
    assert read.stderr == ""

    overlay = re.search(r"lines drawn: (/.*\.jpg)$", shown, re.MULTILINE)
    assert overlay is not None
    with Image.open(overlay[1], formats=["JPEG"]) as picture:
        picture.load()
        assert max(picture.size) == 2000
        assert _has_green(picture)


def test_a_second_demo_reads_nothing_and_a_third_only_the_new_file(demo: Demo) -> None:
    table = PagesTable(str(demo.folder / "tables"))
    version = table.version()
    again = inkstream("demo", "--prefect", "off", cwd=demo.folder.parent, environment=os.environ).stdout
    assert "nothing new" in again
    assert "batch" not in again
    assert table.version() == version

    added = demo.folder / "inbox" / "added.pdf"
    added.write_bytes(tiny_pdf("one more document"))
    third = inkstream("demo", "--prefect", "off", cwd=demo.folder.parent, environment=os.environ).stdout
    assert "1 batch, 1 file, 1 page (0 failed)" in third
    rows = table.rows(columns=["path", "batch_id"]).to_pylist()
    assert len(rows) == 8
    assert [row["path"].rpartition("/")[2] for row in rows if row["batch_id"] == 2] == [added.name]


def _has_green(picture: Image.Image) -> bool:
    red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB")).astype(int), -1, 0)
    return bool(((green > red + 60) & (green > blue + 60)).any())
