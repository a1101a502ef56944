"""Which names are documents."""

from __future__ import annotations

import pytest

from inkstream.tasks.skipped import SkipReason
from inkstream.tasks.stores.file_filter import FileFilter


@pytest.mark.parametrize(
    ("path", "reason", "flat"),
    [
        ("a.pdf", None, None),
        ("x/y/a.pdf", None, SkipReason.SUBFOLDER),
        ("a.PDF", SkipReason.GLOB, SkipReason.GLOB),
        ("_a.pdf", SkipReason.HIDDEN, SkipReason.HIDDEN),
        (".a.txt", SkipReason.HIDDEN, SkipReason.HIDDEN),
        ("_x/a.pdf", SkipReason.HIDDEN, SkipReason.SUBFOLDER),
        ("x/.y/a.pdf", SkipReason.HIDDEN, SkipReason.SUBFOLDER),
    ],
)
def test_a_path_that_a_listing_would_leave_out_has_a_reason(
    path: str, reason: SkipReason | None, flat: SkipReason | None
) -> None:
    assert FileFilter("*.pdf").path_reason(path) is reason
    assert FileFilter("*.pdf", recursive=False).path_reason(path) is flat


def test_a_folder_is_entered_unless_hidden_or_the_listing_is_flat() -> None:
    assert FileFilter().folder_reason("x") is None
    assert FileFilter().folder_reason("_x") is SkipReason.HIDDEN_FOLDER
    assert FileFilter(recursive=False).folder_reason("x") is SkipReason.SUBFOLDER
