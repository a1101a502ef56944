"""The small JSON files that runs store in a sink, beside its table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.paths import split_url
from inkstream.tasks.stores import explain_store_error, open_store


def write_stream(config: StreamConfig) -> None:
    """Write `SINK/streams/<stream>.json`, the configuration that `retry SINK` and `status SINK` need."""
    write_json(config.sink.url, f"streams/{config.stream}.json", config.model_dump(mode="json"))


def write_pipeline(config: StreamConfig, pipeline_id: str, engine_versions: Mapping[str, str]) -> None:
    """Write `SINK/pipelines/<pipeline_id>.json`, the pipeline that made the rows with this id."""
    content = {
        "pipeline_id": pipeline_id,
        "pipeline": config.pipeline.model_dump(mode="json"),
        "engine_versions": dict(engine_versions),
        "written_at": datetime.now(UTC).isoformat(),
    }
    write_json(config.sink.url, f"pipelines/{pipeline_id}.json", content)


def write_json(sink_url: str, name: str, content: Mapping[str, Any]) -> None:
    """Write a JSON file of the sink completely or not at all.

    Raises:
        EnvironmentFault: If the sink cannot be written.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(sink_url)
    data = (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    try:
        open_store(protocol, root).write(f"{root}/{name}", data)
    except Exception as error:
        raise explain_store_error(error, f"cannot write {name} to {sink_url}") from error


def read_json(sink_url: str, name: str) -> dict[str, Any] | None:
    """Return the content of a JSON file of the sink; None if it does not exist."""
    protocol, root = split_url(sink_url)
    try:
        data = open_store(protocol, root).fetch(f"{root}/{name}")
    except FileNotFoundError:
        return None
    except Exception as error:
        raise explain_store_error(error, f"cannot read {name} of {sink_url}") from error
    content: dict[str, Any] = json.loads(data)
    return content
