"""The main job under a real Prefect server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.ending import end_process
from tests.integration.command import inkstream
from tests.integration.conftest import PrefectServer
from tests.integration.flows.test_query import run_program
from tests.integration.prefect_api import INTERRUPT, post
from tests.integration.serving import CHEAP, fill
from tests.integration.tasks.sinks.delta.test_vacuum import fill_table
from tests.integration.test_commit_processes import make_config, make_inbox


def _flow_runs(server: PrefectServer, name: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = post(server, "/flow_runs/filter", {"flow_runs": {"name": {"any_": [name]}}})
    return runs


def test_a_run_is_one_flow_run_with_three_task_runs_per_batch(prefect_server: PrefectServer, tmp_path: Path) -> None:
    corpus = fill(tmp_path / "inbox", 4)
    settings = [part for option in CHEAP for part in ("--set", option)]
    command = [sys.executable, "-m", "inkstream", "run", "--source", str(tmp_path / "inbox"), "--sink"]
    command += [str(tmp_path / "tables"), "--stream", "counted", "--prefect", "auto", "--json", *settings]
    done = subprocess.run(command, env=prefect_server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["batchId"] for line in lines[:-1]] == [0, 1]
    assert lines[-1] == {
        "batches": 2,
        "files": 4,
        "pages": 4,
        "failed_pages": 0,
        "kept_pages": 0,
        "left_out": 0,
        "unchanged": 0,
        "empty_pages": 0,
        "unsure_pages": 0,
        "next_steps": [],
        "cleaned": 0,
        "not_cleaned": 0,
        "not_documents": 0,
        "skipped": {},
        "version": lines[-1]["version"],
        "table": lines[-1]["table"],
    }
    (flow_run,) = _flow_runs(prefect_server, "counted")
    assert flow_run["state_type"] == "COMPLETED"
    tasks = post(prefect_server, "/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run["id"]]}}})
    assert sorted(run["name"] for run in tasks) == [
        "commit counted 1/2",
        "commit counted 2/2",
        "discover counted",
        "ledger counted 1/2",
        "ledger counted 2/2",
        "process counted 1/2",
        "process counted 2/2",
    ]
    assert corpus.judge(tmp_path / "tables", stream="counted").clean
    command = [
        sys.executable,
        "-m",
        "inkstream",
        "reprocess",
        str(tmp_path / "tables"),
        "--prefect",
        "auto",
        "--json",
    ]
    command += [part for option in ("render.resolution=100", "draw={}") for part in ("--set", f"pipeline.{option}")]
    done = subprocess.run(command, env=prefect_server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["pages"] == 4
    assert {run["state_type"] for run in _flow_runs(prefect_server, "counted")} == {"COMPLETED"}
    assert len(_flow_runs(prefect_server, "counted")) == 2
    assert corpus.judge(tmp_path / "tables", stream="counted").clean


def test_maintain_runs_under_prefect(prefect_server: PrefectServer, tmp_path: Path) -> None:
    make_inbox(tmp_path, 3)
    config = make_config(tmp_path, max_files_per_trigger=1)
    fill_table(config)
    done = inkstream("maintain", config.sink.url, "--json", environment=prefect_server.environment)
    assert '"merged": 3, "into": 1' in done.stdout
    assert len(PagesTable(config.sink.url).open().file_uris()) == 1


def test_a_program_starts_a_query_under_prefect(prefect_server: PrefectServer, tmp_path: Path) -> None:
    body = """
        with Stream(config, prefect="on") as stream:
            query = stream.start(every="1h")
            assert query.process_all_available(timeout=60)
            assert query.last_progress["runId"] == query.run_id
            print(stream.table().num_rows, "rows")
    """
    code, output, errors = run_program(tmp_path, body, environment=prefect_server.environment)
    assert (code, output) == (0, "1 rows\n"), errors


INTERRUPTED = """
import sys
from prefect import flow
from inkstream.flows.under_prefect.ocr_stream import run_as_task

def interrupt(frame, event, argument):
    if frame.f_code.co_name == "_create_task_run_locally":
        sys.settrace(None)
        raise KeyboardInterrupt

@flow(name="interrupted", flow_run_name="before its task")
def interrupted():
    sys.settrace(interrupt)
    run_as_task("discover", "discover", lambda: None)

interrupted()
"""


def test_ctrl_c_before_the_task_run_exists_counts_as_an_interrupt(prefect_server: PrefectServer) -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, env=prefect_server.environment, capture_output=True, text=True, check=False)
    assert "Task run is not set" in done.stderr, "Prefect did not fail as this test expects"
    (run,) = _flow_runs(prefect_server, "before its task")
    assert (run["state"]["type"], run["state"]["message"]) == ("CRASHED", INTERRUPT)


SERVE = """
import json, sys
from inkstream import build_config
from inkstream.flows.under_prefect.ocr_stream import ocr_stream
config = build_config(json.loads(sys.argv[1]))
ocr_stream.serve(name="scheduled", interval=2, limit=1, parameters={"config": config.model_dump(mode="json")})
"""


def test_a_schedule_fires(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """With an SQLAlchemy or fastapi outside the pins the server starts, but schedules silently never fire."""
    from inkstream.tasks.config import build_config

    corpus = fill(tmp_path / "inbox", 2)
    config = build_config(
        {"source": {"url": str(tmp_path / "inbox")}, "sink": {"url": str(tmp_path / "tables")}},
        overrides=[*CHEAP, "stream=scheduled"],
    )
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        runner = subprocess.Popen(
            [sys.executable, "-c", SERVE, config.model_dump_json()],
            env=prefect_server.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            end = time.monotonic() + 120
            while corpus.judge(tmp_path / "tables", stream="scheduled").lost:
                assert runner.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.5)
        finally:
            ended = end_process(runner)
    assert ended, log.read_text()
    assert corpus.judge(tmp_path / "tables", stream="scheduled").clean
