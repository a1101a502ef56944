"""The names that options have in Spark OCR and in Spark's file source, with the option that each means.

A configuration may use them in the section where they belong; one pass before validation translates them. Field aliases
would do that too, but would turn the Prefect form camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Translate = Callable[[Any], Any]
"""Translates a value of Spark OCR's. Raises ValueError with the reason where there is nothing like it."""

_PAGE_SEG_MODES = {
    "AUTO_OSD": 1,
    "AUTO_ONLY": 2,
    "AUTO": 3,
    "SINGLE_COLUMN": 4,
    "SINGLE_BLOCK_VERT_TEXT": 5,
    "SINGLE_BLOCK": 6,
    "SINGLE_LINE": 7,
    "SINGLE_WORD": 8,
    "CIRCLE_WORD": 9,
    "SINGLE_CHAR": 10,
    "SPARSE_TEXT": 11,
    "SPARSE_TEXT_OSD": 12,
    "RAW_LINE": 13,
}
_LEVELS = {
    "BLOCK": "block",
    "PARA": "paragraph",
    "PARAGRAPH": "paragraph",
    "TEXTLINE": "line",
    "WORD": "word",
}
_ENGINE_MODES = {
    "TESSERACT_ONLY": "legacy",
    "LSTM_ONLY": "lstm",
    "TESSERACT_LSTM_COMBINED": "legacy_lstm",
    "DEFAULT": "default",
}
_METHODS = {name.upper(): name for name in ("gaussian", "mean", "otsu", "sauvola", "wolf", "singh")}
_COLORS = {"TYPE_BYTE_GRAY": "gray", "TYPE_3BYTE_BGR": "rgb", "TYPE_4BYTE_ABGR": "rgb"}
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of Spark OCR's that has an option here.

    Attributes:
        name: The name in Spark OCR.
        places: Sections in which it may be written, dotted; empty for the top level.
        target: The option it becomes, dotted.
        translate: Translates its value.
    """

    name: str
    places: tuple[str, ...]
    target: str
    translate: Translate


def _same(value: Any) -> Any:
    return value


def _named(values: dict[str, Any], numbers: tuple[Any, ...] = (), hint: str = "") -> Translate:
    """Return what translates an enumeration's value: its name, perhaps after the enumeration's own, or its number."""

    def translate(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value < len(numbers):
                return value  # such as Tesseract's number of a page segmentation mode
            return numbers[value]
        name = re.sub(r"^(\w+\.)?(PSM_|RIL_|OEM_)?", "", str(value).strip().upper())
        if name in values:
            return values[name]
        if value in values.values():
            return value
        raise ValueError(f"{value!r} is not one of {', '.join(values)}{hint}")

    return translate


def _languages(value: Any) -> Any:
    """Translate `ENG`, `eng+deu`, or a list of them."""
    names = value.split("+") if isinstance(value, str) else value
    return [name.rpartition(".")[2].strip().lower() for name in names] if isinstance(names, list) else value


def _variables(value: Any) -> Any:
    """Translate a list of `name=value`, as `ocrParams` is."""
    if not isinstance(value, list):
        return value
    pairs = [str(item).partition("=") for item in value]
    wrong = next((name for name, separator, _ in pairs if not separator), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r}: expected NAME=VALUE")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _method(value: Any) -> Any:
    """Translate `SAUVOLA`, perhaps after the name of its enumeration. MEDIAN has no counterpart."""
    name = value.rpartition(".")[2].upper() if isinstance(value, str) else value
    if name == "MEDIAN":
        raise ValueError("there is no MEDIAN here; mean or gaussian with an offset, or sauvola, cope with shadows too")
    return _METHODS.get(name, value) if isinstance(name, str) else value


def _age(value: Any) -> Any:
    """Translate one of Spark's durations: a number alone is milliseconds, and minutes may be `min`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}ms"
    text = str(value).strip().lower()
    return f"{text}ms" if text.isdigit() else re.sub(r"min$", "m", text)


def _bytes(value: Any) -> Any:
    """Translate one of Spark's sizes: `512m`, `10g`, or a number."""
    match = re.fullmatch(r"(\d+)\s*([bkmgt]?)b?", str(value).strip().lower())
    return int(match[1]) * _SIZES[match[2]] if match else value


