"""Spark OCR's names in a layer become Inkstream's, and messages still quote the names as written."""

from __future__ import annotations

from inkstream.tasks.config.normalise import get, normalise


def test_a_spark_name_becomes_its_option_and_is_remembered() -> None:
    layer = {"source": {"maxFilesPerTrigger": 4, "url": "a"}}
    normalised = normalise(layer)
    assert normalised.options == {"source": {"url": "a"}, "trigger": {"max_files_per_trigger": 4}}
    assert normalised.written == {("trigger", "max_files_per_trigger"): ("source", "maxFilesPerTrigger")}
    assert layer == {"source": {"maxFilesPerTrigger": 4, "url": "a"}}, "the layer that was passed in does not change"


def test_one_option_under_two_names_is_a_mistake() -> None:
    normalised = normalise({"trigger": {"maxFilesPerTrigger": 4, "max_files_per_trigger": 5}})
    (mistake,) = normalised.mistakes
    assert mistake.path == ("trigger", "maxFilesPerTrigger")
    assert "trigger.max_files_per_trigger" in mistake.message
    assert normalised.options == {"trigger": {"max_files_per_trigger": 5}}
    (mistake,) = normalise({"trigger": {"maxFilesPerTrigger": 4}, "source": {"maxFilesPerTrigger": 5}}).mistakes
    assert mistake.path == ("source", "maxFilesPerTrigger")
    assert "trigger.maxFilesPerTrigger" in mistake.message


def test_an_invalid_value_is_left_out_and_reported() -> None:
    normalised = normalise({"pipeline": {"recognize": {"useGPU": "maybe"}}})
    (mistake,) = normalised.mistakes
    assert str(mistake) == "pipeline.recognize.useGPU: 'maybe' is not one of true, false"
    assert normalised.options == {"pipeline": {"recognize": {}}}


def test_a_section_that_is_not_a_mapping_is_left_to_validation() -> None:
    assert normalise({"source": "inbox"}).options == {"source": "inbox"}
    assert normalise({"source": {"maxFilesPerTrigger": 4}, "trigger": 3}).options == {
        "source": {},
        "trigger": {"max_files_per_trigger": 4},
    }


def test_get_distinguishes_a_null_value_from_a_missing_one() -> None:
    assert get({"a": {"b": None}}, ("a", "b")) == (None,)
    assert get({"a": {"b": None}}, ("a", "c")) is None
    assert get({"a": 1}, ("a", "b")) is None
