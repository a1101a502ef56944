"""Options of events: a queue's URL, and time limits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import EventOptions, build_config

PLACES = {"source": {"url": "s3://b/in"}, "sink": {"url": "t"}}


@pytest.mark.parametrize("url", ["https://sqs.eu-west-1.amazonaws.com/1/inbox", "pubsub://project/inbox", "x:///q"])
def test_a_queue_may_have_any_url(url: str) -> None:
    """Whether an event source exists for the URL is checked later, when it is opened."""
    assert build_config({**PLACES, "events": {"queue": url}}).events.queue == url


@pytest.mark.parametrize("wrong", ["inbox", "arn:aws:sqs:eu-west-1:1:inbox"])
def test_the_name_or_arn_of_a_queue_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"^events\.queue: expected the URL of a queue, such as https://sqs"):
        build_config({**PLACES, "events": {"queue": wrong}})


def test_an_empty_url_means_no_queue() -> None:
    # as `deployments/prefect.yaml` leaves it if INKSTREAM_QUEUE is not set
    assert build_config({**PLACES, "events": {"queue": ""}}).events.queue is None


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"^events\.queue: .*set them in the environment") as caught:
        build_config({**PLACES, "events": {"queue": "https://ada:sesame@host/1/inbox"}})
    assert "sesame" not in str(caught.value)


def test_times_outside_the_limits_of_queues_are_refused() -> None:
    assert EventOptions().backfill_interval == timedelta(minutes=10)
    for option in ("wait=21s", "visibility_timeout=0s", "visibility_timeout=13h", "backfill_interval=0s"):
        with pytest.raises(ConfigError, match=rf"^events\.{option.partition('=')[0]}: "):
            build_config(PLACES, overrides=[f"events.{option}"])
    assert build_config(PLACES, overrides=["events.backfill_interval=null"]).events.backfill_interval is None