def _color(value: Any) -> Any:
    """Translate a constant such as `Color.green`, or any colour that Inkstream takes."""
    return value.rpartition(".")[2] if isinstance(value, str) else value


def _device(value: Any) -> Any:
    """Translate whether a GPU is used to the name of a device."""
    devices = {"true": "cuda", "false": "cpu"}
    if str(value).lower() not in devices:
        raise ValueError(f"{value!r} is not one of {', '.join(devices)}")
    return devices[str(value).lower()]


def _alias(name: str, places: str, target: str, translate: Translate = _same) -> Alias:
    return Alias(name, tuple(places.split()) or ("",), target, translate)


_page_seg_mode = _named(_PAGE_SEG_MODES, hint="; OSD_ONLY reads nothing")
_level = _named(_LEVELS, tuple(_LEVELS[name] for name in ("BLOCK", "PARA", "TEXTLINE", "WORD")), "; a word is finest")
_model_type = _named({"BASE": "base", "BEST": "best", "FAST": "fast"})
_engine_mode = _named(_ENGINE_MODES, ("legacy", "lstm", "legacy_lstm", "default"))

ALIASES: tuple[Alias, ...] = (
    _alias("pathGlobFilter", "source", "source.glob"),
    _alias("recursiveFileLookup", "source", "source.recursive"),
    _alias("latestFirst", "source", "source.latest_first"),
    _alias("cleanSource", "source", "source.clean_source"),
    _alias("sourceArchiveDir", "source", "source.source_archive_dir"),
    _alias("maxFileAge", "source", "source.max_file_age", _age),
    _alias("maxFilesPerTrigger", "trigger source", "trigger.max_files_per_trigger"),
    _alias("maxBytesPerTrigger", "trigger source", "trigger.max_bytes_per_trigger", _bytes),
    _alias("queryName", "", "stream"),
    _alias(
        "imageType",
        "pipeline.render",
        "pipeline.render.color",
        _named(_COLORS, hint="; for TYPE_BYTE_BINARY see pipeline.preprocess.binarize"),
    ),
    _alias("minSizeBeforeFallback", "pipeline.text_layer pipeline.render", "pipeline.text_layer.min_chars"),
    _alias("pageSegMode", "pipeline.detect", "pipeline.detect.page_seg_mode", _page_seg_mode),
    _alias("pageIteratorLevel", "pipeline.detect", "pipeline.detect.level", _level),
    _alias("ocrEngineMode", "pipeline.detect", "pipeline.recognize.engine_mode", _engine_mode),
    _alias("pageSegMode", "pipeline.recognize", "pipeline.recognize.page_seg_mode", _page_seg_mode),
    _alias("pageIteratorLevel", "pipeline.recognize", "pipeline.recognize.iterator_level", _level),
    _alias("ocrEngineMode", "pipeline.recognize", "pipeline.recognize.engine_mode", _engine_mode),
    _alias("language", "pipeline.recognize", "pipeline.recognize.languages", _languages),
    _alias("confidenceThreshold", "pipeline.recognize", "pipeline.recognize.confidence_threshold"),
    _alias("ocrParams", "pipeline.recognize", "pipeline.recognize.variables", _variables),
    _alias("modelType", "pipeline.recognize", "pipeline.recognize.model_type", _model_type),
    _alias("ignoreResolution", "pipeline.recognize", "pipeline.recognize.ignore_resolution"),
    _alias("keepLayout", "pipeline.recognize", "pipeline.recognize.keep_layout"),
    _alias("withSpaces", "pipeline.recognize", "pipeline.recognize.with_spaces"),
    _alias("outputSpaceCharacterWidth", "pipeline.recognize", "pipeline.recognize.output_space_character_width"),
    _alias("method", "pipeline.preprocess.binarize", "pipeline.preprocess.binarize.method", _method),
    _alias("blockSize", "pipeline.preprocess.binarize", "pipeline.preprocess.binarize.window"),
    _alias("width", "pipeline.preprocess.binarize", "pipeline.preprocess.binarize.window"),
    _alias("halfAngle", "pipeline.preprocess.deskew", "pipeline.preprocess.deskew.half_angle"),
    _alias("scaleFactor", "pipeline.preprocess.scale", "pipeline.preprocess.scale.factor"),
    _alias("keepRatio", "pipeline.preprocess.scale", "pipeline.preprocess.scale.keep_ratio"),
    _alias("desiredSize", "pipeline.preprocess.scale", "pipeline.preprocess.scale.text_height"),
    _alias("scoreThreshold", "pipeline.detect", "pipeline.detect.score_threshold"),
    _alias("sizeThreshold", "pipeline.detect", "pipeline.detect.size_threshold"),
    _alias("textThreshold", "pipeline.detect", "pipeline.detect.text_threshold"),
    _alias("linkThreshold", "pipeline.detect", "pipeline.detect.link_threshold"),
    _alias("withRefiner", "pipeline.detect", "pipeline.detect.with_refiner"),
    _alias("mergeIntersects", "pipeline.detect", "pipeline.detect.merge_intersects"),
    _alias("lineTolerance", "pipeline.detect pipeline.recognize", "pipeline.detect.line_tolerance"),
    _alias("borderWidth", "pipeline.recognize", "pipeline.recognize.lines.border_width"),
    _alias("spaceWidth", "pipeline.recognize", "pipeline.recognize.lines.space_width"),
    _alias("groupImages", "pipeline.recognize", "pipeline.recognize.lines.group_images"),
    _alias("batchSize", "pipeline.recognize", "pipeline.recognize.trocr.batch_size"),
    _alias("useGPU", "pipeline.recognize", "pipeline.recognize.trocr.device", _device),
    _alias("lineWidth", "pipeline.draw", "pipeline.draw.line_width"),
    _alias("rectColor", "pipeline.draw", "pipeline.draw.color", _color),
    _alias("fontSize", "pipeline.draw", "pipeline.draw.font_size"),
    _alias("filledRect", "pipeline.draw", "pipeline.draw.filled"),
)
"""Every name that is accepted. Several have one target where several stages of Spark OCR share one option here."""

