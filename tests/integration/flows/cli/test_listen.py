"""What `inkstream listen` refuses. `tests/integration/flows/loop/test_listening.py` follows real events."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.command import inkstream

QUEUE = ["--queue", "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"]
BUCKET = ["--source", "s3://bucket/inbox"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*BUCKET, "--sink", "tables", "--queue", "inbox"], "expected the URL of a queue"),
        ([*BUCKET, "--sink", "tables"], "events.queue"),
        (["--source", "inbox", "--sink", "tables", *QUEUE], "inbox is not in one; use such a source"),
        (
            [*BUCKET, "--sink", "memory://rows", *QUEUE, "--set", "sink.format=memory"],
            "the rows of a memory sink are lost",
        ),
    ],
)
def test_missing_queues_and_unsuitable_sources_or_sinks_are_refused(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    assert message in inkstream("listen", *arguments, "--prefect", "off", code=2, cwd=tmp_path).stderr
    assert list(tmp_path.iterdir()) == []
