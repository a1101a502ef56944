"""A configuration as YAML, which can be pasted back."""

from __future__ import annotations

from typing import Any

import pytest

from inkstream.tasks.config import build_config, load_config_file, plain, to_yaml
from inkstream.tasks.presets import PRESETS

DOCUMENTS = [
    {},
    {"pipeline": {"detect": {}, "draw": {"level": "word"}, "recognize": {"languages": ["deu", "eng"]}}},
    {"source": {"url": "a b", "glob": "*: #?", "stability_delay": 0.25, "max_file_age": "36h"}},
    {"execution": {"limits": {"page_seconds": 5}}, "pipeline": {"text_layer": {"mode": "only"}}},
    *PRESETS.values(),
]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("changed", [False, True])
def test_a_printed_configuration_can_be_pasted_back(document: dict[str, Any], changed: bool) -> None:
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **document})
    shown = to_yaml(plain(config, changed=changed))
    assert build_config(load_config_file(shown, "pasted")) == config


def test_changed_shows_only_options_that_differ_from_the_defaults() -> None:
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}}, preset="ocr-streaming")
    assert plain(config, changed=True) == {"source": {"url": "a"}, "sink": {"url": "b"}, **PRESETS["ocr-streaming"]}


def test_every_default_is_shown() -> None:
    def names(part: Any) -> set[str]:
        return (
            {name for key, value in part.items() for name in (key, *names(value))} if isinstance(part, dict) else set()
        )

    whole: dict[str, Any] = {"pipeline": {"detect": {}, "draw": {}, "preprocess": {"binarize": {}}}}
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **whole})
    assert names(plain(config)) == names(config.model_dump())
