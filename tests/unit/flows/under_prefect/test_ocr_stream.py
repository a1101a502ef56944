"""The form of `ocr_stream`, as a person sees it before the run."""

from __future__ import annotations

from inkstream.flows.under_prefect.ocr_stream import ocr_stream


def test_the_form_lists_a_runs_own_choices_before_the_configuration() -> None:
    form = ocr_stream.parameters
    assert sorted(form.properties, key=lambda name: form.properties[name]["position"]) == ["limit", "preset", "config"]
    assert form.required == ["config"]
    assert form.properties["limit"]["anyOf"][0] == {"type": "integer", "minimum": 1}
    assert form.properties["preset"]["anyOf"][0]["enum"] == ["ocr-streaming", "ocr-regions", "handwritten"]
    assert "at most this many new files" in form.properties["limit"]["description"]
    assert ocr_stream.description is not None
    assert ocr_stream.description.startswith("Stream new documents into a versioned table of text")
