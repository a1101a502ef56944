"""Installs the package from docs/how-to/add-an-engine.md, which adds an engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.places import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-an-engine.md"
BLOCK = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
LABELS = ["CARRIAGE PAID IN ADVANCE", "FOURTEEN BARRELS OF TAR", "NO RETURNS AFTER MAY 1902"]


def install(folder: Path, *changes: tuple[str, str], name: str | None = None) -> Path:
    """Install the page's package into a folder, as pip does with `--target`.

    Args:
        folder: Folder to install into; it has to be on Python's path.
        changes: Texts of the page's code, and their replacements.
        name: Name of the entry point; None for the page's own.
    """
    text = PAGE.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    files = dict(BLOCK.findall(text))
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    points = {name or own: target for own, target in project["entry-points"]["inkstream.engines"].items()}
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    listed = "".join(f"{point} = {target}\n" for point, target in points.items())
    metadata = f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    files |= {f"{metadata}/METADATA": about, f"{metadata}/entry_points.txt": f"[inkstream.engines]\n{listed}"}
    for file, body in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(body, encoding="utf-8")
    return folder


def labels() -> Image.Image:
    """Return a page of labels in the typeface that the engine can read."""
    image = Image.new("L", (1200, 400), 250)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(LABELS):
        draw.text((60, 40 + 110 * number), line, font=ImageFont.load_default(size=48), fill=20)
    return image
