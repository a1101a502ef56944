from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.text.characters import as_typed, is_suspect


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        (0xFB01, "fi"),
        (0xFB04, "ffl"),
        (0xFEFB, "\u0644\u0627"),
        (0xF0B7, "\u2022"),
        (0x1D465, "\U0001d465"),
        (0x200B, ""),
        (0xAD, ""),
        (0xD800, "\ufffd"),
        (0xFF21, "\uff21"),
        (0x200C, "\u200c"),
    ],
)
def test_characters_come_out_as_a_person_types_them(code: int, typed: str) -> None:
    assert as_typed(code) == typed


@given(st.integers(0, 0x1FFFFF))
def test_every_code_point_can_be_encoded(code: int) -> None:
    as_typed(code).encode()


@given(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\ufffd"))
def test_letters_digits_and_marks_are_not_suspect(character: str) -> None:
    assert not is_suspect(character)


@pytest.mark.parametrize("code", [0x0, 0x1F, 0x85, 0xE000, 0xFFFD, 0xFFFE, 0xF0000])
def test_control_and_private_characters_are_suspect(code: int) -> None:
    assert is_suspect(chr(code))
