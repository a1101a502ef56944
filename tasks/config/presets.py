"""Configurations to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ocr-streaming": {
        "trigger": {"max_files_per_trigger": 4},
        "pipeline": {"text_layer": {"mode": "ignore"}, "recognize": {"confidence_threshold": 60}},
    },
    "ocr-regions": {
        "pipeline": {
            "text_layer": {"mode": "ignore"},
            "preprocess": {"binarize": {"method": "threshold", "threshold": 170}},
            "detect": {"level": "block"},
            "recognize": {"per_region": True, "page_seg_mode": 6, "iterator_level": "block"},
        },
    },
}
"""The two pipelines of the original's streaming card, as layers under what the user writes."""
