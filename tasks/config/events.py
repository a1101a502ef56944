"""Options of how events tell of new objects."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.durations import Duration


def _queue_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.strip("/"):
        raise ValueError("expected the URL of a queue, as `aws sqs get-queue-url` prints it, not its name or ARN")
    if parts.username or parts.password:
        raise ValueError("a queue's URL must not have a user or password in it; set AWS_ACCESS_KEY_ID instead")
    return url


QueueUrl = Annotated[str, AfterValidator(_queue_url)]


class EventOptions(Options):
    """How events tell of new objects; used by `inkstream listen` and the run that `inkstream serve` starts for them."""

    queue: QueueUrl | None = Field(
        None,
        description="URL of the SQS queue that gets the source's S3 notifications, directly, by SNS or by EventBridge",
        examples=["https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"],
    )
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=20))] = Field(
        timedelta(seconds=20), description="wait so long for a message in one request, such as 5s; 20s at most"
    )
    visibility_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=12))] = Field(
        timedelta(minutes=1),
        description="hide a message from other consumers for so long, such as 1m; renewed while it is worked on, so "
        "that this is how late it comes again after a consumer died",
    )
    backfill_interval: Annotated[Duration, Field(gt=timedelta(0))] | None = Field(
        timedelta(minutes=10),
        description="list the whole source this often, such as 1h, and once at the start, for what events have lost; "
        "null: trust events alone",
    )
