"""`inkstream ocr`: one document, no table."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def test_ocr_prints_text_and_json(small_sink: SmallSink) -> None:
    document = small_sink.folder / "inbox" / "a.pdf"
    assert inkstream("ocr", document).stdout == "first page of a\n\fsecond page of a\n"
    pages = [json.loads(line) for line in inkstream("ocr", document, "--format", "json").stdout.splitlines()]
    assert [page["pagenum"] for page in pages] == [0, 1]
    assert pages[0]["regions"]


def test_a_document_is_found_under_its_name_in_either_normal_form(small_sink: SmallSink, tmp_path: Path) -> None:
    (tmp_path / "Mu\u0308ller.pdf").write_bytes((small_sink.folder / "inbox" / "a.pdf").read_bytes())
    shown = inkstream("ocr", "M\u00fcller.pdf", cwd=tmp_path).stdout
    assert shown == "first page of a\n\fsecond page of a\n"


def test_what_is_not_a_document_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in inkstream("ocr", tmp_path / "none", code=2).stderr
    assert "is a directory" in inkstream("ocr", tmp_path, code=2).stderr


def test_a_failure_goes_to_standard_error_and_is_exit_code_3(small_sink: SmallSink) -> None:
    document = small_sink.folder / "inbox" / "damaged.pdf"
    done = inkstream("ocr", document, code=3)
    assert done.stderr.startswith(f"{document}: corrupt: ")


def test_only_selected_pages_are_read_and_notes_go_to_standard_error(small_sink: SmallSink) -> None:
    document = small_sink.folder / "inbox" / "a.pdf"
    assert inkstream("ocr", document, "--pages", "last").stdout == "\fsecond page of a\n"
    none = inkstream("ocr", document, "--pages", "7-")
    assert (none.stdout, "none of its 2 pages" in none.stderr) == ("", True)
    assert "counted from 1" in inkstream("ocr", document, "--pages", "0", code=2).stderr
    only = json.loads(inkstream("ocr", document, "--pages", "2", "--format", "json").stdout)
    assert (only["pagenum"], only["total_pages"], only["notes"]) == (1, 2, [])


def test_output_goes_to_a_new_file_but_not_over_the_document(small_sink: SmallSink, tmp_path: Path) -> None:
    document = small_sink.folder / "inbox" / "a.pdf"
    inkstream("ocr", document, "--format", "pdf", "--output", tmp_path / "new" / "a.pdf")
    assert (tmp_path / "new" / "a.pdf").read_bytes().startswith(b"%PDF")
    assert "is a folder" in inkstream("ocr", document, "--output", tmp_path, code=2).stderr
    itself = inkstream("ocr", document, "--output", document, code=2).stderr
    assert "is the document itself, which is not overwritten" in itself
    (tmp_path / "file").touch()
    below = inkstream("ocr", document, "--output", tmp_path / "file" / "a.txt", code=2).stderr
    assert "cannot be written" in below


def test_output_may_go_to_a_named_pipe(small_sink: SmallSink, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    inkstream("ocr", small_sink.folder / "inbox" / "late.pdf", "--output", tmp_path / "pipe")
    reader.join()
    assert read == ["the text that came late\n"]
