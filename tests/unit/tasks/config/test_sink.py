"""Options of the sink, and which go together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from inkstream.tasks.config import MaintainOptions, SinkOptions


def test_a_memory_url_means_a_sink_in_memory() -> None:
    assert SinkOptions.model_validate({"url": "memory://here"}).format == "memory"
    assert SinkOptions.model_validate({"url": "tables"}).format == "delta"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "tables", "format": "memory"}, "a memory sink cannot be kept in a local folder; give memory://NAME"),
        ({"url": "memory://here", "format": "delta"}, "a delta sink cannot be kept on memory://"),
        ({"url": "tables", "format": "parquet", "mode": "upsert"}, "parquet cannot replace rows"),
        ({"url": "memory://here", "mode": "upsert"}, "memory cannot replace rows"),
        ({"url": "tables", "format": "iceberg"}, "'delta', 'parquet', 'memory'"),
        ({"url": "ftp://ada:sesame@host/tables"}, "must not have a user or password"),
    ],
)
def test_impossible_sink_options_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SinkOptions.model_validate(options)
    assert said in str(caught.value)


def test_retention_is_at_least_a_day() -> None:
    assert MaintainOptions(retention=timedelta(hours=24)).retention == timedelta(days=1)
    with pytest.raises(ValidationError, match="shorter than 24h"):
        MaintainOptions(retention=timedelta(hours=23))
