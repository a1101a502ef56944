"""The Dask workers of a run, before a cluster is opened."""

from __future__ import annotations

from inkstream.flows.loop.workers import Workers
from inkstream.ocr_core.pipeline.environment import engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.tasks.config import build_config


def test_local_workers_have_the_pipeline_ids_of_this_process() -> None:
    config = build_config({"source": {"url": "in"}, "sink": {"url": "out"}})
    other = build_config({"source": {"url": "in"}, "sink": {"url": "out"}, "pipeline": {"render": {"resolution": 150}}})
    workers = Workers(config)
    for variant in (config, other):
        expected = pipeline_id(variant.pipeline, engine_versions(variant.pipeline))
        assert workers.made_by(variant) == frozenset({expected})
    assert workers.made_by(config) != workers.made_by(other)
    workers.close()
