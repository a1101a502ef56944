"""An error on a page becomes its failure, except environment and transient faults; the page is always closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import ConfigError, DocumentError, EnvironmentFault, FailureKind, open_document
from inkstream.ocr_core.page import DocumentInfo
from inkstream.ocr_core.pipeline.attempt import Attempt, opened_page
from inkstream.ocr_core.stages.stage import WorkingPage
from tests.generators import text_image

INFO = DocumentInfo("png", 3, ("repaired",))


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (DocumentError(FailureKind.LIMIT, "too large"), FailureKind.LIMIT, "too large"),
        (MemoryError(), FailureKind.MEMORY, "memory_mb"),
        (RuntimeError("std::bad_alloc"), FailureKind.MEMORY, "memory_mb"),
        (KeyError("x"), FailureKind.INTERNAL, "KeyError: 'x'"),
    ],
)
def test_an_exception_becomes_a_failure(error: Exception, kind: FailureKind, message: str) -> None:
    attempt = Attempt(INFO)
    with attempt:
        attempt.page = WorkingPage(None, 10, 20, 300, text="half of it")
        raise error
    result = attempt.result(1)
    assert result.failure is not None
    assert result.failure.kind is kind
    assert message in result.failure.message
    assert (result.pagenum, result.total_pages, result.text, result.notes) == (1, 3, None, ("repaired",))
    assert (result.width, result.height, result.resolution) == (10, 20, 300)


@pytest.mark.parametrize("error", [ConfigError("no"), EnvironmentFault("no", "x"), KeyboardInterrupt()])
def test_errors_that_are_not_the_document_s_propagate(error: BaseException) -> None:
    attempt = Attempt(INFO)
    with pytest.raises(type(error)), attempt:
        raise error


def test_a_page_without_text_is_blank_and_an_unopened_one_has_no_size() -> None:
    attempt = Attempt(INFO)
    attempt.page = WorkingPage(None, 10, 20, 300)
    assert (attempt.result(0).text, attempt.result(0).failure) == ("", None)
    assert Attempt(INFO).result(0).width is None


def test_a_failed_page_is_closed_and_a_missing_page_fails(tmp_path: Path) -> None:
    text_image("a", size=(60, 40)).save(tmp_path / "a.png")
    with open_document(tmp_path / "a.png") as document:
        closed = []
        attempt = Attempt(document.info)
        with attempt, opened_page(document, 0) as page:
            attempt.page = page
            assert page.source is not None
            page.source.close = lambda: closed.append(0)  # type: ignore[method-assign]
            raise ValueError("torn")
        assert closed == [0]
        assert attempt.result(0).failure is not None
        beyond = Attempt(document.info)
        with beyond, opened_page(document, 7):
            raise AssertionError("there is no such page")
        assert beyond.page is None
        assert beyond.failure is not None
