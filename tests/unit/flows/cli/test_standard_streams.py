"""Standard output that is closed, full, a pipe that nobody reads, or not in UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkstream.flows.cli.standard_streams import is_output_closed

PRINTING = """
from inkstream.flows.cli.common import exit_codes
from inkstream.flows.cli.standard_streams import drop_unwritten_output, prepare_streams
from inkstream.flows.text import print_json
import sys, typer
prepare_streams()
try:
    with exit_codes():
        {action}
except typer.Exit as ended:
    drop_unwritten_output()
    sys.exit(ended.exit_code)
drop_unwritten_output()
"""


def ended(action: str, redirect: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    script = PRINTING.format(action=action)
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -c "$1" {redirect}', sys.executable, script],
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_text_that_an_encoding_lacks_is_shown_as_question_marks(encoding: str) -> None:
    done = ended("print('\\u0141\\u00f3d\\u017a')", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.decode(encoding).strip().strip("?ó") == "d"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_valid_utf_8_in_every_encoding(encoding: str) -> None:
    done = ended("print_json(dict(text='\\u0141\\u00f3d\\u017a \\u20ac'))", PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout.decode("utf-8")) == {"text": "Łódź €"}


def test_a_pipe_that_nobody_reads_ends_the_command_with_141_and_no_message() -> None:
    done = ended("print_json(dict(text='x' * 100_000))", "| true")
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_behind_standard_output_ends_with_one_sentence_and_4() -> None:
    done = ended("print_json(dict(text='x'))", "> /dev/full")
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"inkstream: No space left on device; what is committed stays")


@pytest.mark.parametrize("words", ["--help", "run --help", "--version"])
def test_a_full_disk_ends_the_help_with_one_sentence_and_4(words: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m inkstream {words} > /dev/full", shell=True, capture_output=True, check=False
    )
    assert done.returncode == 4
    assert done.stderr.startswith(b"inkstream: No space left on device")
    assert len(done.stderr.splitlines()) == 2


def test_files_do_not_take_the_number_of_a_standard_stream_that_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    done = ended(f"open({str(file)!r}, 'w').close(); print('into nowhere', flush=True)", "<&- >&- 2>&-")
    assert done.returncode == 0
    assert file.read_bytes() == b""


def test_an_output_that_is_read_counts_as_open() -> None:
    assert not is_output_closed()
