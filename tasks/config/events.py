"""Options of the events that announce new objects."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.durations import Duration
from inkstream.tasks.config.urls import SECRET_ERROR

_EXAMPLE = "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"


def _queue_url(url: str) -> str:
    """Check the rules common to all kinds of queues. The kinds are known to `inkstream.tasks.source.opening`."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise PydanticCustomError(
            SECRET_ERROR,
            "a queue's URL must not have a user or password in it, because URLs are stored and shown; set them in the "
            "environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if "://" not in url:
        raise ValueError(f"expected the URL of a queue, such as {_EXAMPLE}, not its name or ARN")
    return url


QueueUrl = Annotated[str, AfterValidator(_queue_url)]


class EventOptions(Options):
    """How events announce new objects, for `inkstream listen` and `inkstream serve`."""

    queue: QueueUrl | None = Field(
        None,
        description="URL of the SQS queue that receives the source's S3 notifications, directly or through SNS or "
        "EventBridge",
        examples=[_EXAMPLE],
    )
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=20))] = Field(
        timedelta(seconds=20), description="how long one request waits for a message, such as 5s; at most 20s"
    )
    visibility_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=12))] = Field(
        timedelta(minutes=1),
        description="how long a message is hidden from other consumers, such as 1m; it is renewed while the message is "
        "processed, so after a consumer is killed its messages come back this much later",
    )
    backfill_interval: Annotated[Duration, Field(gt=timedelta(0))] | None = Field(
        timedelta(minutes=10),
        description="list the whole source at the start and then at this interval, such as 1h, to find files whose "
        "events were lost; null: rely on events alone",
    )

    @field_validator("queue", mode="before")
    @classmethod
    def _empty_is_none(cls, given: Any) -> Any:
        return None if given == "" else given  # a Prefect template leaves this if the variable is not set
