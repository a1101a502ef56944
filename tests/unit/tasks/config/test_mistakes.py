"""Mistakes, reported in the user's own words."""

from __future__ import annotations

import pytest

from inkstream.tasks.config import Mistake, StreamConfig
from inkstream.tasks.config.mistakes import explain, nearest


def item(kind: str, *path: str, given: object = None, message: str = "no", expected: str = "") -> dict[str, object]:
    return {"type": kind, "loc": path, "input": given, "msg": message, "ctx": {"expected": expected}}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (item("missing", "sink"), "sink: required, but not given"),
        (item("extra_forbidden", "sink", "urll"), "sink.urll: unknown option; did you mean 'url'?"),
        (item("extra_forbidden", "page_seconds"), "page_seconds: unknown option; did you mean execution.limits.page_"),
        (item("extra_forbidden", "sink", "qqqq"), "sink.qqqq: unknown option"),
        (item("extra_forbidden", "sink", "latestFirst"), "sink.latestFirst: does not belong here; move it to source"),
        (item("extra_forbidden", "checkpointLocation"), "checkpointLocation: there is no checkpoint folder"),
        (item("extra_forbidden", "source", "pathGlobFiltr"), "did you mean 'pathGlobFilter'?"),
        (item("enum", "x", given="b", expected="'a' or 'bb'"), "x: 'b' is not one of a, bb; did you mean 'bb'?"),
        (item("model_type", "sink", given=1), "sink: expected a section with options of its own (given: 1)"),
        (item("value_error", "x", given=3, message="Value error, too much"), "x: too much (given: 3)"),
        (item("secret_in_url", "x", given="s://a:b@c", message="no password"), "x: no password"),
        (item("value_error", "x", given={"a": 1}, message="Value error, a alone"), "x: a alone"),
    ],
)
def test_validation_errors_are_explained_in_plain_words(error: dict[str, object], said: str) -> None:
    assert said in str(explain(error))


def test_a_secret_is_not_repeated() -> None:
    assert "sesame" not in str(explain(item("secret_in_url", "x", given="s://ada:sesame@host")))


def test_a_mistake_is_shown_with_its_path_if_it_has_one() -> None:
    assert str(Mistake((), "it is empty")) == "it is empty"
    assert str(Mistake(("a", "b"), "is wrong", line=3)) == "a.b: is wrong"


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("globb", ["glob", "url"]) == "; did you mean 'glob'?"
    assert nearest("zzz", ["glob", "url"]) == ""


def test_only_sections_have_a_section_model() -> None:
    source = StreamConfig.section_model("source")
    assert source is not None
    assert source.section_model("url") is None
    assert StreamConfig.section_model("nothing") is None
