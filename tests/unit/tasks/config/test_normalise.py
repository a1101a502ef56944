"""Spark OCR's names in a layer become Inkstream's, and messages still quote the names as written."""

from __future__ import annotations

from inkstream.tasks.config.normalise import get, normalise


def test_a_name_moves_to_its_option_and_its_place_is_remembered() -> None:
    layer = {"source": {"maxFilesPerTrigger": 4, "url": "a"}}
    done = normalise(layer)
    assert done.options == {"source": {"url": "a"}, "trigger": {"max_files_per_trigger": 4}}
    assert done.written == {("trigger", "max_files_per_trigger"): ("source", "maxFilesPerTrigger")}
    assert layer == {"source": {"maxFilesPerTrigger": 4, "url": "a"}}, "what was given is left as it is"


def test_one_option_under_two_names_is_a_mistake() -> None:
    done = normalise({"trigger": {"maxFilesPerTrigger": 4, "max_files_per_trigger": 5}})
    (mistake,) = done.mistakes
    assert mistake.path == ("trigger", "maxFilesPerTrigger")
    assert "trigger.max_files_per_trigger" in mistake.message
    assert done.options == {"trigger": {"max_files_per_trigger": 5}}
    (mistake,) = normalise({"trigger": {"maxFilesPerTrigger": 4}, "source": {"maxFilesPerTrigger": 5}}).mistakes
    assert mistake.path == ("source", "maxFilesPerTrigger")
    assert "trigger.maxFilesPerTrigger" in mistake.message


def test_a_value_that_means_nothing_here_is_left_out_and_told() -> None:
    done = normalise({"pipeline": {"recognize": {"useGPU": "maybe"}}})
    (mistake,) = done.mistakes
    assert str(mistake) == "pipeline.recognize.useGPU: 'maybe' is not one of true, false"
    assert done.options == {"pipeline": {"recognize": {}}}


def test_a_section_that_is_not_one_is_left_to_validation() -> None:
    assert normalise({"source": "inbox"}).options == {"source": "inbox"}
    assert normalise({"source": {"maxFilesPerTrigger": 4}, "trigger": 3}).options == {
        "source": {},
        "trigger": {"max_files_per_trigger": 4},
    }


def test_a_value_that_is_none_is_told_from_no_value() -> None:
    assert get({"a": {"b": None}}, ("a", "b")) == (None,)
    assert get({"a": {"b": None}}, ("a", "c")) is None
    assert get({"a": 1}, ("a", "b")) is None
