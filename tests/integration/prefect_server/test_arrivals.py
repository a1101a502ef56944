"""A Prefect event with bucket and key starts a deployment, which writes the object's row."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inkstream.flows.under_prefect.ingest_s3_object import ingest_s3_object
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.conftest import PrefectServer
from tests.integration.prefect_api import ask, deployment, post, wait_until
from tests.places import ROOT

POOL = "arrivals"
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
IN_A_BLOCK = "AWS_ENDPOINT_URL"


def runs_of(server: PrefectServer, deployment_id: str) -> list[dict[str, Any]]:
    wanted = {"flow_runs": {"deployment_id": {"any_": [deployment_id]}}}
    runs: list[dict[str, Any]] = post(server, "/flow_runs/filter", wanted)
    return runs


def event(bucket: str, key: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "inkstream.object-created",
        "resource": {"prefect.resource.id": f"s3://{bucket}/{key}"},
        "payload": {"bucket": bucket, "key": key},
    }


def keep_secret(server: PrefectServer, name: str, value: str) -> None:
    """Store a value on a server in a block of type Secret."""
    from prefect.blocks.system import Secret
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: server.url}):
        Secret(value=value).save(name)


def make_pool(server: PrefectServer, environment: dict[str, str]) -> None:
    """Create a work pool of type process whose runs have an environment."""
    known = ask(f"{server.url}/collections/views/aggregate-worker-metadata")
    template = known["prefect"]["process"]["default_base_job_configuration"]
    template["variables"]["properties"]["env"]["default"] = environment
    post(server, "/work_pools/", {"name": POOL, "type": "process", "base_job_template": template})


def test_a_posted_event_becomes_a_row(prefect_server: PrefectServer, s3: Any, bucket: str, tmp_path: Path) -> None:
    """The worker reads the bucket's address from a block that the work pool's environment names."""
    key = "in/an odd 'key'+é&<.pdf"
    s3.put_object(Bucket=bucket, Key=key, Body=tiny_pdf("announced page"))
    s3.put_object(Bucket=bucket, Key="in/not announced.pdf", Body=tiny_pdf("another page"))
    places = {"INKSTREAM_SOURCE": f"s3://{bucket}/in", "INKSTREAM_SINK": f"s3://{bucket}/out"}
    environment = prefect_server.environment | places | {name: os.environ[name] for name in AWS}
    environment.pop(IN_A_BLOCK, None)
    file = tmp_path / "on-arrival.yaml"
    template = (ROOT / "deployments/on-arrival.yaml").read_text()
    file.write_text(template.replace("      name: inkstream\n", f"      name: {POOL}\n"))
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    worker = [*prefect, "worker", "start", "--pool", POOL, "--run-once", "--prefetch-seconds", "60"]

    def run_command(command: list[str]) -> None:
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    keep_secret(prefect_server, "s3-endpoint", os.environ[IN_A_BLOCK])
    make_pool(prefect_server, {IN_A_BLOCK: "{{ prefect.blocks.secret.s3-endpoint }}"})
    run_command([*prefect, "deploy", "--all", "--prefect-file", str(file)])
    arrival = deployment(prefect_server, "ingest_s3_object", "arrival")
    announcement = event(bucket, key)
    # The same event twice, as from a sender that got no reply, and an event of another folder.
    post(prefect_server, "/events", [announcement, announcement, event(bucket, "elsewhere/a.pdf")])
    wait_until(lambda: len(runs_of(prefect_server, arrival["id"])) > 0, 60, lambda: "no run was started")
    run_command(worker)
    (run,) = runs_of(prefect_server, arrival["id"])
    assert (run["parameters"]["bucket"], run["parameters"]["key"]) == (bucket, key)
    assert run["state_type"] == "COMPLETED", run["state"]
    (row,) = PagesTable(places["INKSTREAM_SINK"]).rows().to_pylist()
    assert row["text"] == "announced page"


def test_an_announced_object_is_refused_if_the_source_is_a_folder(tmp_path: Path) -> None:
    config = build_config({"source": {"url": str(tmp_path)}, "sink": {"url": str(tmp_path.parent / "tables")}})
    with pytest.raises(ConfigError, match="is not in one"):
        ingest_s3_object.fn(config, "bucket", "key")
