"""The options that fingerprint version 1 covers, with their defaults at that time. Frozen: never change a line.

The fingerprint contains each of these options, whatever its value, so that the `pipeline_id` of every stored row stays
the same. An option that is added later counts only if it differs from its own default.
"""

from __future__ import annotations

from typing import Any

OPTIONAL = frozenset(
    {
        "preprocess.border",
        "preprocess.denoise",
        "preprocess.orient",
        "preprocess.deskew",
        "preprocess.scale",
        "preprocess.binarize",
        "detect",
        "draw",
    }
)
"""The sections that are null by default."""

OPTIONS: dict[str, Any] = {
    "pages": None,
    "text_layer": {"mode": "prefer", "min_chars": 10},
    "render": {"resolution": 300, "max_pixels": 50000000, "min_resolution": 72, "color": "gray"},
    "preprocess": {
        "border": {"level": 100, "crop": True},
        "denoise": {"method": "median", "max_area": 8},
        "orient": {"angle": None, "min_confidence": 5.0},
        "deskew": {"half_angle": 5.0, "resolution": 0.1, "angle": None},
        "scale": {
            "method": "text_height",
            "text_height": 34,
            "factor": 1.0,
            "width": None,
            "height": None,
            "keep_ratio": False,
        },
        "binarize": {"method": "threshold", "threshold": 170, "window": 75, "offset": 10.0, "k": 0.2},
    },
    "detect": {
        "engine": "tesseract",
        "page_seg_mode": 3,
        "level": "block",
        "model": None,
        "width": 1280,
        "text_threshold": 0.3,
        "score_threshold": 0.5,
        "size_threshold": -1.0,
        "link_threshold": 0.8,
        "with_refiner": True,
        "merge_intersects": True,
        "line_tolerance": -1.0,
    },
    "recognize": {
        "engine": "tesseract",
        "binding": "auto",
        "languages": ["eng"],
        "tessdata": None,
        "model_type": "base",
        "page_seg_mode": 3,
        "engine_mode": "lstm",
        "per_region": False,
        "iterator_level": "word",
        "confidence_threshold": 0.0,
        "char_whitelist": "",
        "char_blacklist": "",
        "user_words": [],
        "user_patterns": [],
        "ignore_resolution": False,
        "keep_layout": False,
        "output_space_character_width": 8.0,
        "with_spaces": False,
        "variables": {},
        "time_limit": 60.0,
        "lines": {"group_images": False, "border_width": -1.0, "space_width": -1.0},
        "routing": {"threshold": 93.0, "search": True, "second": "ppocr"},
        "ppocr": {"model": None, "scripts": [], "lexicon": [], "lexicon_weight": 0.4, "views": 1, "beam_width": 32},
        "trocr": {
            "model": "microsoft/trocr-small-handwritten",
            "revision": "main",
            "device": "auto",
            "dtype": "auto",
            "batch_size": 16,
            "max_new_tokens": 64,
            "num_beams": 1,
        },
    },
    "draw": {
        "level": "line",
        "color": "green",
        "color_by_confidence": False,
        "line_width": 3,
        "filled": False,
        "fill_opacity": 0.2,
        "label": "confidence",
        "font": None,
        "font_size": None,
        "format": "jpeg",
        "quality": 80,
        "max_side": 2000,
    },
}
"""Every option of version 1, and its default."""
