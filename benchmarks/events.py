"""Seconds from an object's event to its committed row, without the reading itself, when the consumer is warm.

    python -m benchmarks.events [--documents N] [--text-layer]

Bucket and queue are moto's, in a separate process; a remote store adds its own latency.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from benchmarks.documents import DPI, make_page
from benchmarks.paper import image_pdf, scanned
from inkstream.flows.api import Stream
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import BatchCommitted, Event
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.servers import s3_server

BUCKET, QUEUE = "inkstream-benchmark", "arrivals"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The time that one document took.

    Attributes:
        seconds: From the end of its upload to its commit.
        reading: The part of it that its pages took on a worker.
    """

    seconds: float
    reading: float


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--text-layer", action="store_true", help="born-digital pages, which need no OCR")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder, "moto.log")) as address:
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://{address}",
            AWS_ACCESS_KEY_ID="benchmark",
            AWS_SECRET_ACCESS_KEY="benchmark",
            AWS_REGION="us-east-1",
            AWS_DEFAULT_REGION="us-east-1",
        )
        arrivals = measure(arguments.documents, text_layer=arguments.text_layer)
    beyond = [arrival.seconds - arrival.reading for arrival in arrivals]
    print(f"documents            {len(arrivals)}, one at a time, after one that warms up")
    print(f"event to row         {statistics.median(a.seconds for a in arrivals):.2f} s (median)")
    print(f"  of it reading      {statistics.median(a.reading for a in arrivals):.2f} s")
    print(f"  beyond the reading {statistics.median(beyond):.2f} s (median), {max(beyond):.2f} s (worst)")


def measure(documents: int, *, text_layer: bool) -> list[Arrival]:
    """Upload documents one after the other, each after the previous one is committed."""
    s3, url = boto3.client("s3"), _announcing_bucket()
    bodies = [tiny_pdf(f"born-digital page {n}") for n in range(documents + 1)] if text_layer else _scans(documents + 1)
    committed = threading.Semaphore(0)
    times: list[float] = []

    def observe(event: Event) -> None:
        if isinstance(event, BatchCommitted):
            times.append(time.monotonic())
            committed.release()

    config = _config(url)
    uploaded = []
    with Stream(config, observers=[observe]) as stream:
        listener = threading.Thread(target=stream.listen, kwargs={"max_batches": documents + 1})
        listener.start()
        for number, body in enumerate(bodies):
            s3.put_object(Bucket=BUCKET, Key=f"in/{number:03}.pdf", Body=body)
            uploaded.append(time.monotonic())
            if not committed.acquire(timeout=120):
                raise TimeoutError("no row was committed in two minutes")
        listener.join()
    rows = PagesTable(config.sink.url).rows(columns=["path", "processing_ms"]).to_pylist()
    reading = {row["path"].rpartition("/")[2]: row["processing_ms"] / 1000 for row in rows}
    found = [
        Arrival(end - start, reading[f"{n:03}.pdf"]) for n, (start, end) in enumerate(zip(uploaded, times, strict=True))
    ]
    return found[1:]


def _announcing_bucket() -> str:
    """Create a bucket that announces new objects on a queue, and return the queue's URL."""
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    sqs.create_queue(QueueName=f"{QUEUE}-dead")
    arn = "arn:aws:sqs:us-east-1:123456789012:"
    policy = f'{{"deadLetterTargetArn": "{arn}{QUEUE}-dead", "maxReceiveCount": 5}}'
    url: str = sqs.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    target: dict[str, Any] = {"QueueArn": f"{arn}{QUEUE}", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [target]})
    return url


def _scans(count: int) -> list[bytes]:
    """Return different documents of one scanned page each."""
    pages = (make_page(seed)[0] for seed in range(count))
    return [image_pdf([scanned(page, seed, skew=0.0, noise=8.0, specks=200)], DPI) for seed, page in enumerate(pages)]


def _config(queue: str) -> StreamConfig:
    return build_config(
        {
            "source": {"url": f"s3://{BUCKET}/in"},
            "sink": {"url": f"s3://{BUCKET}/out"},
            "execution": {"workers": 2, "pages_per_range": 1},
            "events": {"queue": queue, "backfill_interval": None},
        }
    )


if __name__ == "__main__":
    main()
