"""The primary picture of a HEIF or AVIF file is read, turned once, within the limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inkstream import FailureKind, PageResult, PipelineOptions, probe, read_document
from inkstream.ocr_core.documents import heif
from inkstream.ocr_core.installation import install_command
from inkstream.ocr_core.options import RenderOptions, TextLayerOptions
from tests.generators import INVERSE, PANGRAM, text_image

pillow_heif = pytest.importorskip("pillow_heif")


def options(**render: int) -> PipelineOptions:
    return PipelineOptions(text_layer=TextLayerOptions(mode="ignore"), render=RenderOptions(**render))


def only(path: Path, *, sandboxed: bool = False, **render: int) -> PageResult:
    (result,) = read_document(path, options(**render), sandboxed=sandboxed)
    return result


def stored(orientation: int) -> Image.Image:
    turn = INVERSE[orientation]
    picture = text_image().convert("RGB")
    return picture if turn is None else picture.transpose(turn)


def exif(orientation: int) -> Image.Exif:
    values = Image.Exif()
    values[0x0112] = orientation
    return values


def save_heif(picture: Image.Image, path: Path, **save: object) -> Path:
    pillow_heif.from_pillow(picture).save(path, **save)
    return path


@pytest.mark.parametrize("orientation", INVERSE)
def test_a_turn_that_only_exif_states_is_applied(tmp_path: Path, orientation: int) -> None:
    pillow_heif.register_heif_opener()
    stored(orientation).save(tmp_path / "a.heic", exif=exif(orientation))
    assert only(tmp_path / "a.heic").text == PANGRAM


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turn_that_the_container_states_is_applied_once(tmp_path: Path, orientation: int) -> None:
    path = save_heif(stored(orientation), tmp_path / "a.heic", exif=exif(orientation).tobytes())
    assert any(turn in path.read_bytes() for turn in (b"irot", b"imir"))
    result = only(path)
    assert (result.text, result.width, result.height) == (PANGRAM, 1600, 300)


@pytest.mark.parametrize("orientation", [1, 6])
def test_avif_is_read_without_the_extra(tmp_path: Path, orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(orientation).save(tmp_path / "a.avif", exif=exif(orientation), quality=90)
    monkeypatch.setattr(heif, "missing_modules", lambda _: ("pillow_heif",))
    assert probe(tmp_path / "a.avif").format == "avif"
    assert only(tmp_path / "a.avif").text == PANGRAM


def test_only_the_primary_picture_is_read(tmp_path: Path) -> None:
    file = pillow_heif.from_pillow(text_image("The other one").convert("RGB"))
    file.add_from_pillow(text_image().convert("RGB"))
    file.save(tmp_path / "a.heic", primary_index=1)
    result = only(tmp_path / "a.heic")
    assert (result.text, result.total_pages) == (PANGRAM, 1)
    assert result.notes == ("main one of 2 frames (number 2)",)


def test_white_text_on_transparent_ground_is_read(tmp_path: Path) -> None:
    white = Image.new("RGB", (1600, 300), "white")
    white.putalpha(text_image().point(lambda sample: 255 - sample))
    save_heif(white, tmp_path / "a.heic", quality=-1)
    assert only(tmp_path / "a.heic").text == PANGRAM


def test_a_large_picture_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_heif(text_image().convert("RGB"), tmp_path / "a.heic")
    monkeypatch.setattr("pillow_heif.as_plugin.HeifImageFile.load", lambda _: pytest.fail("decoded"))
    result = only(path, max_pixels=100_000)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.LIMIT


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_picture_that_breaks_off_is_corrupt(tmp_path: Path, share: float) -> None:
    data = save_heif(text_image().convert("RGB"), tmp_path / "a.heic").read_bytes()
    (tmp_path / "a.heic").write_bytes(data[: int(len(data) * share)])
    result = only(tmp_path / "a.heic")
    assert result.failure is not None
    assert result.failure.kind is FailureKind.CORRUPT


def test_it_is_read_in_the_sandbox(tmp_path: Path) -> None:
    path = save_heif(text_image().convert("RGB"), tmp_path / "a.heic")
    assert only(path, sandboxed=True).text == PANGRAM


def test_without_the_extra_the_row_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_heif(text_image().convert("RGB"), tmp_path / "a.heic")
    monkeypatch.setattr(heif, "missing_modules", lambda _: ("pillow_heif",))
    result = only(path)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.UNSUPPORTED
    assert install_command("heif") in result.failure.message
