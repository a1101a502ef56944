"""Make the documentation's pictures of preprocessing: `python -m tests.docs.preprocess_pictures` writes them.

Each shows a page with a defect, and the same page after the step against it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.documents import make_page
from benchmarks.paper import scanned
from benchmarks.preprocess import DEFECTS, Defect, bordered, shaded, skewed, small, speckled
from inkstream import PipelineOptions, Stage, WorkingPage, open_document
from inkstream.ocr_core.stages.preprocess import steps
from inkstream.ocr_core.stages.render import Render
from tests.places import ROOT

IMAGES = ROOT / "docs" / "images"
PANEL = (360, 300)
GAP = 24
BACKGROUND = 170
"""Gray level around the panels that contrasts with both paper and borders."""

Corner = tuple[int, int] | None
VIEWS: dict[str, tuple[Defect, str, Corner]] = {
    "border": (bordered, "dark border", None),
    "denoise": (speckled, "salt and pepper", (240, 300)),
    "orient": (lambda page: page.rotate(90, expand=True), "on its side", None),
    "deskew": (skewed, "skewed by 12 degrees", None),
    "scale": (small, "scanned at 80 dpi", (60, 80)),
    "binarize": (shaded, "in a shadow", None),
}
"""For each step: the function that spoils the page, the defect's name in the benchmark, the corner of a close-up."""


def panels() -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Yield each step's name, the page before, and the page after."""
    sheet, _ = make_page(3)
    clean = scanned(sheet, 3, noise=4)
    for name, (spoil, defect, _) in VIEWS.items():
        before = spoil(clean)
        yield name, before, after(before, DEFECTS[defect][1])


def after(image: Image.Image, preprocess: dict[str, object]) -> Image.Image:
    """Return a page as the pipeline sees it."""
    options = PipelineOptions.model_validate({"preprocess": preprocess})
    chain: list[Stage] = [Render(options.render), *steps(options)]
    with tempfile.TemporaryDirectory() as folder:
        image.save(Path(folder, "page.png"))
        with open_document(Path(folder, "page.png")) as document:
            page = WorkingPage(document.page(0))
            for stage in chain:
                stage.run(page)
    assert page.pixels is not None
    return Image.fromarray(page.pixels)


def side_by_side(before: Image.Image, processed: Image.Image, corner: Corner) -> Image.Image:
    """Return two pictures side by side: both as a whole, or the same part of both at full size."""
    width, height = PANEL
    picture = Image.new("L", (2 * width + 3 * GAP, height + 2 * GAP), BACKGROUND)
    for number, image in enumerate((before, processed)):
        if corner is None:
            shown = image.copy()
            shown.thumbnail(PANEL, Image.Resampling.LANCZOS)
        else:
            factor = image.width / before.width
            x, y = round(corner[0] * factor), round(corner[1] * factor)
            shown = image.crop((x, y, x + width, y + height))
        left = GAP + number * (width + GAP) + (width - shown.width) // 2
        picture.paste(shown, (left, GAP + (height - shown.height) // 2))
    return picture.quantize(64 if corner is None else 16)


if __name__ == "__main__":
    for name, before, processed in panels():
        side_by_side(before, processed, VIEWS[name][2]).save(IMAGES / f"preprocess-{name}.png", optimize=True)
