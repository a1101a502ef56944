"""`inkstream serve`, `prefect deploy` and what a run shows, on a real Prefect server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.documents import tiny_pdf
from tests.faults.oracle import Corpus
from tests.integration.conftest import PrefectServer, free_port
from tests.integration.prefect_api import (
    Passage,
    artifacts,
    deployment,
    patch,
    post,
    state_of,
    states_of,
    trigger,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]
CHEAP = ("pipeline.text_layer.mode=only", "execution.workers=1", "trigger.max_files_per_trigger=2")
SECRET = "unmistakable"
ENDED = {"COMPLETED", "CANCELLED", "FAILED", "CRASHED"}


def _fill(inbox: Path, files: int) -> Corpus:
    inbox.mkdir()
    corpus = Corpus(inbox)
    for number in range(files):
        corpus.put(f"note{number}.pdf", tiny_pdf(f"{SECRET} {number}"), 1)
    return corpus


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise


def _serve_command(folder: Path, stream: str, *more: str) -> list[str]:
    settings = [part for option in CHEAP for part in ("--set", option)]
    places = ["--source", str(folder / "inbox"), "--sink", str(folder / "tables"), "--stream", stream]
    return [sys.executable, "-m", "flows.cli", "serve", *places, *settings, *more]


def test_serve_starts_a_server_runs_once_at_a_time_and_shows_what_it_did(tmp_path: Path) -> None:
    corpus = _fill(tmp_path / "inbox", 4)
    (tmp_path / "inbox" / "broken.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    log = tmp_path / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(tmp_path / "home")}
    port = free_port()
    server = PrefectServer(f"http://127.0.0.1:{port}/api", environment)
    command = _serve_command(tmp_path, "served", "--cron", "0 3 1 1 *", "--maintain-cron", "0 4 1 1 *")
    with _running([*command, "--port", str(port)], environment, log, tmp_path) as process:
        wait_until(lambda: "Ctrl-C stops" in log.read_text(), 150, log.read_text)
        assert f"http://127.0.0.1:{port}/deployments" in log.read_text()
        (automation,) = post(server, "/automations/filter", {})
        assert automation["name"] == "inkstream: mark lost runs as crashed"
        found = deployment(server, "ocr_stream", "served")
        _see_form(found)
        overlapping = [trigger(server, found["id"]) for _ in range(3)]
        wait_until(lambda: all(state_of(server, run) in ENDED for run in overlapping), 120, log.read_text)
        assert {state_of(server, run) for run in overlapping} == {"CANCELLED", "COMPLETED"}
        _see_artifacts(server)
        wait_until(lambda: "file broken.pdf: 1 corrupt" in _logged(server, overlapping), 30, log.read_text)
        logged = _logged(server, overlapping)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, log.read_text()
    said = log.read_text()
    # Prefect's server prints a traceback of its own now and then ("database is locked"); none may come from here.
    assert not re.search(r'File "[^"]*/(flows|tasks|ocr_core)/', said), said
    assert "the schedules are paused" in said
    verdict = corpus.judge(tmp_path / "tables", stream="served")
    assert (verdict.rows, verdict.lost, verdict.duplicated.total()) == (5, set(), 0)
    assert "batch 0: 2 files" in logged
    assert SECRET not in said + logged


def _logged(server: PrefectServer, runs: list[str]) -> str:
    lines = post(server, "/logs/filter", {"logs": {"flow_run_id": {"any_": runs}}, "limit": 200})
    return "\n".join(line["message"] for line in lines)


def _see_form(found: dict[str, Any]) -> None:
    assert [each["schedule"]["cron"] for each in found["schedules"]] == ["0 3 1 1 *"]
    assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert set(found["tags"]) == {"inkstream", "stream:served"}
    assert found["parameters"]["config"]["stream"] == "served"
    definitions = found["parameter_openapi_schema"]["definitions"]
    for section in ("StreamConfig", "SourceOptions", "TriggerOptions", "PipelineOptions", "SinkOptions"):
        for name, field in definitions[section]["properties"].items():
            assert field["description"], (section, name)
    files = definitions["TriggerOptions"]["properties"]["max_files_per_trigger"]
    assert (files["title"], files["type"], files["minimum"]) == ("Max Files Per Trigger", "integer", 1)
    assert definitions["SinkOptions"]["properties"]["format"]["enum"] == ["delta", "parquet", "memory"]


def _see_artifacts(server: PrefectServer) -> None:
    files = [json.loads(version["data"]) for version in artifacts(server, "inkstream-served-files")]
    assert [len(rows) for rows in files] == [2, 2, 1]
    assert sorted(row["file"] for rows in files for row in rows) == ["broken.pdf", *(f"note{n}.pdf" for n in range(4))]
    (broken,) = [row for rows in files for row in rows if row["file"] == "broken.pdf"]
    assert (broken["state"], broken["failures"]) == ("with failures", "1 corrupt")
    *_, batches = [json.loads(version["data"]) for version in artifacts(server, "inkstream-served-batches")]
    assert [(row["batch"], row["files"], row["backlog"]) for row in batches] == [(0, 2, 3), (1, 2, 1), (2, 1, 0)]
    (bar,) = artifacts(server, "inkstream-served-progress")
    assert float(bar["data"]) == 100.0
    summaries = [version["data"] for version in artifacts(server, "inkstream-served-summary")]
    assert len(summaries) == 3
    assert any("![regions of one page](data:image/svg+xml;base64," in summary for summary in summaries)
    assert all(len(summary) < 50_000 for summary in summaries)
    assert SECRET not in json.dumps([files, batches, summaries])


def test_a_server_that_goes_away_costs_no_row(prefect_server: PrefectServer, tmp_path: Path) -> None:
    corpus = _fill(tmp_path / "inbox", 4)
    settings = [part for option in CHEAP for part in ("--set", option)]
    command = [sys.executable, "-m", "flows.cli", "run", "--source", "inbox", "--sink", "tables", *settings]
    with Passage(int(prefect_server.url.split(":")[2].split("/")[0])) as passage:
        environment = prefect_server.environment | {
            "PREFECT_API_URL": f"http://127.0.0.1:{passage.port}/api",
            "PREFECT_CLIENT_MAX_RETRIES": "0",
        }
        process = subprocess.Popen(
            [*command, "--stream", "cut-off", "--prefect", "auto", "--json"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["batchId"] == 0
        passage.close()
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 5, errors
    assert "the Prefect API stopped answering" in errors
    assert "--prefect off" in errors
    again = subprocess.run(
        [*command, "--stream", "cut-off", "--prefect", "off"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert corpus.judge(tmp_path / "tables", stream="cut-off").clean


def test_deploy_all_to_a_process_worker(prefect_server: PrefectServer, tmp_path: Path) -> None:
    corpus = _fill(tmp_path / "inbox", 2)
    places = {"INKSTREAM_SOURCE": str(tmp_path / "inbox"), "INKSTREAM_SINK": str(tmp_path / "tables")}
    environment = prefect_server.environment | places
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    for command in (
        [*prefect, "work-pool", "create", "inkstream", "--type", "process"],
        [*prefect, "deploy", "--all", "--prefect-file", "deployments/prefect.yaml"],
    ):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    names = ("ocr_stream", "retry", "reprocess", "maintain_sink")
    found = {name: deployment(prefect_server, name, "main") for name in names}
    assert all(each["concurrency_options"]["collision_strategy"] == "CANCEL_NEW" for each in found.values())
    assert [each["schedule"].get("interval") for each in found["ocr_stream"]["schedules"]] == [300]
    log = tmp_path / "worker.log"
    with _running([*prefect, "worker", "start", "--pool", "inkstream"], prefect_server.environment, log, tmp_path):
        runs = found["ocr_stream"]["id"]
        trigger(prefect_server, runs)
        wait_until(lambda: "COMPLETED" in states_of(prefect_server, runs), 120, log.read_text)
    for each in found.values():
        patch(prefect_server, f"/deployments/{each['id']}", {"paused": True})
    assert corpus.judge(tmp_path / "tables", stream="main").clean
