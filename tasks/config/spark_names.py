"""The option names of Spark OCR and of Spark's file source, with the Inkstream option for each.

A configuration may use them in the section where they belong; they are translated before validation. Field aliases
could do the same, but would make the Prefect form camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Translate = Callable[[Any], Any]
"""A function that translates a Spark OCR value. It raises ValueError with the reason if there is no equivalent."""

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
    """A Spark OCR name for which Inkstream has an option.

    Attributes:
        name: The name in Spark OCR.
        places: Sections where it may be written, dotted; empty for the top level.
        target: The Inkstream option, dotted.
        translate: Translates the value.
    """

    name: str
    places: tuple[str, ...]
    target: str
    translate: Translate


def _same(value: Any) -> Any:
    return value


def _named(values: dict[str, Any], numbers: tuple[Any, ...] = (), hint: str = "") -> Translate:
    """Return a translation of an enumeration's values, given by number or by name, with or without a prefix."""

    def translate(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value < len(numbers):
                return value  # such as the number of a Tesseract page segmentation mode
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
    """Translate a list of `name=value` strings, such as `ocrParams`."""
    if not isinstance(value, list):
        return value
    pairs = [str(item).partition("=") for item in value]
    wrong = next((name for name, separator, _ in pairs if not separator), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r}: expected NAME=VALUE")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _method(value: Any) -> Any:
    """Translate `SAUVOLA`, with or without the name of its enumeration before it. MEDIAN has no equivalent."""
    name = value.rpartition(".")[2].upper() if isinstance(value, str) else value
    if name == "MEDIAN":
        raise ValueError(
            "MEDIAN is not available; use mean or gaussian with an offset, or sauvola, which also handle shadows"
        )
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
    """Translate a constant such as `Color.green`, or any colour that Inkstream accepts."""
    return value.rpartition(".")[2] if isinstance(value, str) else value


def _device(value: Any) -> Any:
    """Translate `useGPU` to the name of a device."""
    devices = {"true": "cuda", "false": "cpu"}
    if str(value).lower() not in devices:
        raise ValueError(f"{value!r} is not one of {', '.join(devices)}")
    return devices[str(value).lower()]


def _alias(name: str, places: str, target: str, translate: Translate = _same) -> Alias:
    return Alias(name, tuple(places.split()) or ("",), target, translate)


_page_seg_mode = _named(_PAGE_SEG_MODES, hint="; OSD_ONLY reads nothing")
_level = _named(
    _LEVELS, tuple(_LEVELS[name] for name in ("BLOCK", "PARA", "TEXTLINE", "WORD")), "; word is the finest level"
)
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
"""Every accepted name. Several names share a target where several Spark OCR stages share one Inkstream option."""

_COLUMNS = "Inkstream does not connect stages by columns; remove it"
_SPLIT = "set execution.workers and execution.pages_per_range instead"

ANSWERS: dict[str, str] = {
    "fileNameOnly": "path, etag and size identify a file version, so a file that was moved is read again; remove it",
    "processingTime": "to run at an interval, use `inkstream run --every 30s`",
    "availableNow": "`inkstream run` always reads all new files, in batches of limited size, then stops; remove it",
    "checkpointLocation": "there is no checkpoint folder: the table itself records what is done; remove it",
    "outputMode": "set sink.mode to append or upsert; complete is not available",
    "inputCol": _COLUMNS,
    "inputCols": _COLUMNS,
    "inputRegionsCol": _COLUMNS,
    "outputCol": _COLUMNS,
    "explodeCols": _COLUMNS,
    "fallBackCol": "set pipeline.text_layer.mode=verify: what the text layer lacks, or has wrong, is then recognized",
    "splitPage": "there is always one row per page; remove it",
    "textStripper": "a text layer's words always keep their boxes and are put into reading order; remove it",
    "sort": "words are always put into reading order; remove it",
    "onlyPageNum": "read the column total_pages, which every row has",
    "extractCoordinates": "the column regions of every row has the boxes of words; remove it",
    "keepInput": "the bytes stay in the source, and path, etag and content_hash identify them; remove it",
    "binarization": "use the section pipeline.preprocess.binarize={}",
    "partitionNum": _SPLIT,
    "partitionNumAfterSplit": _SPLIT,
    "splitNumBatch": _SPLIT,
    "splittingStategy": _SPLIT,
    "modelData": "set pipeline.recognize.tessdata, the folder of the models",
    "downloadModelData": "`inkstream doctor` shows the command that downloads a model; remove it",
    "scale": "set pipeline.preprocess.binarize.k, the sensitivity of the local methods",
    "rotationAngle": "set pipeline.preprocess.deskew.angle, in degrees clockwise",
    "automaticSkewCorrection": "skew is measured unless pipeline.preprocess.deskew.angle is set; remove it",
    "outputFormat": "the column text has the text, and the column regions the positions; remove it",
    "includeConfidence": "every row and every region has a confidence; remove it",
    "rotated": "a region with an angle is always drawn rotated; remove it",
}
"""Names without an Inkstream option, each with what replaces it."""
