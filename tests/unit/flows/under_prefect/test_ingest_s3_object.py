"""`ingest_s3_object` refuses a stream whose source is not a bucket, before anything is done."""

from __future__ import annotations

import pytest

from inkstream.flows.under_prefect.ingest_s3_object import ingest_s3_object
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config


@pytest.mark.parametrize("source", ["/inbox", "gs://bucket/in"])
def test_a_source_outside_s3_is_refused(source: str) -> None:
    config = build_config({"source": {"url": source}, "sink": {"url": "tables"}})
    with pytest.raises(ConfigError, match="the flow ingest_s3_object announces objects of s3:// stores") as caught:
        ingest_s3_object.fn(config, "bucket", "in/a.pdf")
    assert f"the source {source} is not in one" in str(caught.value)
