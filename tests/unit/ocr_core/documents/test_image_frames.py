"""Thumbnails, smaller copies, masks and previews are not pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inkstream import LimitOptions, PipelineOptions, probe, read_document
from inkstream.ocr_core.options import TextLayerOptions
from tests.generators import text_image
from tests.places import shared

IGNORE = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))
REDUCED, MASK = {254: 1}, {254: 4}
OLD_REDUCED = {255: 2}


def tiff(path: Path, frames: list[tuple[str, dict[int, int]]]) -> Path:
    """Write a TIFF of one text per frame, with each frame's own tags; a frame with tags is half as large."""
    pictures = []
    for text, tags in frames:
        picture = text_image(text)
        picture = picture.resize((800, 150)) if tags else picture
        picture.encoderinfo = {"tiffinfo": tags or {254: 0}}
        pictures.append(picture)
    first, *others = pictures
    first.save(path, "TIFF", save_all=True, append_images=others, tiffinfo=frames[0][1])
    return path


def texts(path: Path) -> list[str | None]:
    return [page.text for page in read_document(path, IGNORE, sandboxed=False)]


@pytest.mark.parametrize("tags", [REDUCED, MASK, OLD_REDUCED, {254: 5}])
def test_smaller_copies_and_masks_of_a_page_are_not_pages(tmp_path: Path, tags: dict[int, int]) -> None:
    path = tiff(tmp_path / "a.tif", [("First page", {}), ("First page", tags), ("Second page", {})])
    assert probe(path).pages == 2
    assert texts(path) == ["First page", "Second page"]


def test_the_levels_of_a_pyramid_are_one_page(tmp_path: Path) -> None:
    assert texts(tiff(tmp_path / "a.tif", [("The map", {}), ("The map", REDUCED), ("The map", REDUCED)])) == ["The map"]


def test_a_thumbnail_that_comes_first_is_not_a_page(tmp_path: Path) -> None:
    assert texts(tiff(tmp_path / "a.tif", [("The map", REDUCED), ("The map", {})])) == ["The map"]


def test_a_page_of_a_multi_page_file_is_one(tmp_path: Path) -> None:
    assert probe(tiff(tmp_path / "a.tif", [("First page", {254: 2}), ("Second page", {254: 2})])).pages == 2


def test_frames_that_all_call_themselves_copies_are_pages(tmp_path: Path) -> None:
    assert probe(tiff(tmp_path / "a.tif", [("First page", REDUCED), ("Second page", REDUCED)])).pages == 2


def test_only_pages_count_towards_the_limit(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", [("The map", {}), ("The map", REDUCED), ("The map", REDUCED)])
    assert probe(path, LimitOptions(max_pages=1)).pages == 1


@pytest.mark.parametrize(("scale", "notes"), [(1, ("first of 2 frames",)), (4, ())])
def test_the_preview_in_a_photo_is_no_frame(tmp_path: Path, scale: int, notes: tuple[str, ...]) -> None:
    photo = text_image().convert("RGB")
    preview = photo.resize((photo.width // scale, photo.height // scale), Image.Resampling.LANCZOS)
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview])
    assert probe(tmp_path / "a.jpg").notes == notes
    assert texts(tmp_path / "a.jpg") == ["The quick brown fox jumps over the lazy dog"]


@pytest.mark.parametrize("path", shared("reports", "26_*.tif"), ids=lambda path: path.name)
def test_the_reported_deed_has_two_pages(path: Path) -> None:
    assert probe(path).pages == 2
