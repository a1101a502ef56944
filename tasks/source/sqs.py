"""SQS as an event source: the queue that receives S3 notifications, and its dead-letter queue."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.source.event_source import EventSourceKind, Message, QueueStatus
from inkstream.tasks.source.notifications import PROTOCOL, read_message
from inkstream.tasks.stores.errors import credentials_remedy, error_code, is_credential_fault

_EXAMPLE = "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"
_AMAZON = re.compile(r"^(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?$")
_AT_ONCE = 10  # messages in one request, SQS's limit
_LONGEST_HIDING = 43_200  # seconds, SQS's limit
_ANY_REGION = "us-east-1"  # for a queue outside Amazon, because signatures need a region
_RIGHTS = (
    "allow these credentials sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and "
    "sqs:GetQueueAttributes on the queue"
)
_DENIED = ("AccessDenied", "AccessDeniedException", "403")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue", "InvalidAddress")


class SqsQueue:
    """An SQS queue. See `inkstream.tasks.source.event_source.EventSource`.

    The region and endpoint come from the URL, and credentials from the usual AWS variables.

    Args:
        url: The queue's URL.
        visibility_timeout: How long a received message is hidden from other consumers.

    Raises:
        ConfigError: If the URL does not name a queue.
        EnvironmentFault: If the AWS profile is not found.
    """

    def __init__(self, url: str, visibility_timeout: timedelta) -> None:
        parts = urlsplit(url)
        if not parts.hostname or not parts.path.strip("/"):
            raise ConfigError(
                f"events.queue {url}: expected the URL of a queue, as `aws sqs get-queue-url` prints it, "
                f"such as {_EXAMPLE}"
            )
        self.url = url
        self._visibility = visibility_timeout
        self._client = _client(url)

    def has_dead_letters(self) -> bool:
        """Return whether the queue has a redrive policy."""
        return bool(self._attributes(self.url).get("RedrivePolicy"))

    def receive(self, limit: int, wait: timedelta) -> list[Message]:
        """Wait for a message, and return it with others that are available."""
        taken: list[Message] = []
        while len(taken) < limit:
            answer = self._call(
                "receive_message",
                MaxNumberOfMessages=min(_AT_ONCE, limit - len(taken)),
                WaitTimeSeconds=0 if taken else round(wait.total_seconds()),
                VisibilityTimeout=_seconds(self._visibility),
            )
            messages = [_message(received) for received in answer.get("Messages", ())]
            if not messages:
                break
            taken += messages
        return taken

    def hide(self, messages: Sequence[Message], time: timedelta) -> None:
        """Hide messages from other consumers for this long from now, at most 12 hours."""
        for entries in _entries(messages, VisibilityTimeout=_seconds(time)):
            with suppress(InkstreamError):
                self._call("change_message_visibility_batch", Entries=entries)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        for entries in _entries(messages):
            with suppress(TransientError):
                self._call("delete_message_batch", Entries=entries)

    def status(self) -> QueueStatus:
        """Return the numbers of messages in the queue and in its dead-letter queue."""
        attributes = self._attributes(self.url)
        policy = attributes.get("RedrivePolicy")
        if not policy:
            return _status(self.url, attributes)
        dead = self._dead_letter_url(policy)
        return _status(self.url, attributes, _status(dead, self._attributes(dead)))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _dead_letter_url(self, policy: str) -> str:
        *_, owner, name = json.loads(policy)["deadLetterTargetArn"].split(":")
        with self._explained():
            answer = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)
        return str(answer["QueueUrl"])

    def _attributes(self, url: str) -> dict[str, str]:
        with self._explained():
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes: dict[str, str] = answer.get("Attributes", {})
        return attributes

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with self._explained():
            answer: dict[str, Any] = getattr(self._client, operation)(QueueUrl=self.url, **arguments)
            return answer

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise _explain(error, self.url) from error


KIND = EventSourceKind(
    name="SQS",
    schemes=("https", "http"),
    example=_EXAMPLE,
    announces=frozenset({PROTOCOL}),
    open=SqsQueue,
)
"""The registry entry."""


def _message(received: dict[str, Any]) -> Message:
    id, receipt = received["MessageId"], received["ReceiptHandle"]
    try:
        return Message(id, receipt, tuple(read_message(received["Body"])))
    except ValueError as error:
        return Message(id, receipt, problem=str(error))


def _entries(messages: Sequence[Message], **fields: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield the entries of batch requests, in groups that fit into one request."""
    for start in range(0, len(messages), _AT_ONCE):
        group = messages[start : start + _AT_ONCE]
        yield [{"Id": str(n), "ReceiptHandle": message.receipt, **fields} for n, message in enumerate(group)]


def _seconds(time: timedelta) -> int:
    return min(_LONGEST_HIDING, math.ceil(time.total_seconds()))


def _status(url: str, attributes: dict[str, str], dead: QueueStatus | None = None) -> QueueStatus:
    waiting, in_flight, delayed = (
        int(attributes.get(f"ApproximateNumberOfMessages{which}", 0)) for which in ("", "NotVisible", "Delayed")
    )
    return QueueStatus(url, waiting, in_flight, delayed, dead)


def _client(url: str) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    parts = urlsplit(url)
    amazon = _AMAZON.match(parts.hostname or "")
    try:
        session = Session()
        region = (amazon[1] or amazon[2]) if amazon else os.environ.get("AWS_REGION")
        return session.create_client(
            "sqs",
            region_name=region or session.get_config_variable("region") or _ANY_REGION,
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL_SQS", f"{parts.scheme}://{parts.netloc}"),
            config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
        )
    except BotoCoreError as error:
        raise _explain(error, url) from error


def _explain(error: Exception, url: str) -> InkstreamError:
    code, text = error_code(error), f"the queue {url}: {error or type(error).__name__}"
    if is_credential_fault(error):
        return EnvironmentFault(text, credentials_remedy(PROTOCOL))
    if code in _DENIED:
        return EnvironmentFault(text, _RIGHTS)
    if any(code.endswith(name) for name in _NO_QUEUE):
        return EnvironmentFault(text, "create the queue, or correct its URL: `aws sqs get-queue-url` prints it")
    return TransientError(text)
