"""Configurations to start from: the presets. `inkstream --help` names them, so nothing heavy is imported here."""

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
    "handwritten": {
        "pipeline": {
            "text_layer": {"mode": "ignore"},
            "render": {"color": "rgb"},
            "detect": {"engine": "ppocr", "link_threshold": 0.3, "with_refiner": True, "size_threshold": -1},
            "recognize": {
                "engine": "ppocr",
                "lines": {"group_images": True},
                "ppocr": {"scripts": ["latin"], "lexicon": ["en"], "views": 3},
            },
            "draw": {"color": "green", "level": "line"},
        },
    },
}
"""The pipelines of Spark OCR's two model cards. What the user writes is merged over them."""
