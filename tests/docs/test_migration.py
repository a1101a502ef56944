"""The migration page lists every accepted name, and its pipelines run as written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkstream.flows.query import StreamingQuery
from inkstream.ocr_core.text.metrics import character_error_rate, word_score
from inkstream.tasks.config import build_config, load_config_file, plain
from inkstream.tasks.config.spark_names import ALIASES, ANSWERS, Alias
from inkstream.tasks.presets import PRESETS
from inkstream.tasks.progress import Summary
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests import generators
from tests.integration.command import inkstream
from tests.places import ROOT
from tests.unit.ocr_core.engines.ppocr.test_recognizer import LINES as WRITTEN
from tests.unit.ocr_core.engines.ppocr.test_recognizer import photo

PAGE = (ROOT / "docs/how-to/migrate-from-spark-ocr.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
YAML = re.compile(r"```yaml[^\n]*\n(.*?)```", re.DOTALL)
LETTER = ["Dear Ms Harbour", "we have received eleven volumes", "and every page is read by machine"]
MINUTES = ["Minutes of the meeting", "The harbour library opens in May"]


def pipeline(heading: str, number: int) -> str:
    """Return the nth configuration under a heading of the page."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return str(YAML.findall(section)[number])


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: f"{alias.name} {alias.target}")
def test_every_accepted_name_is_marked_as_taken(alias: Alias) -> None:
    rows = [row for row in ROWS if f"`{alias.name}`" in row]
    places = [place or "the top" for place in alias.places]
    assert any("| taken " in row and all(place in row for place in places) for row in rows) or (
        any("| the same name |" in row for row in rows) and alias.target.endswith(f".{alias.name}")
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answered_name_is_listed(name: str) -> None:
    assert any(f"`{name}`" in row and "| no |" in row for row in ROWS)


def test_sparks_names_give_the_presets() -> None:
    for heading, number, preset in (
        ("The streaming pipeline in Python", 1, "ocr-streaming"),
        ("The streaming pipeline in Scala", 0, "ocr-regions"),
        ("The handwriting pipeline", 0, "handwritten"),
    ):
        written: dict[str, Any] = plain(build_config(load_config_file(pipeline(heading, number), "the page")))
        expected = plain(build_config({"source": {"url": "inbox"}, "sink": {"url": "tables"}}, preset=preset))
        assert {**written, "stream": "main"} == expected
    assert set(PRESETS) == set(re.findall(r"preset `([\w-]+)` is this pipeline", PAGE))


@pytest.mark.parametrize(
    ("heading", "number"),
    [("The streaming pipeline in Python", 0), ("The streaming pipeline in Scala", 0)],
)
def test_the_streaming_pipelines_run_as_they_are_written(heading: str, number: int, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    generators.scanned_pdf(tmp_path / "inbox" / "letter.pdf", ["\n".join(LETTER), "\n".join(MINUTES)], dpi=200)
    generators.page_image(LETTER, dpi=200).save(tmp_path / "inbox" / "letter.png")
    (tmp_path / "inbox" / "damaged.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    (tmp_path / "streaming.yaml").write_text(pipeline(heading, number))
    inkstream("run", "streaming.yaml", "--prefect", "off", "--set", "execution.workers=1", cwd=tmp_path)
    columns = ["timestamp", "pagenum", "path", "text", "exception"]
    rows = PagesTable(str(tmp_path / "tables")).rows(columns=columns).to_pylist()
    found = {(row["path"].rpartition("/")[2], row["pagenum"]): row for row in rows}
    assert set(found) == {("letter.pdf", 0), ("letter.pdf", 1), ("letter.png", 0), ("damaged.pdf", None)}
    assert found["damaged.pdf", None]["exception"]
    assert found["damaged.pdf", None]["text"] is None
    for key, lines in ((("letter.pdf", 0), LETTER), (("letter.pdf", 1), MINUTES), (("letter.png", 0), LETTER)):
        assert found[key]["exception"] is None
        assert word_score(" ".join(lines), found[key]["text"]).recall > 0.9
    assert all(row["timestamp"] for row in rows)


def test_the_handwriting_pipeline_runs_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    photo(angle=-4.0).save(tmp_path / "inbox" / "photo.jpg", quality=90)
    (tmp_path / "photos.yaml").write_text(pipeline("The handwriting pipeline", 0))
    inkstream("run", "photos.yaml", "--prefect", "off", "--set", "execution.workers=1", cwd=tmp_path)
    (row,) = PagesTable(str(tmp_path / "tables")).rows().to_pylist()
    assert (row["exception"], row["engine"]) == (None, "ppocr")
    assert character_error_rate("\n".join(WRITTEN), row["text"]) < 0.05
    with Image.open(row["overlay_path"]) as overlay:
        assert overlay.size == (row["width"], row["height"])
        red, green, blue = (channel.astype(int) for channel in np.asarray(overlay.convert("RGB")).transpose(2, 0, 1))
    drawn = (green > red + 60) & (green > blue + 60)
    assert drawn.any(axis=1).sum() > row["height"] / 4  # four lines, framed


def test_the_page_lists_every_attribute_of_the_query_handle() -> None:
    """The page lists its public attributes and no others."""
    section = PAGE.partition("### The query handle\n")[2].partition("\n### ")[0]
    config = build_config({"source": {"url": "inbox"}, "sink": {"url": "memory://none"}})
    query = StreamingQuery(config, lambda *_, **__: Summary(table="none"), pause=0, once=True)
    assert query.await_termination(60)
    public = {name for name in dir(query) if not name.startswith("_")}
    assert "trouble" in public  # some attributes are only set when a query starts
    assert set(re.findall(r"`query\.(\w+)", section)) == public
