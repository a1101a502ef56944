"""How values are written for people and programs."""

from __future__ import annotations

import json

import pytest

from inkstream.flows.text import (
    TEXT_WIDTH,
    counted,
    human_age,
    human_bytes,
    not_read,
    one_line,
    page_of,
    plain,
    print_json,
    short_name,
    visible,
)
from inkstream.tasks.skipped import Skipped, SkipReason


def test_what_was_not_read_is_one_line_with_the_worst_first() -> None:
    skipped = Skipped()
    assert not_read(skipped) is None
    for reason in (SkipReason.HIDDEN, SkipReason.GLOB, SkipReason.GLOB, SkipReason.UNREADABLE_FOLDER):
        skipped.add(reason, f"{reason}\x1b[1m")
    assert not_read(skipped, not_documents=2) == (
        "not read: 1 folder that cannot be listed: unreadable_folder�[1m; 1 file whose name begins with _ or .: "
        "hidden�[1m; 2 files outside source.glob: glob�[1m, glob�[1m; 2 files of an unsupported kind"
    )


def test_each_reason_has_words_and_many_names_end_with_dots() -> None:
    for reason in SkipReason:
        skipped = Skipped()
        for name in "abcd":
            skipped.add(reason, name)
        line = str(not_read(skipped))
        assert line.startswith("not read: 4 ")
        assert line.endswith(": a, b, c, …")


def test_json_is_one_line_and_does_not_escape_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "grün\nund blau", "at": ValueError("as text")})
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert "grün" in shown
    assert json.loads(shown) == {"text": "grün\nund blau", "at": "as text"}


@pytest.mark.parametrize(
    ("count", "noun", "plural", "shown"),
    [
        (1, "page", None, "1 page"),
        (0, "page", None, "0 pages"),
        (2, "batch", None, "2 batches"),
        (1, "file to read", "files to read", "1 file to read"),
        (3, "file to read", "files to read", "3 files to read"),
    ],
)
def test_a_count_is_followed_by_singular_or_plural(count: int, noun: str, plural: str | None, shown: str) -> None:
    assert counted(count, noun, plural) == shown


def test_displayed_page_numbers_start_at_one() -> None:
    assert page_of("a.pdf", 0) == "a.pdf page 1"
    assert page_of("a.pdf", None) == "a.pdf"


def test_names_are_decoded_and_control_characters_replaced() -> None:
    assert short_name("file:///in/a%20b%5B1%5D.pdf") == "a b[1].pdf"
    assert plain("a[red]\x1b[31m.pdf") == "a\\[red]�\\[31m.pdf"
    assert visible("a\tb\nc", keep="\n") == "a�b\nc"


def test_text_is_joined_and_cut_to_one_line() -> None:
    assert one_line(None) == ""
    assert one_line("a\n\n  b") == "a b"
    assert one_line("x" * 100) == "x" * (TEXT_WIDTH - 1) + "…"


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB")]
)
def test_sizes_are_shown_in_binary_units(count: int, shown: str) -> None:
    assert human_bytes(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "0 s"), (119, "119 s"), (150, "2.5 min"), (1800, "30 min"), (9000, "2.5 h"), (86400 * 3, "3.0 d")],
)
def test_ages_are_shown_in_readable_units(seconds: float, shown: str) -> None:
    assert human_age(seconds) == shown
