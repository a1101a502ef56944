"""Make the documentation's pictures of overlays: `python -m tests.docs.overlay_pictures` writes them."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from inkstream import PipelineOptions, build_pipeline, open_document
from inkstream.flows.demo.inbox import make_inbox
from tests.places import ROOT

IMAGES = ROOT / "docs" / "images"

PICTURES: dict[str, tuple[str, dict[str, Any], tuple[float, float, float, float]]] = {
    "overlay-words.jpg": (
        "receipt.jpg",
        {"level": "word", "color_by_confidence": True, "filled": True, "max_side": 1100},
        (0, 0, 1, 1),
    ),
    "overlay-text.jpg": ("invoice-scan.pdf", {"label": "text", "max_side": 2000}, (0, 0, 1, 0.6)),
}
"""For each picture: the demo's document, the options, and the part shown, as fractions of the sides."""


def make(document: Path, draw: dict[str, Any], part: tuple[float, float, float, float]) -> Image.Image:
    """Read the first page of a document and return that part of its overlay."""
    options = PipelineOptions.model_validate({"text_layer": {"mode": "ignore"}, "draw": {**draw, "format": "png"}})
    with open_document(document) as opened:
        result = build_pipeline(options).run(opened, 0)
    picture = Image.open(io.BytesIO(result.overlay or b""))
    left, top, right, bottom = part
    return picture.crop(
        (int(left * picture.width), int(top * picture.height), int(right * picture.width), int(bottom * picture.height))
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_inbox(Path(folder))
        for name, (document, draw, part) in PICTURES.items():
            make(Path(folder, document), draw, part).save(IMAGES / name, quality=80, optimize=True)
