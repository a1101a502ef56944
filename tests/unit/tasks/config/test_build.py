"""Building a configuration from its layers, and the errors for mistakes in them."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.options import TextLayerMode
from inkstream.tasks.config import (
    StreamConfig,
    build_config,
    build_event_options,
    build_maintain_options,
    load_config_file,
    with_preset,
)
from inkstream.tasks.presets import PRESETS

MINIMAL = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


def test_later_layers_win() -> None:
    document = {**MINIMAL, "preset": "ocr-streaming", "trigger": {"max_files_per_trigger": 7}}
    config = build_config(document, overrides=["pipeline.render.resolution=200", "stream=mail"])
    assert config.trigger.max_files_per_trigger == 7
    assert config.pipeline.recognize.confidence_threshold == 60
    assert config.pipeline.render.resolution == 200
    assert config.stream == "mail"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_valid_and_follow_the_model_card(name: str) -> None:
    config = build_config(MINIMAL, preset=name)
    assert config.pipeline.text_layer.mode is TextLayerMode.IGNORE
    if name == "ocr-streaming":
        assert config.trigger.max_files_per_trigger == 4
    elif name == "handwritten":
        assert config.pipeline.detect is not None
        assert (config.pipeline.detect.with_refiner, config.pipeline.detect.link_threshold) == (True, 0.3)
        assert config.pipeline.recognize.lines.group_images
    else:
        assert config.pipeline.recognize.page_seg_mode == 6
        assert config.pipeline.recognize.per_region


@pytest.mark.parametrize(
    ("document", "overrides", "message"),
    [
        ({**MINIMAL, "source": {"url": "a", "globb": "*"}}, [], "source.globb: unknown option; did you mean 'glob'?"),
        ({"sink": {"url": "b"}}, [], "source: required, but not given"),
        (MINIMAL, ["trigger.max_files_per_trigger=0"], "trigger.max_files_per_trigger: "),
        (MINIMAL, ["pipeline.detect.levl=block"], "pipeline.detect.levl: unknown option; did you mean 'level'?"),
        (MINIMAL, ["nonsense"], "expected KEY=VALUE"),
        (MINIMAL, ["stream=[1"], "stream: "),
        ({**MINIMAL, "preset": "ocr-streeming"}, [], "did you mean 'ocr-streaming'?"),
        (MINIMAL, ["source.stability_delay=soon"], "source.stability_delay: "),
        (MINIMAL, ["stream=../up"], "stream: "),
    ],
)
def test_each_mistake_has_its_own_message(document: dict[str, object], overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(document, overrides=overrides)
    assert message in str(caught.value)


def test_an_override_that_is_not_yaml_is_taken_as_text() -> None:
    assert build_config(MINIMAL, overrides=["source.glob=*.pdf"]).source.glob == "*.pdf"


def test_a_document_must_be_a_mapping() -> None:
    assert load_config_file("", "x.yaml") == {}
    with pytest.raises(ConfigError, match=r"x\.yaml: expected a mapping"):
        load_config_file("- a", "x.yaml")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config_file("a: [", "x.yaml")


def test_the_configuration_survives_json() -> None:
    config = build_config(MINIMAL, preset="ocr-regions", overrides=["source.stability_delay=30s"])
    assert StreamConfig.model_validate_json(config.model_dump_json()) == config


def test_a_preset_replaces_only_the_pipeline() -> None:
    config = build_config(MINIMAL, overrides=["trigger.max_files_per_trigger=7", "pipeline.render.resolution=100"])
    other = with_preset(config, "ocr-streaming")
    assert other.pipeline == build_config(MINIMAL, preset="ocr-streaming").pipeline
    assert other.model_copy(update={"pipeline": config.pipeline}) == config
    assert with_preset(config, None) == config
    with pytest.raises(ConfigError, match="did you mean 'handwritten'"):
        with_preset(config, "handwriten")


def test_option_titles_spell_units_and_acronyms_correctly() -> None:
    definitions = StreamConfig.model_json_schema()["$defs"]
    assert definitions["SourceOptions"]["properties"]["url"]["title"] == "URL"
    assert definitions["LimitOptions"]["properties"]["max_file_mb"]["title"] == "Max File MiB"
    assert definitions["TriggerOptions"]["properties"]["max_files_per_trigger"]["title"] == "Max Files Per Trigger"


def test_errors_in_a_section_built_alone_name_the_section() -> None:
    assert build_event_options({"queue": "sqs://x", "wait": "5s"}).queue == "sqs://x"
    with pytest.raises(ConfigError, match=r"^events\.queue: expected the URL of a queue"):
        build_event_options({"queue": "inbox"})
    with pytest.raises(ConfigError, match=r"^retention: shorter than 24h"):
        build_maintain_options({"retention": "1h"})
