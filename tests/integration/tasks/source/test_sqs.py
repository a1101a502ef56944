"""SQS as an event source, served by moto in a separate process."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import boto3
import pytest

from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks.source.event_source import GIVE_BACK, Announcement
from inkstream.tasks.source.sqs import SqsQueue
from tests.integration.conftest import free_port
from tests.unit.tasks.source.test_notifications import message, record

NOW = timedelta(0)
LONG = timedelta(hours=1)


@pytest.fixture
def sqs(s3: Any, endpoint: str) -> Any:
    return boto3.client("sqs", region_name="us-east-1", endpoint_url=endpoint)


def make_queue(sqs: Any, **attributes: str) -> str:
    return str(sqs.create_queue(QueueName=uuid.uuid4().hex, Attributes=attributes)["QueueUrl"])


def test_received_messages_are_hidden_until_they_are_given_back(sqs: Any) -> None:
    url = make_queue(sqs)
    for number in range(12):  # more than one request takes
        sqs.send_message(QueueUrl=url, MessageBody=message(record(f"in/{number}.pdf")))
    sqs.send_message(QueueUrl=url, MessageBody="not a notification")
    queue = SqsQueue(url, LONG)
    received = queue.receive(100, NOW)
    assert len(received) == 13
    assert queue.receive(1, NOW) == [], "they are hidden"
    (unreadable,) = [each for each in received if each.problem]
    assert (unreadable.problem, unreadable.announcements) == ("it is not JSON", ())
    readable = {each.announcements for each in received if not each.problem}
    assert readable == {(Announcement("s3", f"b/in/{n}.pdf", True, "abc", 7),) for n in range(12)}
    assert queue.status().in_flight == 13
    queue.hide([unreadable], GIVE_BACK)
    assert [each.problem for each in queue.receive(100, NOW)] == ["it is not JSON"]
    queue.acknowledge([each for each in received if not each.problem])
    assert queue.status().in_flight == 1
    queue.close()


def test_receive_respects_its_limit(sqs: Any) -> None:
    url = make_queue(sqs)
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=message(record(f"in/{number}.pdf")))
    queue = SqsQueue(url, LONG)
    assert len(queue.receive(2, NOW)) == 2
    assert (queue.status().waiting, queue.status().in_flight) == (1, 2)
    queue.close()


def test_dead_letters_are_counted_if_the_queue_has_a_dead_letter_queue(sqs: Any) -> None:
    dead = make_queue(sqs)
    sqs.send_message(QueueUrl=dead, MessageBody="a dead letter")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    queue, plain = SqsQueue(make_queue(sqs, RedrivePolicy=policy), LONG), SqsQueue(make_queue(sqs), LONG)
    assert (queue.has_dead_letters(), plain.has_dead_letters()) == (True, False)
    status = queue.status()
    assert status.dead_letters is not None
    assert (status.waiting, status.dead_letters.url, status.dead_letters.waiting) == (0, dead, 1)
    assert plain.status().dead_letters is None
    queue.close()
    plain.close()


def test_a_missing_queue_has_a_remedy_and_an_unreachable_one_is_transient(sqs: Any) -> None:
    queue = SqsQueue(f"{make_queue(sqs)}-not", LONG)
    with pytest.raises(EnvironmentFault, match="create the queue, or correct its URL"):
        queue.receive(1, NOW)
    queue.close()
    unreachable = SqsQueue(f"http://127.0.0.1:{free_port()}/1/q", LONG)
    with pytest.raises(TransientError, match=r"the queue http://127\.0\.0\.1"):
        unreachable.status()
    unreachable.close()


def test_settling_a_message_after_another_consumer_did_is_no_error(sqs: Any) -> None:
    url = make_queue(sqs)
    for number in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=message(record(f"in/{number}.pdf")))
    late, other = SqsQueue(url, timedelta(seconds=1)), SqsQueue(url, LONG)
    outdated = late.receive(2, NOW)
    again = other.receive(1, timedelta(seconds=20))
    assert again[0].id in {each.id for each in outdated}, "the first consumer's time is over"
    other.acknowledge(again)
    late.hide(outdated, LONG)
    assert (other.status().waiting, other.status().in_flight) == (0, 1), "the other message is hidden nevertheless"
    late.acknowledge(outdated)
    assert (other.status().waiting, other.status().in_flight) == (0, 0)
    late.close()
    other.close()
