"""A store that loses replies to commits that landed, or fails a fifth of all requests: no row is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.faults.s3_campaign import run_campaign
from tests.faults.s3_proxy import CUT_SHORT, FAULTS, LOST, s3_proxy
from tests.integration.command import settings

LOST_REPLIES = 16


def test_commits_whose_replies_are_lost_are_neither_lost_nor_doubled(
    endpoint: str, s3: Any, bucket: str, tmp_path: Path
) -> None:
    """`python -m tests.faults.s3_campaign` is a longer campaign, with the other faults and more drivers."""
    with s3_proxy(tmp_path, endpoint, "--lost-replies", str(LOST_REPLIES)) as proxy:
        outcome = run_campaign(tmp_path, f"s3://{bucket}/out", proxy, commits=20)
    assert (outcome.lost, outcome.duplicated) == (0, 0)
    assert outcome.outcomes[LOST] == LOST_REPLIES


def test_repeated_runs_succeed_on_a_store_that_fails_a_fifth_of_requests(
    endpoint: str, s3: Any, bucket: str, tmp_path: Path
) -> None:
    wanted: Counter[tuple[str, str]] = Counter()
    for number in range(6):
        s3.put_object(
            Bucket=bucket, Key=f"in/{number}.pdf", Body=tiny_pdf(f"first page of {number}", f"second page of {number}")
        )
        wanted.update((f"s3://{bucket}/in/{number}.pdf", f"{word} page of {number}") for word in ("first", "second"))
    options = settings(
        trigger__max_files_per_trigger=2,
        pipeline__text_layer__mode="only",
        pipeline__draw="{}",
        pipeline__render__resolution=72,
        execution__workers=1,
    )
    places = ["--source", f"s3://{bucket}/in", "--sink", f"s3://{bucket}/out", "--prefect", "off"]
    command = [sys.executable, "-m", "inkstream", "run", *places, *options]
    with s3_proxy(tmp_path, endpoint, "--faults") as proxy:
        environment = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint}
        codes = []
        while 0 not in codes:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
            assert done.returncode in (0, 5), done.stderr  # 5 means: try again
            assert "Traceback" not in done.stderr
            codes.append(done.returncode)
        outcomes = proxy.outcomes()
    rows = PagesTable(f"s3://{bucket}/out").rows().to_pylist()
    assert Counter((row["path"], row["text"]) for row in rows) == wanted
    assert not [row for row in rows if row["exception"]]
    assert all(outcomes[fault] for fault in (*FAULTS, CUT_SHORT)), outcomes
    assert (outcomes["500"] + outcomes["503"]) / outcomes.total() == pytest.approx(0.2, abs=0.03)
