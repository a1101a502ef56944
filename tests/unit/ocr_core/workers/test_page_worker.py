from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inkstream import (
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    LimitOptions,
    PageWorker,
    PipelineOptions,
    read_document,
)
from inkstream.ocr_core.options import DrawOptions, RecognizeOptions, TextLayerOptions
from inkstream.ocr_core.workers import page_worker
from tests import generators

LIMITS = LimitOptions(page_seconds=30, page_cpu_seconds=30, memory_mb=512)
TEXT = "Fourteen barrels of tar"


@pytest.fixture(scope="module")
def worker() -> Iterator[PageWorker]:
    with PageWorker(limits=LIMITS) as opened:
        yield opened


def test_a_worker_reads_the_pages_of_a_file(worker: PageWorker, tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a #%\n\udcff.pdf", [TEXT, "", TEXT])
    assert worker.probe(path).pages == 3
    pages = [worker.page(path, number, 3) for number in range(3)]
    assert [page.text for page in pages] == [TEXT, "", TEXT]
    assert [page.pagenum for page in pages] == [0, 1, 2]
    assert all(page.processing_ms > 0 for page in pages)


def test_the_overlay_and_its_format_are_returned(worker: PageWorker, tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT])
    page = worker.page(path, 0, 1, PipelineOptions(draw=DrawOptions()))
    assert page.overlay is not None
    assert page.overlay.startswith(b"\xff\xd8")
    assert page.overlay_format == "jpeg"
    assert worker.page(path, 0, 1).overlay is None, "options apply to one call only"


def test_a_changed_file_is_opened_again(worker: PageWorker, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    for text in ("The first version", "The second version"):
        generators.born_digital_pdf(path, [text])
        assert worker.page(path, 0, 1).text == text


def test_a_file_that_cannot_be_opened_fails_on_each_page(worker: PageWorker, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 and nothing more")
    with pytest.raises(DocumentError):
        worker.probe(path)
    page = worker.page(path, 4, 9)
    assert page.failure is not None
    assert (page.pagenum, page.total_pages, page.failure.kind) == (4, 9, FailureKind.CORRUPT)
    gone = worker.page(tmp_path / "gone", 0)
    assert gone.failure is not None
    assert gone.failure.kind is FailureKind.UNREADABLE


def test_environment_and_config_errors_propagate(worker: PageWorker, tmp_path: Path) -> None:
    generators.text_image().save(tmp_path / "a.png")
    missing = PipelineOptions(recognize=RecognizeOptions(languages=("xyz",)))
    with pytest.raises(EnvironmentFault, match="xyz"):
        worker.page(tmp_path / "a.png", 0, 1, missing)
    wrong = PipelineOptions(recognize=RecognizeOptions(per_region=True))
    with pytest.raises(ConfigError, match="recognize needs regions"):
        worker.page(tmp_path / "a.png", 0, 1, wrong)


@pytest.mark.parametrize("binding", ["tesserocr", "pytesseract"])
def test_both_bindings_work_in_the_sandbox(worker: PageWorker, tmp_path: Path, binding: str) -> None:
    generators.text_image().save(tmp_path / "a.png")
    chosen = PipelineOptions(recognize=RecognizeOptions(binding=binding))
    assert worker.page(tmp_path / "a.png", 0, 1, chosen).text == generators.PANGRAM


def test_a_flate_bomb_is_a_memory_failure(tmp_path: Path) -> None:
    path = generators.flate_bomb_pdf(tmp_path / "a.pdf", 600)
    assert path.stat().st_size < 10_000
    with PageWorker(limits=LIMITS.model_copy(update={"memory_mb": 256})) as worker:
        page = worker.page(path, 0, 1)
        assert page.failure is not None
        assert page.failure.kind is FailureKind.MEMORY
        fine = generators.born_digital_pdf(tmp_path / "b.pdf", [TEXT])
        assert worker.page(fine, 0, 1).text == TEXT


def test_an_endless_pattern_is_a_timeout(tmp_path: Path) -> None:
    path = generators.endless_pattern_pdf(tmp_path / "a.pdf")
    limits = LIMITS.model_copy(update={"page_seconds": 1.0})
    with PageWorker(PipelineOptions(text_layer=TextLayerOptions(mode="ignore")), limits) as worker:
        worker.start()
        page = worker.page(path, 0, 1)
    assert page.failure is not None
    assert page.failure.kind is FailureKind.TIMEOUT
    assert 900 < page.processing_ms < 60_000, "the page runs until its time limit"


def test_read_document_gives_the_same_with_and_without_sandbox(tmp_path: Path) -> None:
    path = generators.scanned_pdf(tmp_path / "a.pdf", [TEXT, TEXT])
    for sandboxed in (True, False):
        pages = list(read_document(path, limits=LIMITS, sandboxed=sandboxed))
        assert [page.text for page in pages] == [TEXT, TEXT]
    (tmp_path / "empty").touch()
    for sandboxed in (True, False):
        (page,) = read_document(tmp_path / "empty", sandboxed=sandboxed)
        assert page.failure is not None
        assert (page.pagenum, page.failure.kind) == (None, FailureKind.EMPTY)


def test_answers_of_a_compromised_process_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_worker, "HANDLER", "tests.faults.handlers_page:escape")
    with PageWorker() as worker:
        with pytest.raises(DocumentError, match="malformed result") as caught:
            worker.probe(tmp_path / "a.pdf")
        assert caught.value.kind is FailureKind.CRASH
        result = worker.page(tmp_path / "a.pdf", 0, 1)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.CRASH
    assert result.overlay is None
