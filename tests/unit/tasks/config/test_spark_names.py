"""Spark OCR's names for options: accepted in their place, translated, or explained."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.options import Options
from inkstream.tasks.config import StreamConfig, build_config, plain
from inkstream.tasks.config.spark_names import ALIASES, ANSWERS, Alias

MINIMAL = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}
CASES: list[tuple[str, Any, str, Any]] = [
    ("source.pathGlobFilter", "'*.pdf'", "source.glob", "*.pdf"),
    ("source.recursiveFileLookup", "false", "source.recursive", False),
    ("source.latestFirst", "true", "source.latest_first", True),
    ("source.cleanSource", "DELETE", "source.clean_source", "delete"),
    ("source.sourceArchiveDir", "done", "source.source_archive_dir", "done"),
    ("source.maxFileAge", "7d", "source.max_file_age", "7d"),
    ("source.maxFileAge", "10min", "source.max_file_age", "10m"),
    ("source.maxFileAge", "90000", "source.max_file_age", "90s"),
    ("trigger.maxFilesPerTrigger", "4", "trigger.max_files_per_trigger", 4),
    ("source.maxFilesPerTrigger", "4", "trigger.max_files_per_trigger", 4),
    ("trigger.maxBytesPerTrigger", "10m", "trigger.max_bytes_per_trigger", 10 << 20),
    ("source.maxBytesPerTrigger", "12345", "trigger.max_bytes_per_trigger", 12345),
    ("queryName", "result", "stream", "result"),
    ("pipeline.render.imageType", "ImageType.TYPE_3BYTE_BGR", "pipeline.render.color", "rgb"),
    ("pipeline.render.imageType", "TYPE_BYTE_GRAY", "pipeline.render.color", "gray"),
    ("pipeline.text_layer.minSizeBeforeFallback", "3", "pipeline.text_layer.min_chars", 3),
    ("pipeline.render.minSizeBeforeFallback", "3", "pipeline.text_layer.min_chars", 3),
    ("pipeline.detect.pageSegMode", "PSM_AUTO", "pipeline.detect.page_seg_mode", 3),
    ("pipeline.detect.pageIteratorLevel", "RIL_TEXTLINE", "pipeline.detect.level", "line"),
    ("pipeline.detect.ocrEngineMode", "LSTM_ONLY", "pipeline.recognize.engine_mode", "lstm"),
    ("pipeline.recognize.pageSegMode", "PageSegmentationMode.SINGLE_BLOCK", "pipeline.recognize.page_seg_mode", 6),
    ("pipeline.recognize.pageSegMode", "6", "pipeline.recognize.page_seg_mode", 6),
    ("pipeline.recognize.pageIteratorLevel", "RIL_BLOCK", "pipeline.recognize.iterator_level", "block"),
    ("pipeline.recognize.pageIteratorLevel", "2", "pipeline.recognize.iterator_level", "line"),
    ("pipeline.recognize.ocrEngineMode", "OEM_TESSERACT_ONLY", "pipeline.recognize.engine_mode", "legacy"),
    ("pipeline.recognize.language", "Language.ENG", "pipeline.recognize.languages", ["eng"]),
    ("pipeline.recognize.language", "ENG+DEU", "pipeline.recognize.languages", ["eng", "deu"]),
    ("pipeline.recognize.confidenceThreshold", "60", "pipeline.recognize.confidence_threshold", 60),
    ("pipeline.recognize.ocrParams", "[a=1, b=x=y]", "pipeline.recognize.variables", {"a": "1", "b": "x=y"}),
    ("pipeline.recognize.modelType", "ModelType.BEST", "pipeline.recognize.model_type", "best"),
    ("pipeline.recognize.ignoreResolution", "true", "pipeline.recognize.ignore_resolution", True),
    ("pipeline.recognize.keepLayout", "true", "pipeline.recognize.keep_layout", True),
    ("pipeline.recognize.withSpaces", "true", "pipeline.recognize.with_spaces", True),
    ("pipeline.recognize.outputSpaceCharacterWidth", "4", "pipeline.recognize.output_space_character_width", 4),
    ("pipeline.preprocess.binarize.method", "SAUVOLA", "pipeline.preprocess.binarize.method", "sauvola"),
    ("pipeline.preprocess.binarize.method", "nick", "pipeline.preprocess.binarize.method", "nick"),
    ("pipeline.preprocess.binarize.blockSize", "31", "pipeline.preprocess.binarize.window", 31),
    ("pipeline.preprocess.binarize.width", "90", "pipeline.preprocess.binarize.window", 90),
    ("pipeline.preprocess.deskew.halfAngle", "7", "pipeline.preprocess.deskew.half_angle", 7),
    ("pipeline.preprocess.scale.keepRatio", "true", "pipeline.preprocess.scale.keep_ratio", True),
    ("pipeline.preprocess.scale.desiredSize", "40", "pipeline.preprocess.scale.text_height", 40),
    ("pipeline.preprocess.scale.scaleFactor", "1.0", "pipeline.preprocess.scale.factor", 1.0),
    ("pipeline.detect.scoreThreshold", "0.7", "pipeline.detect.score_threshold", 0.7),
    ("pipeline.detect.sizeThreshold", "-1", "pipeline.detect.size_threshold", -1),
    ("pipeline.detect.textThreshold", "0.4", "pipeline.detect.text_threshold", 0.4),
    ("pipeline.detect.linkThreshold", "0.3", "pipeline.detect.link_threshold", 0.3),
    ("pipeline.detect.withRefiner", "false", "pipeline.detect.with_refiner", False),
    ("pipeline.detect.mergeIntersects", "false", "pipeline.detect.merge_intersects", False),
    ("pipeline.detect.lineTolerance", "15", "pipeline.detect.line_tolerance", 15),
    ("pipeline.recognize.lineTolerance", "15", "pipeline.detect.line_tolerance", 15),
    ("pipeline.recognize.borderWidth", "5", "pipeline.recognize.lines.border_width", 5),
    ("pipeline.recognize.spaceWidth", "10", "pipeline.recognize.lines.space_width", 10),
    ("pipeline.recognize.groupImages", "true", "pipeline.recognize.lines.group_images", True),
    ("pipeline.recognize.batchSize", "4", "pipeline.recognize.trocr.batch_size", 4),
    ("pipeline.recognize.useGPU", "true", "pipeline.recognize.trocr.device", "cuda"),
    ("pipeline.recognize.useGPU", "false", "pipeline.recognize.trocr.device", "cpu"),
    ("pipeline.draw.lineWidth", "4", "pipeline.draw.line_width", 4),
    ("pipeline.draw.fontSize", "12", "pipeline.draw.font_size", 12),
    ("pipeline.draw.filledRect", "true", "pipeline.draw.filled", True),
    ("pipeline.draw.rectColor", "Color.blue", "pipeline.draw.color", "blue"),
]
NAMES = st.sampled_from(
    sorted({part for alias in ALIASES for path in (alias.name, alias.target) for part in path.split(".")})
)


def at(config: StreamConfig, path: str) -> Any:
    value: Any = plain(config)
    for part in path.split("."):
        value = value[part]
    return value


@pytest.mark.parametrize(("name", "value", "target", "expected"), CASES)
def test_a_spark_name_sets_the_option_it_stands_for(name: str, value: str, target: str, expected: Any) -> None:
    assert at(build_config(MINIMAL, overrides=[f"{name}={value}"]), target) == expected


def test_every_alias_has_a_case() -> None:
    tried = {(*name.rpartition(".")[::2], target) for name, _, target, _ in CASES}
    assert {(place, alias.name, alias.target) for alias in ALIASES for place in alias.places} == tried


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.name)
def test_an_alias_points_to_an_existing_option_and_sections(alias: Alias) -> None:
    *sections, option = alias.target.split(".")
    assert option in section_at(sections).model_fields
    for place in alias.places:
        names = section_at(place.split(".") if place else []).model_fields
        assert alias.name not in names or f"{place}.{alias.name}" == alias.target


def section_at(path: list[str]) -> type[Options]:
    model: type[Options] = StreamConfig
    for part in path:
        below = model.section_model(part)
        assert below is not None, path
        model = below
    return model


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("section", ["", "source.", "pipeline.recognize."])
def test_a_spark_name_without_a_counterpart_is_explained(name: str, section: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(MINIMAL, overrides=[f"{section}{name}=1"])
    assert str(caught.value) == f"{section}{name}: {ANSWERS[name]}"


def test_no_name_is_both_translated_and_explained() -> None:
    assert {alias.name for alias in ALIASES}.isdisjoint(ANSWERS)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"trigger": {"maxFilesPerTrigger": 4, "max_files_per_trigger": 5}},
            "trigger.maxFilesPerTrigger: is the same option as trigger.max_files_per_trigger, which is given too",
        ),
        (
            {"trigger": {"maxFilesPerTrigger": 4}, "source": {"url": "a", "maxFilesPerTrigger": 4}},
            "source.maxFilesPerTrigger: is the same option as trigger.maxFilesPerTrigger, which is given too: keep one",
        ),
        ({"pipeline": {"recognize": {"pageSegMode": "OSD_ONLY"}}}, "pageSegMode: 'OSD_ONLY' is not one of AUTO_OSD, "),
        ({"pipeline": {"recognize": {"pageIteratorLevel": "RIL_SYMBOL"}}}, "word is the finest level"),
        ({"pipeline": {"recognize": {"ocrParams": ["a"]}}}, "ocrParams: 'a': expected NAME=VALUE"),
        ({"pipeline": {"recognize": {"confidenceThreshold": 101}}}, "pipeline.recognize.confidenceThreshold: Input "),
        ({"maxFilesPerTrigger": 4}, "maxFilesPerTrigger: does not belong here; move it to trigger or source"),
        ({"source": {"url": "a", "pathGlobFiltr": "*"}}, "unknown option; did you mean 'pathGlobFilter'?"),
    ],
)
def test_messages_use_the_name_that_was_written(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config({**MINIMAL, **document})
    assert message in str(caught.value)


def test_later_layers_win_whichever_name_they_use() -> None:
    document = {**MINIMAL, "trigger": {"maxFilesPerTrigger": 5}}
    assert build_config(document, preset="ocr-streaming").trigger.max_files_per_trigger == 5
    overrides = ["trigger.max_files_per_trigger=6", "trigger.maxFilesPerTrigger=7"]
    assert build_config(document, overrides=overrides[:1]).trigger.max_files_per_trigger == 6
    assert build_config(document, overrides=overrides).trigger.max_files_per_trigger == 7


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("RIL_WORD"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_document_either_builds_or_is_a_config_error(value: Any) -> None:
    document = value if isinstance(value, dict) else {"pipeline": value}
    before = repr(document)
    with suppress(ConfigError):
        build_config(document)
    assert repr(document) == before
