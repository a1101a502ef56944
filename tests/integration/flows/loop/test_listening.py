"""The listener on S3 events: queue, bucket and dead-letter queue are moto's, in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import Event, Listed, MessagesTaken, Notice
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.skipped import SkipReason
from inkstream.tasks.source.event_source import held
from inkstream.tasks.source.sqs import SqsQueue
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream
from tests.integration.conftest import free_port

pytestmark = pytest.mark.usefixtures("shared_workers")

SHORT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Events:
    """A bucket, the queue that receives its events, and the queue's dead-letter queue."""

    s3: Any
    sqs: Any
    bucket: str
    url: str
    dead_url: str

    def put(self, key: str, text: str = "announced page") -> str:
        etag: str = self.s3.put_object(Bucket=self.bucket, Key=key, Body=tiny_pdf(text))["ETag"]
        return etag.strip('"')

    def send(self, body: object) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def left(self) -> int:
        """Count the messages, including hidden ones."""
        status = SqsQueue(self.url, SHORT).status()
        return status.waiting + status.in_flight + status.delayed

    def config(self, **options: Any) -> StreamConfig:
        given = {
            "source": {"url": f"s3://{self.bucket}/in"},
            "sink": {"url": f"s3://{self.bucket}/out"},
            "pipeline": {"text_layer": {"mode": "only"}, "render": {"resolution": 72}},
            "execution": {"workers": 1},
            "events": {"queue": self.url, "backfill_interval": None, "visibility_timeout": "20s"},
        }
        return build_config(given, overrides=[f"{name.replace('__', '.')}={value}" for name, value in options.items()])

    def rows(self) -> Counter[str]:
        rows = PagesTable(f"s3://{self.bucket}/out").rows().to_pylist()
        return Counter(f"{row['path'].rpartition('/')[2]} {row['text']}" for row in rows)


@pytest.fixture
def events(s3: Any, bucket: str, endpoint: str) -> Events:
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=endpoint)
    name = uuid.uuid4().hex
    dead = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:dead-{name}"
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    target = {
        "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{name}",
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]})
    return Events(s3, sqs, bucket, url, dead)


def announced(bucket: str, key: str) -> dict[str, Any]:
    described = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "eTag": "e"}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": described}]}


def test_announced_objects_are_committed_once_and_their_messages_deleted(events: Events) -> None:
    seen: list[Event] = []
    events.put("in/a b+é.pdf")
    events.put("in/b.pdf")
    events.put("in/b.pdf", "overwritten page")  # two messages, of which only this version exists
    events.put("in/_hidden.pdf")
    events.put("elsewhere/c.pdf")
    events.put("in/short-lived.pdf")
    events.s3.delete_object(Bucket=events.bucket, Key="in/short-lived.pdf")
    with Stream(events.config(), observers=[seen.append]) as running:
        summary = running.listen(once=True)
        assert (summary.batches, summary.files, summary.left_out) == (1, 2, {})
        assert events.rows() == {"a%20b%2B%C3%A9.pdf announced page": 1, "b.pdf overwritten page": 1}
        for _ in range(2):  # events may arrive twice, and the sink's own files are announced too
            events.send(announced(events.bucket, "in/b.pdf"))
        again = running.listen(once=True)
        assert (again.batches, again.files, again.version) == (0, 0, summary.version)
        drained = sum(isinstance(event, Listed) for event in seen)
        events.send(announced(events.bucket, "out/pages/a.parquet"))
        events.send(announced(events.bucket, "in/_hidden.pdf"))
        running.listen(once=True)
    assert sum(isinstance(event, Listed) for event in seen) == drained, "no message named a file of the source"
    assert events.left() == 0
    taken = [event for event in seen if isinstance(event, MessagesTaken)]
    assert not any(event.unsettled or event.unreadable for event in taken)
    assert sum(event.skipped.counts[SkipReason.HIDDEN] for event in taken) == 2


def test_messages_that_cannot_be_settled_become_dead_letters(events: Events) -> None:
    seen: list[Event] = []
    events.send("not a notification")
    events.send(announced(events.bucket, "in/never.pdf"))
    events.send(announced("somebody-elses", "in/a.pdf"))
    events.put("in/good.pdf")
    with Stream(events.config(events__visibility_timeout="3s"), observers=[seen.append]) as running:
        assert running.listen(once=True).files == 1
        taken = [event for event in seen if isinstance(event, MessagesTaken)]
        assert sum(len(event.unreadable) for event in taken) == 1
        left = {path: why for event in taken for path, why in event.unsettled.items()}
        assert left.keys() == {f"s3://{events.bucket}/in/never.pdf", "s3://somebody-elses/in/a.pdf"}
        end = time.monotonic() + 60
        while SqsQueue(events.dead_url, SHORT).status().waiting < 3:
            assert time.monotonic() < end
            running.listen(once=True)
    status = json.loads(inkstream("status", f"s3://{events.bucket}/out", "--queue", events.url, "--json").stdout)
    assert status["queue"]["dead_letters"] == {"url": events.dead_url, "waiting": 3, "in_flight": 0, "delayed": 0}
    assert status["queue"]["waiting"] == 0
    shown = inkstream("status", f"s3://{events.bucket}/out", "--queue", events.url).stdout
    assert "dead-letter queue" in shown
    assert "3 messages" in shown


