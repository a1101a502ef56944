"""Code that breaks off is told from code that is whole."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.documents.codestreams import is_whole_fax, is_whole_jbig2, is_whole_jpeg
from tests.generators import text_image
from tests.picture_generators import encoded, group4, jbig2

CODES = {
    "jpeg": (is_whole_jpeg, encoded(text_image(), "JPEG")),
    "fax": (is_whole_fax, group4(text_image())),
    "jbig2": (is_whole_jbig2, jbig2(text_image())),
}


@pytest.mark.parametrize("name", CODES)
def test_whole_code_is_whole_even_with_a_line_break_after_it(name: str) -> None:
    is_whole, code = CODES[name]
    assert is_whole(code)
    assert is_whole(code + b"\r\n")


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7])
def test_code_that_breaks_off_is_not_whole(name: str, share: float) -> None:
    is_whole, code = CODES[name]
    assert not is_whole(code[: int(len(code) * share)])


def test_a_jpeg_that_only_lacks_its_end_mark_is_whole() -> None:
    assert is_whole_jpeg(CODES["jpeg"][1][:-2])


def test_fax_code_without_an_end_mark_is_whole_if_it_ends_with_white_rows() -> None:
    code = group4(text_image())
    bits = f"{int.from_bytes(code, 'big'):0{8 * len(code)}b}"
    without = bits[: bits.rindex("000000000001000000000001")]
    assert is_whole_fax(int(without.ljust(-(-len(without) // 8) * 8, "0"), 2).to_bytes(-(-len(without) // 8), "big"))


def test_a_segment_of_unknown_length_counts_as_whole() -> None:
    assert is_whole_jbig2(b"\0\0\0\1\x26\0\1\xff\xff\xff\xff" + bytes(9))


def test_a_segment_that_refers_to_many_others_is_understood() -> None:
    header = b"\0\0\0\x09\x06" + (0xE0000005).to_bytes(4, "big") + b"\0" + bytes(range(5)) + b"\1"
    assert is_whole_jbig2(header + (3).to_bytes(4, "big") + b"abc")
    assert not is_whole_jbig2(header + (9).to_bytes(4, "big") + b"abc")
