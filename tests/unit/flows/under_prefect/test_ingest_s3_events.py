"""`ingest_s3_events`: its form, and a stream without an event source."""

from __future__ import annotations

import pytest
from prefect.logging import disable_run_logger

from inkstream.flows.under_prefect.ingest_s3_events import ingest_s3_events
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config


def test_the_form_lists_a_runs_own_choices_before_the_configuration() -> None:
    form = ingest_s3_events.parameters
    names = sorted(form.properties, key=lambda name: form.properties[name]["position"])
    assert names == ["once", "max_batches", "config"]
    assert form.required == ["config"]


def test_a_stream_without_a_queue_is_refused() -> None:
    config = build_config({"source": {"url": "s3://bucket/in"}, "sink": {"url": "tables"}})
    with disable_run_logger(), pytest.raises(ConfigError, match=r"set events\.queue"):
        ingest_s3_events.fn(once=True, config=config)