def test_a_listing_finds_objects_without_events(events: Events) -> None:
    events.s3.put_bucket_notification_configuration(Bucket=events.bucket, NotificationConfiguration={})
    events.put("in/lost.pdf")
    with Stream(events.config(events__backfill_interval="1h")) as running:
        assert running.listen(once=True).files == 1
        events.put("in/late.pdf")
        assert running.listen(once=True).files == 1, "a listener lists when it starts"
    assert events.rows() == {"lost.pdf announced page": 1, "late.pdf announced page": 1}


def test_the_message_of_an_object_that_may_still_change_stays_hidden(events: Events) -> None:
    events.put("in/young.pdf")
    with Stream(events.config(source__stability_delay="1h", events__visibility_timeout="3s")) as running:
        assert running.listen(once=True).files == 0
    end = time.monotonic() + 4
    while time.monotonic() < end:  # longer than the visibility timeout, after which it would be a dead letter
        assert SqsQueue(events.url, SHORT).receive(1, timedelta(0)) == []
        time.sleep(0.1)
    assert SqsQueue(events.url, SHORT).status().in_flight == 1


def test_a_message_stays_hidden_while_it_is_worked_on(events: Events) -> None:
    url = events.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    events.sqs.send_message(QueueUrl=url, MessageBody="slow")
    visibility = timedelta(seconds=6)
    queue = SqsQueue(url, visibility)
    messages = queue.receive(1, timedelta(0))
    with held(queue, messages, visibility):
        end = time.monotonic() + 7
        while time.monotonic() < end:
            assert queue.receive(1, timedelta(0)) == []
            time.sleep(0.1)
    with pytest.raises(RuntimeError), held(queue, messages, visibility):
        raise RuntimeError
    assert queue.receive(1, timedelta(0)), "messages are given back at once after an error"


def test_messages_about_files_that_were_read_and_removed_are_deleted(events: Events) -> None:
    events.put("in/a.pdf")
    with Stream(events.config(source__clean_source="delete")) as running:
        assert running.run().cleaned == 1
        events.s3.put_bucket_notification_configuration(Bucket=events.bucket, NotificationConfiguration={})
        events.sqs.purge_queue(QueueUrl=events.url)
        row = PagesTable(f"s3://{events.bucket}/out").rows().to_pylist()[0]
        message = announced(events.bucket, "in/a.pdf")
        message["Records"][0]["s3"]["object"].update(size=row["length"], eTag=row["etag"])
        events.send(message)
        assert running.listen(once=True).files == 0
    assert events.left() == 0


def test_rows_of_a_versioned_bucket_name_the_version_that_was_read(events: Events) -> None:
    events.s3.put_bucket_versioning(Bucket=events.bucket, VersioningConfiguration={"Status": "Enabled"})
    put = events.s3.put_object(Bucket=events.bucket, Key="in/a.pdf", Body=tiny_pdf("versioned page"))
    events.put("in/gone.pdf")
    events.s3.put_bucket_notification_configuration(Bucket=events.bucket, NotificationConfiguration={})
    events.s3.delete_object(Bucket=events.bucket, Key="in/gone.pdf")  # no event: only the delete marker shows it
    config = events.config(sink__url=f"s3://{events.bucket}-tables/out")
    events.s3.create_bucket(Bucket=f"{events.bucket}-tables")
    with Stream(config) as running:
        assert running.listen(once=True).files == 1
    (row,) = PagesTable(config.sink.url).rows().to_pylist()
    assert (row["version_id"], row["text"]) == (put["VersionId"], "versioned page")
    assert events.left() == 0


def test_queue_faults_are_reported_with_their_remedy(events: Events) -> None:
    with Stream(events.config(events__queue=f"{events.url}-not")) as running, pytest.raises(EnvironmentFault) as caught:
        running.listen(once=True)
    assert "create the queue" in caught.value.remedy
    unreachable = f"http://127.0.0.1:{free_port()}/1/q"
    with Stream(events.config(events__queue=unreachable)) as running, pytest.raises(TransientError):
        running.listen(once=True)
    plain = events.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    seen: list[Event] = []
    with Stream(events.config(events__queue=plain), observers=[seen.append]) as running:
        running.listen(once=True)
    assert any(isinstance(event, Notice) and "redrive policy" in event.text for event in seen)


def test_a_poller_and_two_consumers_write_nothing_twice(events: Events, tmp_path: Path) -> None:
    """Two consumers of one queue and a poller run in separate processes while files keep arriving."""
    file = tmp_path / "stream.yaml"
    file.write_text(events.config(trigger__max_files_per_trigger=2).model_dump_json())
    base = [sys.executable, "-m", "inkstream"]
    commands = [[*base, "listen", str(file), "--json"]] * 2 + [[*base, "run", str(file), "--every", "1s", "--json"]]
    processes = [
        subprocess.Popen([*command, "--prefect", "off"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    wanted = Counter({f"{number}.pdf announced page": 1 for number in range(8)})
    try:
        for number in range(8):
            events.put(f"in/{number}.pdf")
            time.sleep(0.05)
        end = time.monotonic() + 200
        # The rows are checked last, because reading them all takes the server longest.
        while events.left() or not PagesTable(f"s3://{events.bucket}/out").exists() or events.rows() != wanted:
            ended = [process for process in processes if process.poll() is not None]
            assert not ended, [(process.returncode, *process.communicate()) for process in ended]
            assert time.monotonic() < end, (events.rows(), events.left())
            time.sleep(0.2)
    finally:
        for process in processes:
            process.terminate()
        outputs = [process.communicate(timeout=60) for process in processes]
    assert all(process.returncode == 130 for process in processes), outputs
    assert events.rows() == wanted
