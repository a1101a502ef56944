"""The S3 tests on a real Ceph gateway, whose conditional PUTs differ from moto's. Skipped if Ceph is not available."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.conftest import forget_connections
from tests.faults.documents import tiny_pdf
from tests.faults.s3_campaign import run_campaign
from tests.faults.s3_proxy import LOST, s3_proxy
from tests.integration.ceph import CephMissingError, Gateway, ceph_gateway
from tests.integration.command import inkstream
from tests.integration.test_commit_processes import (
    KILL_POINTS,
    drive,
    found_rows,
    make_config,
    make_inbox,
    start,
    wanted_rows,
)
from tests.places import ROOT

WRITERS = 8


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    try:
        with ceph_gateway() as started:
            yield started
    except CephMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def ceph(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in gateway.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    forget_connections()
    import boto3

    return boto3.Session().client("s3")  # the default session keeps the keys of an earlier test


@pytest.fixture
def plain(ceph: Any) -> str:
    name = f"bucket-{uuid.uuid4().hex}"
    ceph.create_bucket(Bucket=name)
    return name


def sink_of(bucket: str, *more: str) -> list[str]:
    return [part for option in (f"sink.url=s3://{bucket}/out", *more) for part in ("--set", option)]


def test_eight_writers_racing_on_one_stream_write_each_file_once(plain: str, tmp_path: Path) -> None:
    make_inbox(tmp_path, 12)
    options = sink_of(plain, "trigger.max_files_per_trigger=2")
    writers = [start(tmp_path, *options) for _ in range(WRITERS)]
    for writer in writers:
        _, errors = writer.communicate(timeout=200)
        assert writer.returncode == 0, errors
    config = make_config(tmp_path, options[1::2])
    assert found_rows(config) == wanted_rows(config)


def test_commits_whose_replies_are_lost_are_neither_lost_nor_doubled(
    gateway: Gateway, plain: str, tmp_path: Path
) -> None:
    """`python -m tests.faults.s3_campaign --ceph` is longer and has the other faults."""
    with s3_proxy(tmp_path, gateway.endpoint, "--lost-replies", "8") as proxy:
        outcome = run_campaign(tmp_path, f"s3://{plain}/out", proxy, commits=10)
    assert (outcome.lost, outcome.duplicated, outcome.outcomes[LOST]) == (0, 0, 8)


@pytest.mark.parametrize("kill_point", KILL_POINTS)
def test_a_writer_killed_anywhere_leaves_nothing_lost_or_doubled(plain: str, tmp_path: Path, kill_point: str) -> None:
    make_inbox(tmp_path, 8)
    killed = start(tmp_path, "--die-at", kill_point, *sink_of(plain))
    _, errors = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, errors
    config = make_config(tmp_path, sink_of(plain)[1::2])
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)


def stream(bucket: str) -> StreamConfig:
    return build_config(
        {
            "source": {"url": f"s3://{bucket}/in"},
            "sink": {"url": f"s3://{bucket}/out"},
            "trigger": {"max_files_per_trigger": 2},
            "pipeline": {"text_layer": {"mode": "only"}, "render": {"resolution": 72}, "draw": {}},
            "execution": {"workers": 1},
        }
    )


@pytest.mark.parametrize("point", ["RangeDone:2", "BatchCommitted:1"])
def test_a_killed_run_from_bucket_to_bucket_is_completed_by_the_next(
    ceph: Any, plain: str, tmp_path: Path, point: str
) -> None:
    keys = [f"in/{number} é+%25\n//a.pdf" for number in range(4)]
    for key in keys:
        ceph.put_object(Bucket=plain, Key=key, Body=tiny_pdf("the first page", "the second page"))
    file = tmp_path / "config.json"
    file.write_text(stream(plain).model_dump_json())
    command = [sys.executable, "-m", "tests.faults.driver", str(file)]
    died = subprocess.run([*command, "--die-at", point], cwd=ROOT, capture_output=True, check=False, timeout=100)
    assert died.returncode == -signal.SIGKILL, died.stderr
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == (4 if point == "RangeDone:2" else 2)
    rows = PagesTable(f"s3://{plain}/out").rows().to_pylist()
    assert sorted((row["pagenum"], row["text"]) for row in rows) == [
        *[(0, "the first page")] * len(keys),
        *[(1, "the second page")] * len(keys),
    ]
    assert len({row["path"] for row in rows}) == len(keys)
    overlays = ceph.list_objects_v2(Bucket=plain, Prefix="out/overlays/")["KeyCount"]
    assert overlays == 2, "the same content has the same overlays"


def test_a_versioned_ceph_bucket_is_refused_as_a_sink(ceph: Any, plain: str) -> None:
    versioned = f"versioned-{plain}"
    ceph.create_bucket(Bucket=versioned)
    ceph.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
    put = ceph.put_object(Bucket=versioned, Key="in/a.pdf", Body=tiny_pdf("the only page"))
    places = ["--source", f"s3://{versioned}/in", "--prefect", "off", "--set", "pipeline.text_layer.mode=only"]
    refused = inkstream("run", *places, "--sink", f"s3://{versioned}/out", code=4).stderr
    assert "writers create the same object" in refused
    assert "without versioning" in refused
    assert ceph.list_objects_v2(Bucket=versioned)["KeyCount"] == 1, (
        "only the document is left: nothing is written, and the probe is removed"
    )
    inkstream("run", *places, "--sink", f"s3://{plain}/out", "--set", "execution.workers=1")
    (row,) = PagesTable(f"s3://{plain}/out").rows().to_pylist()
    assert (row["text"], row["version_id"]) == ("the only page", put["VersionId"])
