"""What a run prints, event by event."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from inkstream.flows.console.run import NEW_FILES, READ_AGAIN, Words, run_output
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.next_steps import NextStep
from inkstream.tasks.progress import (
    BatchDone,
    Cleaned,
    Compacted,
    FileDone,
    Listed,
    MessagesTaken,
    Notice,
    Planned,
    Summary,
)
from inkstream.tasks.skipped import Skipped, SkipReason

PROGRESS: dict[str, Any] = {
    "batchId": 3,
    "numInputRows": 1,
    "pages": 2,
    "failed_pages": 1,
    "durationMs": {"triggerExecution": 500},
}
FILE = FileDone("file:///in/a%20b.pdf", 2, 1, {"corrupt": 1}, 90.0, 0.5, None, ())


def printed(
    capsys: pytest.CaptureFixture[str], *events: Any, words: Words = NEW_FILES, as_json: bool = False
) -> tuple[list[str], list[str]]:
    """Return the lines on standard output and on standard error; a summary ends the run."""
    with run_output(words, as_json=as_json) as output:
        for event in events:
            if isinstance(event, Summary):
                output.finished(event)
            elif isinstance(event, TransientError):
                output.trouble(event)
            else:
                output(event)
    shown = capsys.readouterr()
    return shown.out.splitlines(), shown.err.splitlines()


def test_a_batch_is_printed_with_its_failures(capsys: pytest.CaptureFixture[str]) -> None:
    summary = Summary("tables/pages", batches=1, files=1, pages=2, failed_pages=1, version=4)
    lines, _ = printed(capsys, BatchDone("attempt", PROGRESS, (FILE,)), summary)
    assert lines == [
        "batch 3: 1 file, 2 pages, 1 failed, 0.5 s, 4.0 pages/s",
        "  a b.pdf: 1 corrupt",
        "1 batch, 1 file, 2 pages (1 failed); table version 4: tables/pages",
    ]


def test_json_goes_to_standard_output_and_notices_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    events = (Notice("a note"), BatchDone("attempt", PROGRESS, (FILE,)), Summary("tables/pages", version=4))
    lines, notes = printed(capsys, *events, as_json=True)
    assert [json.loads(line) for line in lines] == [PROGRESS, Summary("tables/pages", version=4).to_json()]
    assert notes == ["a note"]


@pytest.mark.parametrize(
    ("version", "line"),
    [(-1, "nothing new; no table exists yet"), (7, "nothing new; the table is at version 7: tables/pages")],
)
def test_a_run_without_new_files_prints_one_line(version: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Summary("tables/pages", version=version))[0] == [line]


def test_files_that_were_not_read_again_are_listed_with_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    summary = Summary("tables/pages", kept_pages=1, left_out={"file:///in/a.pdf": "it changed\x07"})
    lines, _ = printed(capsys, summary, words=READ_AGAIN)
    assert lines[1:] == [
        "1 other page of these files kept as before",
        "1 file not read again, with the rows as they were:",
        "  file:///in/a.pdf: it changed�",
    ]


def test_the_last_line_counts_what_was_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = Skipped()
    skipped.add(SkipReason.HIDDEN, "_DSC0042.png")
    line = "not read: 1 file whose name begins with _ or .: _DSC0042.png"
    for summary in (Summary("tables/pages", skipped=skipped), Summary("tables/pages", batches=1, skipped=skipped)):
        lines, _ = printed(capsys, summary)
        assert lines[-1] == line
    lines, _ = printed(capsys, Summary("tables/pages", skipped=skipped), as_json=True)
    assert json.loads(lines[-1])["skipped"] == {"hidden": 1}
    lines, _ = printed(capsys, MessagesTaken(1, 1, {}, {}, skipped))
    assert lines == ["1 message, 1 of them settled", f"  {line}"]


def test_idle_runs_tell_only_what_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = Skipped()
    skipped.add(SkipReason.HIDDEN, "_a")
    first, second = Summary("t", skipped=skipped), Summary("t", skipped=deepcopy(skipped))
    second.skipped.add(SkipReason.HIDDEN, "_b")
    with run_output(NEW_FILES, as_json=False) as output:
        for summary in (first, first, second, Summary("t"), second):
            output.idle(summary)
    assert capsys.readouterr().out.splitlines() == [
        "not read: 1 file whose name begins with _ or .: _a",
        "not read: 2 files whose names begin with _ or .: _a, _b",
        "not read: 2 files whose names begin with _ or .: _a, _b",
    ]


def test_the_other_events_are_printed_or_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    lines, errors = printed(
        capsys,
        Listed(5, 3, 2048, waiting=2),
        Planned(()),
        Compacted("tables/pages", merged=8, into=1),
        Compacted("tables/pages"),
        Compacted("tables/pages", problem="conflict"),
        Cleaned(2, {"file:///in/b.pdf": "it is a link"}),
        MessagesTaken(2, 1, {"id": "not JSON"}, {}),
        TransientError("throttled"),
    )
    assert lines == [
        "compacted: 8 files of tables/pages into 1",
        "not compacted this time, which only costs speed: conflict",
        "2 finished files removed from the source",
        "1 finished file not removed from the source; the next run tries again:",
        "  b.pdf: it is a link",
        "2 messages, 1 of them settled",
        "  left in the queue: message id: not JSON",
    ]
    assert errors == ["trying again at the next trigger: throttled"]


def test_the_end_of_a_run_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (NextStep("2 pages failed", "read again with", "inkstream retry 'my tables'"),)
    summary = Summary("tables/pages", batches=1, files=1, pages=2, failed_pages=2, unchanged=1, next_steps=steps)
    lines, _ = printed(capsys, summary)
    assert lines[0] == "1 file with a new date has the bytes of earlier rows: no new rows"
    assert lines[2] == "2 pages failed: read again with `inkstream retry 'my tables'`"
    (line,), _ = printed(capsys, summary, as_json=True)
    assert json.loads(line)["next_steps"] == [
        {"problem": "2 pages failed", "advice": "read again with", "command": "inkstream retry 'my tables'"}
    ]
    assert json.loads(line)["unchanged"] == 1
