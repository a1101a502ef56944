"""Pages in every encoding give the text that was written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkstream import FailureKind, PageResult, PipelineOptions, open_document, read_document
from inkstream.ocr_core.options import RenderOptions, TextLayerOptions
from tests import generators
from tests.generators import PANGRAM

IGNORE = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))


def read(path: Path, options: PipelineOptions = IGNORE) -> list[PageResult]:
    return list(read_document(path, options, sandboxed=False))


def only(path: Path, options: PipelineOptions = IGNORE) -> PageResult:
    (result,) = read(path, options)
    return result


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_a_png_of_every_mode_is_read(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    generators.text_image(mode=mode if mode != "P" else "L").convert(mode).save(path)
    assert only(path).text == PANGRAM


def test_text_in_the_alpha_channel_is_read(tmp_path: Path) -> None:
    assert only(generators.alpha_png(tmp_path / "a.png")).text == PANGRAM


def test_a_transparent_palette_colour_becomes_white_under_dark_text(tmp_path: Path) -> None:
    image = generators.text_image().convert("P")
    image.putpalette([0, 0, 0, *[60, 60, 60] * 255])
    image.save(tmp_path / "a.png", transparency=255)
    assert only(tmp_path / "a.png").text == PANGRAM
    with open_document(tmp_path / "a.png") as document:
        pixels = document.page(0).render(RenderOptions()).pixels
    assert pixels[0, 0] == 255, "transparent pixels are white, whatever their colour"


@pytest.mark.parametrize(("suffix", "bits"), [("png", 16), ("tif", 16), ("tif", 12)])
def test_gray_of_more_than_8_bits_is_read(tmp_path: Path, suffix: str, bits: int) -> None:
    assert only(generators.deep_gray(tmp_path / f"a.{suffix}", bits=bits)).text == PANGRAM


def test_floating_point_gray_is_read(tmp_path: Path) -> None:
    samples = np.asarray(generators.text_image(), dtype=np.float32) / 255
    Image.fromarray(samples).save(tmp_path / "a.tif")
    assert only(tmp_path / "a.tif").text == PANGRAM


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    result = only(generators.exif_jpeg(tmp_path / "a.jpg", orientation))
    assert (result.text, result.width, result.height) == (PANGRAM, 1600, 300)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_not_inverted(tmp_path: Path, suffix: str) -> None:
    generators.text_image(mode="RGB").convert("CMYK").save(tmp_path / f"a.{suffix}")
    result = only(tmp_path / f"a.{suffix}", IGNORE.model_copy(update={"render": RenderOptions(color="rgb")}))
    assert result.text == PANGRAM
    with open_document(tmp_path / f"a.{suffix}") as document:
        assert document.page(0).render(RenderOptions()).pixels[0, 0] > 250


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
def test_all_pages_of_a_tiff_are_read_in_every_compression(tmp_path: Path, compression: str) -> None:
    texts = [f"Page number {number}" for number in ("one", "two", "three")]
    path = generators.tiff(tmp_path / "a.tif", texts, compression=compression)
    assert [page.text for page in read(path)] == texts
    with open_document(path) as document:
        assert [document.page(number).render(RenderOptions()).pixels.shape for number in (2, 0)] == [(300, 1600)] * 2


def test_a_big_tiff_is_read(tmp_path: Path) -> None:
    path = generators.tiff(tmp_path / "a.tif", [PANGRAM], big_tiff=True)
    assert path.read_bytes()[2] == 43
    assert only(path).text == PANGRAM


@pytest.mark.parametrize(("dpi", "told"), [((200, 200), 200), ((72, 72), 300), ((96, 96), 300), ((9600, 9600), 300)])
def test_a_plausible_resolution_is_taken_from_the_file(tmp_path: Path, dpi: tuple[int, int], told: int) -> None:
    path = generators.tiff(tmp_path / "a.tif", [PANGRAM], dpi=dpi)
    result = only(path)
    assert (result.resolution, result.text) == (told, PANGRAM)


def test_fax_pixels_become_square(tmp_path: Path) -> None:
    squashed = generators.text_image(size=(1600, 300)).resize((1600, 150))
    squashed.convert("1").save(tmp_path / "a.tif", compression="group3", dpi=(204, 98))
    result = only(tmp_path / "a.tif")
    assert (result.width, result.height, result.resolution) == (1600, 312, 204)
    assert result.text == PANGRAM


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_truncated_picture_is_corrupt(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.effect_noise((1200, 800), 90).save(path, quality=90)
    whole = path.read_bytes()
    for share in (0.3, 0.7, 0.95):
        cut = tmp_path / f"{share}.{suffix}"
        cut.write_bytes(whole[: int(len(whole) * share)])
        failure = read(cut)[0].failure
        assert failure is not None
        assert failure.kind is FailureKind.CORRUPT


def test_too_many_pixels_hit_the_limit_before_they_are_decoded(tmp_path: Path) -> None:
    for side in (8_000, 20_000, 2_000_000):
        failure = only(generators.huge_png(tmp_path / "a.png", side)).failure
        assert failure is not None
        assert failure.kind is FailureKind.LIMIT
        assert "max_pixels" in failure.message


def test_large_pdf_pages_lose_resolution_and_larger_ones_fail(tmp_path: Path) -> None:
    large = only(generators.big_page_pdf(tmp_path / "a.pdf", 3000))
    assert large.failure is None
    assert large.text == ""
    assert large.width is not None
    assert large.height is not None
    assert large.width * large.height <= 50_200_000
    assert large.resolution == 169
    largest = only(generators.big_page_pdf(tmp_path / "b.pdf", 14_400))
    assert largest.failure is not None
    assert largest.failure.kind is FailureKind.LIMIT


def test_every_page_of_a_scanned_pdf_is_read(tmp_path: Path) -> None:
    path = generators.scanned_pdf(tmp_path / "a.pdf", [PANGRAM, "", "Second page of the scan"])
    pages = read(path)
    assert [page.text for page in pages] == [PANGRAM, "", "Second page of the scan"]
    assert [(page.width, page.height, page.resolution) for page in pages] == [(2550, 3300, 300)] * 3
    assert (pages[1].confidence, pages[1].failure, pages[1].regions) == (None, None, ())


def test_a_damaged_page_fails_alone(tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", ["First", "Second", "Third"])
    path.write_bytes(with_second_page(path, b"(This is a string, not a page.)"))
    pages = read(path, PipelineOptions(text_layer=TextLayerOptions(min_chars=1)))
    assert [page.text for page in pages] == ["First", None, "Third"]
    assert pages[1].failure is not None
    assert pages[1].failure.kind is FailureKind.CORRUPT
    assert "page 2 of 3" in pages[1].failure.message


def with_second_page(path: Path, body: bytes) -> bytes:
    """Return the file with its second page replaced by another object of the same length."""
    parts = re.split(rb"(<< /Type /Page /Parent.*)", path.read_bytes())
    parts[3] = body.ljust(len(parts[3]))
    return b"".join(parts)


def test_rendered_pixels_are_two_dimensional_if_gray_and_three_if_rgb(tmp_path: Path) -> None:
    path = generators.scanned_pdf(tmp_path / "a.pdf", ["x"])
    with open_document(path) as document:
        page = document.page(0)
        assert page.render(RenderOptions()).pixels.shape == (3300, 2550)
        assert page.render(RenderOptions(color="rgb", resolution=100)).pixels.shape == (1100, 850, 3)
        page.close()
