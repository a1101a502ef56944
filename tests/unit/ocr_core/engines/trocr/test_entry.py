"""TrOCR's registry entry: it runs in a separate process, and missing parts are found without loading anything."""

from __future__ import annotations

import subprocess
import sys

from inkstream.ocr_core.engines.trocr.entry import TROCR
from inkstream.ocr_core.options import TrocrOptions


def test_it_has_a_process_of_its_own_and_its_lines_found() -> None:
    assert TROCR.own_process
    assert TROCR.detect.engine == "ppocr"
    assert {"model", "revision", "device", "batch_size"} == TROCR.not_in_fingerprint


def test_a_model_that_is_missing_is_told() -> None:
    (check,) = TROCR.checks(TrocrOptions(model="/nowhere/model"))
    assert (check.name, check.ok) == ("trocr model", False)
    assert check.remedy


def test_the_entry_loads_no_library() -> None:
    code = (
        "import sys, inkstream.ocr_core.engines.registry\n"
        "print([m for m in ('torch', 'transformers', 'onnxruntime', 'cv2', 'numpy', 'tesserocr') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
