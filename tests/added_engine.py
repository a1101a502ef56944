"""An engine that a package of its own adds: the one that docs/how-to/add-an-engine.md writes."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.places import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-an-engine.md"
BLOCK = re.compile(r"```(py|toml)\n# (\S+)\n(.*?)```", re.DOTALL)
LABELS = ["CARRIAGE PAID IN ADVANCE", "FOURTEEN BARRELS OF TAR", "NO RETURNS AFTER MAY 1902"]


def install(folder: Path, *changes: tuple[str, str], name: str = "acme") -> Path:
    """Install the page's package into a folder, as pip does with `--target`.

    Args:
        folder: Where; it has to be on the path of Python.
        changes: Texts of the page's code, and what stands in their place.
        name: Of the entry point.
    """
    text = PAGE.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    files = {file: body for _, file, body in BLOCK.findall(text)}
    assert '[project.entry-points."inkstream.engines"]\nacme = "acme_reader:ENGINE"' in files.pop("pyproject.toml")
    metadata = folder / "acme_reader-1.2.dist-info"
    files |= {
        f"{metadata.name}/METADATA": "Metadata-Version: 2.1\nName: acme-reader\nVersion: 1.2\n",
        f"{metadata.name}/entry_points.txt": f"[inkstream.engines]\n{name} = acme_reader:ENGINE\n",
    }
    for file, body in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(body, encoding="utf-8")
    return folder


def labels() -> Image.Image:
    """Return a page of labels in the typeface that the engine knows."""
    image = Image.new("L", (1200, 400), 250)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(LABELS):
        draw.text((60, 40 + 110 * number), line, font=ImageFont.load_default(size=48), fill=20)
    return image
