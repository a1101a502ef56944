"""The Dask workers of a run, before a cluster is opened."""

from __future__ import annotations

from inkstream.flows.loop.workers import Workers
from inkstream.ocr_core.pipeline.environment import engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.tasks.config import build_config


def test_local_workers_make_what_this_process_would_make() -> None:
    config = build_config({"source": {"url": "in"}, "sink": {"url": "out"}})
    other = build_config({"source": {"url": "in"}, "sink": {"url": "out"}, "pipeline": {"render": {"resolution": 150}}})
    workers = Workers(config)
    for asked in (config, other):
        expected = pipeline_id(asked.pipeline, engine_versions(asked.pipeline))
        assert workers.made_by(asked) == frozenset({expected})
    assert workers.made_by(config) != workers.made_by(other)
    workers.close()
