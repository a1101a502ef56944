"""The word diff of two texts."""

from __future__ import annotations

import pytest

from inkstream.flows.console.diff import word_diff


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a b c", "a x c", "a [-b-] {+x+} c"),
        ("a b", "a b c", "a b {+c+}"),
        ("a b", "b", "[-a-] b"),
        ("", "new words", "{+new words+}"),
        (" ".join("abcdefghijklmnop"), " ".join("abcdefghijklmnoX"), "… l m n o [-p-] {+X+}"),
        (" ".join("xabcdefghijkx"), " ".join("yabcdefghijky"), "[-x-] {+y+} a b c d … h i j k [-x-] {+y+}"),
        ("bell", "\x1b[31mbell", "[-bell-] {+\N{REPLACEMENT CHARACTER}[31mbell+}"),
    ],
)  # fmt: skip
def test_removed_and_added_words_are_marked_without_colour(before: str, after: str, shown: str) -> None:
    assert word_diff(before, after, coloured=False).plain.strip() == shown


def test_removed_words_are_struck_and_added_ones_bold_in_colour() -> None:
    text = word_diff("a b", "a c", coloured=True)
    assert text.plain.split() == ["a", "b", "c"]
    assert {str(span.style) for span in text.spans} == {"red strike", "bold green"}
