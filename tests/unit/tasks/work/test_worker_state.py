"""What a Dask worker keeps between page ranges."""

from __future__ import annotations

import threading

import pytest

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options import PipelineOptions, RecognizeOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.tasks.work.worker_state import check_worker, line_worker, page_worker, peak_rss, worker_identity

PIPELINE = PipelineOptions(text_layer=TextLayerOptions(mode=TextLayerMode.ONLY))
LIMITS = LimitOptions()


def test_a_page_worker_is_kept_while_the_options_stay_the_same() -> None:
    worker = page_worker(PIPELINE, LIMITS)
    assert page_worker(PipelineOptions.model_validate_json(PIPELINE.canonical()), LimitOptions()) is worker
    other = page_worker(PIPELINE, LimitOptions(memory_mb=LIMITS.memory_mb + 1))
    assert other is not worker
    assert page_worker(PIPELINE, LIMITS) not in (worker, other)


def test_each_thread_has_a_page_worker_of_its_own() -> None:
    workers = [page_worker(PIPELINE, LIMITS)]
    thread = threading.Thread(target=lambda: workers.append(page_worker(PIPELINE, LIMITS)))
    thread.start()
    thread.join()
    assert workers[0] is not workers[1]


def test_all_threads_share_a_line_worker() -> None:
    workers = [line_worker(PIPELINE, LIMITS)]
    thread = threading.Thread(target=lambda: workers.append(line_worker(PIPELINE, LIMITS)))
    thread.start()
    thread.join()
    assert workers[0] is workers[1]
    assert line_worker(PIPELINE, LimitOptions(memory_mb=LIMITS.memory_mb + 1)) is not workers[0]


def test_a_worker_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    options, versions = worker_identity(PIPELINE.canonical())
    assert options == PIPELINE
    monkeypatch.setattr("inkstream.tasks.work.worker_state.require_environment", None)
    assert check_worker(PIPELINE.canonical()) is versions


def test_a_worker_without_a_language_is_an_environment_fault() -> None:
    lacking = PipelineOptions(recognize=RecognizeOptions(languages=("xyz",)))
    with pytest.raises(EnvironmentFault, match="xyz"):
        check_worker(lacking.canonical())


def test_peak_rss_is_in_bytes() -> None:
    assert peak_rss() > 10 << 20
