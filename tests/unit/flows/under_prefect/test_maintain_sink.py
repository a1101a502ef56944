"""The form of `maintain_sink`."""

from __future__ import annotations

from inkstream.flows.under_prefect.maintain_sink import maintain_sink


def test_the_form_requires_only_the_sink() -> None:
    form = maintain_sink.parameters
    assert (list(form.properties), form.required) == (["sink", "options"], ["sink"])
    assert form.definitions["MaintainOptions"]["properties"]["retention"]["format"] == "duration"
