"""`ingest_s3_object`, the Prefect flow: reads one object that a Prefect event announces.

Prefect evaluates the annotations, so this module has no `from __future__ import annotations`; see `ocr_stream`.
"""

from typing import Any

from prefect import flow

from inkstream.flows.loop.planners import AnnouncedFiles
from inkstream.flows.under_prefect.ocr_stream import drain_with_tasks
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.source.notifications import PROTOCOL
from inkstream.tasks.source.opening import require_announced


@flow(
    name="ingest_s3_object",
    flow_run_name="{config.stream} {key}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def ingest_s3_object(config: StreamConfig, bucket: str, key: str) -> dict[str, Any]:
    """Read the current version of one object, unless it is in the table already or is not a document of the stream.

    Args:
        config: The stream; its source is on S3.
        bucket: The object's bucket.
        key: The object's key, not URL-encoded.

    Returns:
        Counts of what was committed and of files left for the next trigger, and the table's version.

    Raises:
        ConfigError: If the source is not on S3.
        TransientError: If there is no such object, or it may not be read yet.
    """
    require_announced(config, [PROTOCOL], "the flow ingest_s3_object")
    summary = drain_with_tasks(config, AnnouncedFiles([Announcement(PROTOCOL, f"{bucket}/{key}", created=True)]))
    if summary.unsettled:
        why = "; ".join(f"{url}: {unsettled.why}" for url, unsettled in summary.unsettled.items())
        raise TransientError(f"{why}; a run that lists the source will find the object if it exists")
    return summary.to_json()
