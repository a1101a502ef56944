"""Options of every stage, each said once: type, default, unit and meaning.

`PipelineOptions` is the `pipeline:` part of a configuration file. Only what is here changes the output, so
its fingerprint is (with the engine versions) a row's `pipeline_id`.
"""

from inkstream.ocr_core.options.base import Options
from inkstream.ocr_core.options.draw import DrawOptions, Label
from inkstream.ocr_core.options.lines import LineOptions, PpocrOptions, RoutingOptions, TrocrOptions
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
from inkstream.ocr_core.options.recognize import DetectOptions, PageSegMode, RecognizeOptions

__all__ = [
    "BinarizeOptions",
    "BorderOptions",
    "DenoiseOptions",
    "DeskewOptions",
    "DetectOptions",
    "DrawOptions",
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
