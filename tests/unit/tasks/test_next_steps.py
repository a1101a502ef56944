"""What a run tells people to do next."""

from __future__ import annotations

import shlex

from inkstream.tasks.next_steps import (
    Place,
    check_unsure,
    leave_out_others,
    read_empty_otherwise,
    retry_failed,
)

DELTA = Place("/my tables/it's", "main", can_replace=True)
PARQUET = Place("tables", "main", can_replace=False)


def test_failed_pages_are_retried_with_a_command_that_can_be_pasted() -> None:
    step = retry_failed(12, DELTA)
    assert str(step).startswith("12 pages failed: read again with `inkstream retry ")
    assert step.command is not None
    assert shlex.split(step.command) == ["inkstream", "retry", "/my tables/it's", "--stream", "main"]


def test_a_sink_that_cannot_replace_rows_shows_the_failures_instead() -> None:
    assert retry_failed(1, PARQUET).command == "inkstream show tables"


def test_empty_pages_are_read_again_as_handwriting() -> None:
    step = read_empty_otherwise(1, ["file:///in/a%20b.png"], DELTA, has_preset=False)
    assert step.command is not None
    assert shlex.split(step.command)[4:] == ["main", "--preset", "handwritten", "--path", "file:///in/a%20b.png"]
    assert step.problem == "1 page with ink came out empty"


def test_many_empty_files_are_not_named() -> None:
    step = read_empty_otherwise(9, [f"file:///in/{number}" for number in range(6)], DELTA, has_preset=False)
    assert str(step) == "9 pages with ink came out empty: try `--preset handwritten`"


def test_the_preset_is_not_advised_to_those_who_use_its_engine() -> None:
    assert "handwritten" not in str(read_empty_otherwise(1, ["file:///in/a"], DELTA, has_preset=True))


def test_other_advice_names_the_option() -> None:
    assert "`recognize.languages`" in str(check_unsure(3))
    assert str(leave_out_others(2)).startswith("2 files are not documents that can be read: set `source.glob`")
    assert leave_out_others(1).to_json()["problem"] == "1 file is not a document that can be read"
