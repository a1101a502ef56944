"""A source in a store that Inkstream does not know: its fsspec driver is a plug-in from an installed package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from inkstream.tasks.paths import encode
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("shared_workers")

CHEAP = settings(pipeline__text_layer__mode="only", execution__workers=1)
NAMES = ["a b#c.pdf", "100%25.pdf", "é'\".pdf", "sub/x y/z.pdf"]

DRIVER = '''
import os
from pathlib import Path
from fsspec.implementations.local import LocalFileSystem

class Shelf(LocalFileSystem):
    """shelf://ROOM/...: folders below SHELF_ROOT, for those who know the key."""

    protocol = "shelf"

    def __init__(self, key=None, **options):
        if key != "open sesame":
            raise TypeError("the shelf is locked")
        super().__init__(**options)

    @classmethod
    def _strip_protocol(cls, path):
        path = os.fspath(path)
        if path.startswith("shelf://"):
            path = os.path.join(os.environ["SHELF_ROOT"], path.removeprefix("shelf://"))
        return path.rstrip("/")
'''


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Let every process find the driver, and its key where fsspec looks for it."""
    plugins = tmp_path / "plugins"
    info = plugins / "shelf-1.0.dist-info"
    info.mkdir(parents=True)
    (plugins / "shelf_driver.py").write_text(DRIVER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fsspec.specs]\nshelf = shelf_driver:Shelf\n")
    path = os.pathsep.join([str(plugins), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "SHELF_ROOT": str(tmp_path), "FSSPEC_SHELF_KEY": '"open sesame"'}


def test_a_store_from_a_plug_in_is_read_end_to_end(environment: Mapping[str, str], tmp_path: Path) -> None:
    room = tmp_path / "room" / "in"
    for number, name in enumerate(NAMES):
        (room / name).parent.mkdir(parents=True, exist_ok=True)
        (room / name).write_bytes(tiny_pdf(f"first page of {number}", f"second page of {number}"))
    (room / "_partial.pdf").write_bytes(b"not there yet")
    sink = str(tmp_path / "tables")
    places = ["--source", "shelf://room/in/", "--sink", sink]

    first = run_json(*places, *CHEAP, environment=environment)[-1]
    assert (first["files"], first["pages"], first["failed_pages"]) == (len(NAMES), 2 * len(NAMES), 0)
    rows = PagesTable(sink).rows().to_pylist()
    assert {(row["path"], row["pagenum"], row["text"]) for row in rows} == {
        (encode("shelf", f"room/in/{name}"), page, f"{word} page of {number}")
        for number, name in enumerate(NAMES)
        for page, word in enumerate(("first", "second"))
    }
    assert run_json(*places, *CHEAP, environment=environment)[-1]["files"] == 0

    (room / NAMES[0]).write_bytes(tiny_pdf("written again"))
    assert run_json(*places, *CHEAP, environment=environment)[-1]["pages"] == 1


def test_a_driver_without_its_key_names_the_environment_variables(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    places = ["--source", "shelf://room/in/", "--sink", str(tmp_path / "tables")]
    without = {name: value for name, value in environment.items() if name != "FSSPEC_SHELF_KEY"}
    refused = inkstream("run", *places, *CHEAP, "--prefect", "off", code=4, environment=without).stderr
    assert "the shelf is locked" in refused
    assert "FSSPEC_SHELF_USERNAME" in refused
