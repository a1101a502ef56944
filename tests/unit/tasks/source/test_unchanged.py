"""Versions of files whose bytes have rows already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inkstream.tasks.model import FileVersion, KnownBytes
from inkstream.tasks.source.discovery import compare
from tests.unit.tasks.source.test_discovery import Table, config, version

OLD = version("a", "old")
TOUCHED = replace(OLD, etag="touched", modified=version("a", hours=1).modified)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_touched_file_is_new_until_its_bytes_are_recorded(mode: str) -> None:
    found = compare(config(mode), Table((OLD, 0), hashes={OLD: "x"}), [TOUCHED])
    assert found.files == [TOUCHED]
    assert found.possibly_unchanged == {"a": KnownBytes(OLD, "x")}
    found = compare(config(mode), Table((OLD, 0), hashes={OLD: "x"}, recorded={TOUCHED: "x"}), [TOUCHED])
    assert (found.files, found.known_files, found.stand_ins) == ([], [TOUCHED], {TOUCHED.key: OLD})


def test_a_record_of_other_bytes_does_not_make_a_version_known() -> None:
    found = compare(config("append"), Table((OLD, 0), hashes={OLD: "x"}, recorded={TOUCHED: "y"}), [TOUCHED])
    assert found.files == [TOUCHED]


def test_a_record_does_not_count_once_other_bytes_have_newer_rows() -> None:
    other = replace(OLD, etag="other")
    table = Table((OLD, 0), (other, 1), hashes={OLD: "x", other: "y"}, recorded={TOUCHED: "x"})
    found = compare(config("append"), table, [TOUCHED])
    assert found.files == [TOUCHED]
    assert found.possibly_unchanged == {"a": KnownBytes(other, "y")}


def test_rows_that_were_read_again_still_stand_in() -> None:
    table = Table((OLD, 0), (OLD, 4), hashes={OLD: "x"}, recorded={TOUCHED: "x"})
    assert compare(config("append"), table, [TOUCHED]).files == []


def test_a_file_of_another_size_or_with_rows_without_a_hash_is_not_compared() -> None:
    larger = replace(TOUCHED, size=2)
    assert compare(config("append"), Table((OLD, 0), hashes={OLD: "x"}), [larger]).possibly_unchanged == {}
    assert compare(config("append"), Table((OLD, 0)), [TOUCHED]).possibly_unchanged == {}


def test_the_same_bytes_under_another_path_are_new() -> None:
    elsewhere = FileVersion("b", OLD.etag, OLD.size, OLD.modified)
    found = compare(config("append"), Table((OLD, 0), hashes={OLD: "x"}), [elsewhere])
    assert (found.files, found.possibly_unchanged) == ([elsewhere], {})


def test_a_file_that_comes_back_after_it_was_forgotten_is_new_and_a_recorded_version_stays_forgotten() -> None:
    table = Table((OLD, 0), (OLD, 1), recorded={TOUCHED: "x"}, hashes_by_batch={0: "x"})
    back = replace(TOUCHED, etag="back")
    found = compare(config("append"), table, [TOUCHED])
    assert found.files == []
    found = compare(config("append"), table, [back])
    assert (found.files, found.possibly_unchanged) == ([back], {})
