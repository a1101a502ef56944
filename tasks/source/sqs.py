"""The SQS queue that S3 notifications come by, and its dead-letter queue."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.stores.errors import credentials_remedy, error_code, is_credential_fault

_AMAZON = re.compile(r"^(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?$")
_AT_ONCE = 10  # messages in one request, which is SQS's limit
_RIGHTS = (
    "let these credentials do sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and "
    "sqs:GetQueueAttributes on the queue"
)
_DENIED = ("AccessDenied", "AccessDeniedException", "403")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue", "InvalidAddress")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is this consumer's until its visibility timeout is over.

    Attributes:
        id: The queue's name for it.
        body: Its text.
        receipt: What it is deleted by.
    """

    id: str
    body: str
    receipt: str


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How many messages a queue has, as it says itself: approximately.

    Attributes:
        url: The queue.
        waiting: Messages that can be received.
        in_flight: Messages that some consumer works on.
        delayed: Messages that cannot be received yet.
        dead_letters: The dead-letter queue; None where the queue has none.
    """

    url: str
    waiting: int
    in_flight: int
    delayed: int
    dead_letters: QueueStatus | None = None


class Queue:
    """One queue. Region and endpoint come from its URL, credentials from the usual AWS variables.

    Args:
        url: The queue's URL.
        visibility_timeout: How long a received message is hidden from others.
    """

    def __init__(self, url: str, visibility_timeout: timedelta) -> None:
        self.url = url
        self._seconds = max(1, int(visibility_timeout.total_seconds()))
        self._client = _client(url)

    def receive(self, limit: int, wait: timedelta) -> list[Message]:
        """Waits for a message and takes what more is there.

        Args:
            limit: Messages at most.
            wait: How long to wait for the first.

        Raises:
            EnvironmentFault: If there is no such queue, or it may not be read.
            TransientError: If it does not answer.
        """
        taken: list[Message] = []
        while len(taken) < limit:
            answer = self._call(
                "receive_message",
                MaxNumberOfMessages=min(_AT_ONCE, limit - len(taken)),
                WaitTimeSeconds=0 if taken else round(wait.total_seconds()),
                VisibilityTimeout=self._seconds,
            )
            found = [Message(m["MessageId"], m["Body"], m["ReceiptHandle"]) for m in answer.get("Messages", ())]
            if not found:
                break
            taken += found
        return taken

    @contextmanager
    def held(self, messages: Sequence[Message]) -> Iterator[None]:
        """Keeps messages hidden from others while the block runs; if it fails they are given back at once."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._seconds / 3):
                self._hide(messages, self._seconds)

        heartbeat = threading.Thread(target=renew, name="inkstream-visibility", daemon=True)
        heartbeat.start()
        try:
            yield
        except BaseException:
            ended.set()
            heartbeat.join()
            self._hide(messages, 0)
            raise
        finally:
            ended.set()
            heartbeat.join()

    def delay(self, message: Message, time: timedelta) -> None:
        """Hides a message for a while, in place of the visibility timeout."""
        self._hide([message], min(43_200, max(1, round(time.total_seconds()))))

    def delete(self, messages: Sequence[Message]) -> None:
        """Deletes messages. One that cannot be comes again, and is found to be settled then."""
        for start in range(0, len(messages), _AT_ONCE):
            group = messages[start : start + _AT_ONCE]
            entries = [{"Id": str(n), "ReceiptHandle": m.receipt} for n, m in enumerate(group)]
            with suppress(TransientError):
                self._call("delete_message_batch", Entries=entries)

    def status(self) -> QueueStatus:
        """Asks the queue, and its dead-letter queue if it has one, how many messages they have.

        Raises:
            EnvironmentFault: If there is no such queue, or it may not be asked.
            TransientError: If it does not answer.
        """
        attributes = self._attributes(self.url)
        target = self.dead_letter_url(attributes)
        dead = _status(target, self._attributes(target)) if target else None
        return _status(self.url, attributes, dead)

    def dead_letter_url(self, attributes: dict[str, str] | None = None) -> str | None:
        """Returns the URL of the queue that the redrive policy names; None where there is none. Raises as `status`."""
        policy = (attributes or self._attributes(self.url)).get("RedrivePolicy")
        if not policy:
            return None
        *_, owner, name = json.loads(policy)["deadLetterTargetArn"].split(":")
        with self._explained():
            answer = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)
        return str(answer["QueueUrl"])

    def _attributes(self, url: str) -> dict[str, str]:
        with self._explained():
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes: dict[str, str] = answer.get("Attributes", {})
        return attributes

    def _hide(self, messages: Sequence[Message], seconds: int) -> None:
        """Best effort: a message that is seen by others too early is read twice and written once."""
        for start in range(0, len(messages), _AT_ONCE):
            group = messages[start : start + _AT_ONCE]
            entries = [
                {"Id": str(n), "ReceiptHandle": m.receipt, "VisibilityTimeout": seconds} for n, m in enumerate(group)
            ]
            with suppress(InkstreamError):
                self._call("change_message_visibility_batch", Entries=entries)

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
            region_name=region or session.get_config_variable("region") or "us-east-1",
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL_SQS", f"{parts.scheme}://{parts.netloc}"),
            config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
        )
    except BotoCoreError as error:
        raise _explain(error, url) from error


def _explain(error: Exception, url: str) -> InkstreamError:
    code, text = error_code(error), f"the queue {url}: {error or type(error).__name__}"
    if is_credential_fault(error):
        return EnvironmentFault(text, credentials_remedy("s3"))
    if code in _DENIED:
        return EnvironmentFault(text, _RIGHTS)
    if any(code.endswith(name) for name in _NO_QUEUE):
        return EnvironmentFault(text, "create the queue, or correct its URL: `aws sqs get-queue-url` prints it")
    return TransientError(text)
