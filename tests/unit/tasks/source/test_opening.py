"""The event source that a URL names, and the error if it cannot announce a stream's files."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import EventOptions, StreamConfig, build_config
from inkstream.tasks.source.opening import (
    count_messages,
    find_kind,
    open_event_source,
    require_announced,
    require_event_source,
)

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"


def config(source: str, queue: str | None = QUEUE) -> StreamConfig:
    return build_config({"source": {"url": source}, "sink": {"url": "tables"}, "events": {"queue": queue}})


@pytest.mark.parametrize("url", [QUEUE, "http://127.0.0.1:9324/000000000000/inbox", QUEUE.replace("https", "HTTPS")])
def test_http_urls_are_sqs_queues(url: str) -> None:
    assert find_kind(url).name == "SQS"
    assert require_event_source(config("s3://bucket/in", url)) == url
    assert require_event_source(config("s3a://bucket/in", url)) == url


@pytest.mark.parametrize("url", ["pubsub://project/inbox", "inbox", "arn:aws:sqs:eu-west-1:1:inbox"])
def test_an_unknown_kind_is_refused_and_the_known_ones_are_listed(url: str) -> None:
    for attempt in (find_kind, lambda url: open_event_source(url, timedelta(seconds=1))):
        with pytest.raises(ConfigError) as caught:
            attempt(url)
        assert str(caught.value) == (
            f"events.queue {url}: no event source has URLs of this scheme; known event sources: SQS, such as {QUEUE}"
        )


def test_a_url_that_does_not_name_a_queue_is_refused() -> None:
    for url in ("https://sqs.eu-west-1.amazonaws.com", "https:///123456789012/inbox"):
        with pytest.raises(ConfigError, match="as `aws sqs get-queue-url` prints it"):
            open_event_source(url, timedelta(seconds=1))


def test_following_or_counting_without_a_queue_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"set events\.queue, or --queue URL"):
        require_event_source(config("s3://bucket/in", None))
    with pytest.raises(ConfigError, match=r"set events\.queue, or --queue URL"):
        count_messages(EventOptions())


@pytest.mark.parametrize("source", ["/inbox", "ftp://host/inbox", "gs://bucket/inbox"])
def test_a_source_that_the_queue_cannot_announce_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match="SQS announces objects of s3:// stores") as caught:
        require_event_source(config(source))
    assert source in str(caught.value)


def test_a_store_that_cannot_look_up_one_object_is_refused() -> None:
    with pytest.raises(ConfigError, match="somebody: ftp:// stores do not describe a single object as they list it"):
        require_announced(config("ftp://host/inbox"), ["ftp"], "somebody")
    require_announced(config("/inbox"), ["file"], "somebody")