_COLUMNS = "stages are not joined by columns here; leave it out"
_ALWAYS = "is always so here; leave it out"
_SPLIT = "how work is spread is execution.workers and execution.pages_per_range"

ANSWERS: dict[str, str] = {
    "fileNameOnly": "a file version is known by its whole path, etag and size; a file that moved is read again",
    "processingTime": "a run every so often is `inkstream run --every 30s`",
    "availableNow": "that is what `inkstream run` does: it takes all that is new, in capped batches, and stops",
    "checkpointLocation": "there is no checkpoint folder: the table itself says what is done; leave it out",
    "outputMode": "sink.mode is append or upsert; there is no complete",
    "inputCol": _COLUMNS,
    "inputCols": _COLUMNS,
    "inputRegionsCol": _COLUMNS,
    "outputCol": _COLUMNS,
    "explodeCols": _COLUMNS,
    "fallBackCol": "the text layer falls back to recognition by itself: pipeline.text_layer.mode=prefer",
    "splitPage": f"one row a page {_ALWAYS}",
    "textStripper": "a text layer's words are put into reading order with their boxes; there is no other way to choose",
    "sort": f"reading order {_ALWAYS}",
    "onlyPageNum": "the column total_pages of every row has it",
    "extractCoordinates": "boxes of words are in the column regions of every row; leave it out",
    "keepInput": "the bytes stay in the source: path, etag and content_hash say which they were; leave it out",
    "binarization": "that is a section of its own: pipeline.preprocess.binarize={}",
    "partitionNum": _SPLIT,
    "partitionNumAfterSplit": _SPLIT,
    "splitNumBatch": _SPLIT,
    "splittingStategy": _SPLIT,
    "modelData": "the folder of the models is pipeline.recognize.tessdata",
    "downloadModelData": "`inkstream doctor` names the command that downloads a model; leave it out",
    "scale": "the sensitivity of the local methods is pipeline.preprocess.binarize.k",
    "rotationAngle": "that is pipeline.preprocess.deskew.angle, in degrees clockwise",
    "automaticSkewCorrection": "skew is measured unless pipeline.preprocess.deskew.angle gives it; leave it out",
    "outputFormat": "the column text has the text, and the column regions the positions; leave it out",
    "includeConfidence": "confidence is in every row and every region; leave it out",
    "rotated": "a region with an angle is always drawn turned; leave it out",
}
"""Names that have no option here, each with what replaces it."""
