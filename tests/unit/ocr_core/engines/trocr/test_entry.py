"""TrOCR's registry entry: it runs in a separate process, and missing parts are found without loading anything."""

from __future__ import annotations

import subprocess
import sys

from inkstream.ocr_core.engines.trocr.entry import TROCR
from inkstream.ocr_core.options import TrocrOptions


def test_trocr_has_its_own_process_and_uses_ppocr_detection() -> None:
    assert TROCR.own_process
    assert TROCR.detect.engine == "ppocr"
    assert {"model", "revision", "device", "batch_size"} == TROCR.not_in_fingerprint


def test_the_check_reports_a_missing_model() -> None:
    (check,) = TROCR.checks(TrocrOptions(model="/nowhere/model"))
    assert (check.name, check.ok) == ("trocr model", False)
    assert check.remedy


def test_importing_the_registry_loads_no_library() -> None:
    code = (
        "import sys, inkstream.ocr_core.engines.registry\n"
        "print([m for m in ('torch', 'transformers', 'onnxruntime', 'cv2', 'numpy', 'tesserocr') if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
