"""Build the pipeline that the options describe."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from inkstream.ocr_core.pipeline.pipeline import Pipeline
from inkstream.ocr_core.stages.stage import MOVED, Stage

if TYPE_CHECKING:
    from inkstream.ocr_core.options import PipelineOptions


def build_pipeline(options: PipelineOptions) -> Pipeline:
    """Build the chain that the options describe. Engines open on the first page that needs them.

    Raises:
        ConfigError: If the chain cannot work, such as `per_region` without a detect stage, or an unknown engine.
        EnvironmentFault: If the engine belongs to a package that cannot be imported.
    """
    from inkstream.ocr_core.engines.registry import detection_of
    from inkstream.ocr_core.options import TextLayerMode
    from inkstream.ocr_core.stages.detect import Detect
    from inkstream.ocr_core.stages.draw.stage import Draw
    from inkstream.ocr_core.stages.preprocess import steps
    from inkstream.ocr_core.stages.render import Render
    from inkstream.ocr_core.stages.restore import Restore
    from inkstream.ocr_core.stages.text_layer import TextLayer
    from inkstream.ocr_core.stages.verify.reader import sample_reader
    from inkstream.ocr_core.stages.verify.stage import Verify

    stages: list[Stage] = []
    mode = options.text_layer.mode
    reads_pixels = mode is not TextLayerMode.ONLY
    if mode in (TextLayerMode.PREFER, TextLayerMode.ONLY):
        stages.append(TextLayer(options.text_layer, options.render, options.recognize))
    if reads_pixels or options.draw:
        stages.append(Render(options.render, always=options.draw is not None))
    if mode is TextLayerMode.VERIFY:
        read = sample_reader(options.recognize)
        stages.append(Verify(options.text_layer, options.render, options.recognize, read))
    if reads_pixels:
        stages += steps(options)
        detection = detection_of(options)
        if detection is not None:
            stages.append(Detect(detection, options.recognize))
        stages.append(_recognizer(options))
        if any(MOVED in stage.provides for stage in stages):
            stages.append(Restore())
    if options.draw:
        stages.append(Draw(options.draw))
    return Pipeline(tuple(stages))


def _recognizer(options: PipelineOptions) -> Stage:
    from inkstream.ocr_core.engines.entry import LineEngine, PageEngine
    from inkstream.ocr_core.engines.registry import Routed, open_line_reader, reading_of, search_of
    from inkstream.ocr_core.stages.read_lines import ReadLines
    from inkstream.ocr_core.stages.recognize import Recognize
    from inkstream.ocr_core.stages.route import Route

    recognize = options.recognize
    match reading_of(recognize):
        case PageEngine() as engine:
            return Recognize(recognize, engine)
        case LineEngine():
            return ReadLines(recognize, partial(open_line_reader, recognize))
        case Routed() as routed:
            return Route(recognize, routed.first, search_of(options, routed), partial(open_line_reader, recognize))
