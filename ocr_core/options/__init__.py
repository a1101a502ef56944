"""Options of every stage, each declared once: type, default, unit and meaning.

`PipelineOptions` is the `pipeline:` part of a configuration file. Nothing else changes the text of a page, so its
fingerprint and the engine versions make up a row's `pipeline_id`.
"""

from inkstream.ocr_core.options.base import EngineOptions, Options
from inkstream.ocr_core.options.draw import DrawOptions, Label
from inkstream.ocr_core.options.lines import LineOptions, PpocrOptions, TrocrOptions
from inkstream.ocr_core.options.pipeline import PipelineOptions
from inkstream.ocr_core.options.preprocess import (
    BinarizeOptions,
    BorderOptions,
    DenoiseOptions,
    DeskewOptions,
    OrientOptions,
    PreprocessOptions,
    ScaleOptions,
)
from inkstream.ocr_core.options.reading import RenderOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.options.recognize import DetectOptions, PageSegMode, RecognizeOptions, RoutingOptions

__all__ = [
    "BinarizeOptions",
    "BorderOptions",
    "DenoiseOptions",
    "DeskewOptions",
    "DetectOptions",
    "DrawOptions",
    "EngineOptions",
    "Label",
    "LineOptions",
    "Options",
    "OrientOptions",
    "PageSegMode",
    "PipelineOptions",
    "PpocrOptions",
    "PreprocessOptions",
    "RecognizeOptions",
    "RenderOptions",
    "RoutingOptions",
    "ScaleOptions",
    "TextLayerMode",
    "TextLayerOptions",
    "TrocrOptions",
]
