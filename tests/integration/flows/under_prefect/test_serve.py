"""`inkstream serve`, `prefect deploy` and the artifacts of a run, on a real Prefect server that most tests share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.faults.oracle import Corpus
from tests.integration.browser import CHROMIUM, PrefectPages, browser_page
from tests.integration.conftest import PrefectServer, free_port
from tests.integration.flows.loop.test_listening import Events, events  # noqa: F401 - fixture
from tests.integration.prefect_api import (
    Passage,
    artifacts,
    ask,
    deployment,
    logged,
    patch,
    post,
    runs_of,
    state_of,
    states_of,
    trigger,
    wait_until,
)
from tests.integration.serving import CHEAP, SECRET, assert_quiet, fill, running, serve_command, serving
from tests.places import ROOT

ENDED = {"COMPLETED", "CANCELLED", "FAILED", "CRASHED"}
KEY = "sesame-open-up"
FLOWS = ("ocr_stream", "retry", "reprocess", "maintain_sink")


@dataclass(frozen=True, slots=True)
class Served:
    """A served stream, and the server that serving it started."""

    server: PrefectServer
    folder: Path
    corpus: Corpus
    log: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, prefect_home: Callable[[Path], Path]) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    corpus = fill(folder / "inbox", 4)
    log = folder / "serve.log"
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    bare |= {"PREFECT_HOME": str(prefect_home(folder / "home")), "DASK_LOGGING__DISTRIBUTED": "error"}
    command = serve_command(folder, "served", "--cron", "0 3 1 1 *", "--maintain-cron", "0 4 1 1 *")
    with serving([*command, "--port", str(port)], bare, log, folder):
        url = f"http://127.0.0.1:{port}/api"
        known = {"PREFECT_API_URL": url, "PREFECT_LOGGING_LEVEL": "WARNING", "PREFECT_CLI_PROMPT": "false"}
        yield Served(PrefectServer(url, bare | known), folder, corpus, log)
    assert_quiet(log.read_text())
    assert "the schedules are paused" in log.read_text()


def test_overlapping_triggers_run_once_and_show_what_they_did(served: Served) -> None:
    server = served.server
    (served.folder / "inbox" / "broken.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    assert f"{server.url.removesuffix('/api')}/deployments" in served.log.read_text()
    (automation,) = post(server, "/automations/filter", {})
    assert automation["name"] == "inkstream: mark lost runs as crashed"
    found = deployment(server, "ocr_stream", "served")
    _see_form(found)
    overlapping = [trigger(server, found["id"]) for _ in range(3)]
    wait_until(lambda: all(state_of(server, run) in ENDED for run in overlapping), 120, served.log.read_text)
    assert {state_of(server, run) for run in overlapping} == {"CANCELLED", "COMPLETED"}
    _see_artifacts(server)
    wait_until(lambda: "file broken.pdf: 1 corrupt" in logged(server, overlapping), 30, served.log.read_text)
    assert "batch 0: 2 files" in logged(server, overlapping)
    assert_quiet(logged(server, overlapping))
    verdict = served.corpus.judge(served.folder / "tables", stream="served")
    assert (verdict.rows, verdict.lost, verdict.duplicated.total()) == (5, set(), 0)


def test_a_cron_schedule_is_planned_ahead(served: Served) -> None:
    """Only the planning is tested: the runs are due in January, and another test shows that planned runs run."""
    for flow, hour in (("ocr_stream", 3), ("maintain_sink", 4)):
        found = deployment(served.server, flow, "served")["id"]
        wait_until(partial(_is_planned, served.server, found), 60, served.log.read_text)
        planned = [run for run in runs_of(served.server, found) if run["state_type"] == "SCHEDULED"]
        assert {run["expected_start_time"][5:16] for run in planned} == {f"01-01T0{hour}:00"}


def _is_planned(server: PrefectServer, deployment_id: str) -> bool:
    return "SCHEDULED" in states_of(server, deployment_id)


def test_a_person_presses_run_and_sees_what_came_of_it(served: Served) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no chromium: deployments/system-packages.sh installs Debian's")
    for number in range(5):
        served.corpus.put(f"late{number}.pdf", tiny_pdf(f"{SECRET} {number}"), 1)
    waiting = len(served.corpus.judge(served.folder / "tables", stream="served").lost)
    with browser_page() as page:
        seen = PrefectPages(page, served.server.url.removesuffix("/api"))
        seen.open_form("ocr_stream")
        assert seen.choose("Engine", "tesseract") == ["tesseract", "ppocr", "trocr", "auto"]
        seen.field("preset").get_by_text("str", exact=True).click()
        assert seen.choose("preset", "ocr-streaming") == ["ocr-streaming", "ocr-regions", "handwritten"]
        files = seen.field("Max Files Per Trigger")
        assert "maximum number of files in one batch" in files.inner_text()
        files.locator("input").fill("0")
        seen.submit()
        page.get_by_text("0 is less than the minimum of 1").first.wait_for()
        files.locator("input").fill("3")
        seen.submit_run("Completed")
        run = page.url
        last = artifacts(served.server, "inkstream-served-batches")[-1]["description"]
        seen.open_artifact(last)
        head, *rows = seen.table()
        batches = [dict(zip(head, row, strict=True)) for row in rows]
        assert [batch["files"] for batch in batches[-2:]] == ["3", str(waiting % 3 or 3)]
        assert batches[-1]["backlog"] == "0"
        page.goto(run)
        seen.open_artifact(f"What batch {batches[-1]['batch']} of stream served did")
        page.get_by_role("heading", name=f"Stream served, batch {batches[-1]['batch']}").wait_for()
        for picture in ("pages per second, files waiting", "regions of one page"):
            shown = page.get_by_alt_text(picture)
            shown.wait_for()
            assert shown.evaluate("picture => picture.complete && picture.naturalWidth") > 100, picture
        assert_quiet(page.locator("body").inner_text())
    verdict = served.corpus.judge(served.folder / "tables", stream="served")
    assert (verdict.lost, verdict.duplicated.total()) == (set(), 0)
    rows = PagesTable(str(served.folder / "tables")).rows().to_pylist()
    assert {row["engine"] for row in rows if "/late" in row["path"]} == {"tesseract"}, "as the preset reads"


def test_events_are_followed_beside_a_schedule(served: Served, events: Events, tmp_path: Path) -> None:  # noqa: F811
    """`python -m inkstream.deployments.serve` starts the run that follows them by itself."""
    file = tmp_path / "stream.yaml"
    file.write_text(events.config(stream="followed").model_dump_json())
    events.put("in/early.pdf", f"{SECRET} early")
    log = tmp_path / "serve.log"
    environment = {**os.environ, **served.server.environment, "AWS_SECRET_ACCESS_KEY": KEY}
    del environment["PREFECT_LOGGING_LEVEL"]  # which would leave out the lines that are looked for
    command = [sys.executable, "-m", "inkstream.deployments.serve", str(file), "--every", "1m"]
    with serving(command, {**environment, "PYTHONPATH": str(ROOT)}, log, tmp_path) as process:
        listening = deployment(served.server, "ingest_s3_events", "followed")["id"]
        polling = deployment(served.server, "ocr_stream", "followed")["id"]
        wait_until(lambda: "RUNNING" in states_of(served.server, listening), 60, log.read_text)
        wait_until(lambda: "COMPLETED" in states_of(served.server, polling), 60, log.read_text)
        events.put("in/late.pdf", f"{SECRET} late")
        wanted = {f"early.pdf {SECRET} early": 1, f"late.pdf {SECRET} late": 1}
        wait_until(lambda: _rows_or_none(events) == wanted and not events.left(), 90, log.read_text)
        (following,) = [run["id"] for run in runs_of(served.server, listening) if run["state_type"] == "RUNNING"]
        wait_until(lambda: "messages taken, " in logged(served.server, [following]), 60, log.read_text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, log.read_text()
    assert state_of(served.server, following) in {"CANCELLED", "CRASHED"}
    for flow in ("ocr_stream", "ingest_s3_events"):
        assert deployment(served.server, flow, "followed")["paused"], "nobody is there to run what would be planned"
    keys = [f"inkstream-followed-{what}" for what in ("files", "batches", "summary")]
    told: list[Any] = [version for key in keys for version in artifacts(served.server, key)]
    told += [ask(f"{served.server.url}/flow_runs/{following}"), logged(served.server, [following]), log.read_text()]
    assert told
    assert KEY not in json.dumps(told)
    assert_quiet(json.dumps(told))
    assert events.rows() == wanted


def _rows_or_none(events: Events) -> Any:  # noqa: F811
    return events.rows() if PagesTable(f"s3://{events.bucket}/out").exists() else None


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
    *summaries, ended = [version["data"] for version in artifacts(server, "inkstream-served-summary")]
    assert len(summaries) == 3
    assert ended.startswith(summaries[-1])
    assert "## What to do next" in ended
    assert "1 page failed: read again with `inkstream retry " in ended
    assert any("![regions of one page](data:image/svg+xml;base64," in summary for summary in summaries)
    assert all(len(summary) < 50_000 for summary in summaries)
    assert SECRET not in json.dumps([files, batches, summaries, ended])


def test_a_server_that_goes_away_costs_no_row(served: Served, tmp_path: Path) -> None:
    corpus = fill(tmp_path / "inbox", 4)
    settings = [part for option in CHEAP for part in ("--set", option)]
    command = [sys.executable, "-m", "inkstream", "run", "--source", "inbox", "--sink", "tables", *settings]
    with Passage(int(served.server.url.split(":")[2].split("/")[0])) as passage:
        environment = served.server.environment | {
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


def test_deploy_all_to_a_process_worker(served: Served, tmp_path: Path) -> None:
    """It deploys from a folder that no longer exists when the worker starts the runs."""
    server = served.server
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    corpus = fill(tmp_path / "inbox", 2)
    places = {"INKSTREAM_SOURCE": str(tmp_path / "inbox"), "INKSTREAM_SINK": str(tmp_path / "tables")}
    places["INKSTREAM_QUEUE"] = "https://sqs.eu-west-1.amazonaws.com/123456789012/inbox"
    environment = server.environment | places
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    where = subprocess.check_output([sys.executable, "-m", "inkstream.deployments"], cwd=elsewhere, text=True).strip()
    for command in (
        [*prefect, "work-pool", "create", "inkstream", "--type", "process"],
        [*prefect, "deploy", "--all", "--prefect-file", f"{where}/prefect.yaml"],
    ):
        done = subprocess.run(command, env=environment, cwd=elsewhere, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    elsewhere.rmdir()
    found = {name: deployment(server, name, "main") for name in (*FLOWS, "ingest_s3_events")}
    assert all(each["concurrency_options"]["collision_strategy"] == "CANCEL_NEW" for each in found.values())
    assert [each["schedule"].get("interval") for each in found["ocr_stream"]["schedules"]] == [300]
    assert [each["active"] for each in found["ingest_s3_events"]["schedules"]] == [False]
    assert found["ingest_s3_events"]["parameters"]["config"]["events"] == {"queue": places["INKSTREAM_QUEUE"]}
    log = tmp_path / "worker.log"
    with running([*prefect, "worker", "start", "--pool", "inkstream"], server.environment, log, tmp_path):
        runs = found["ocr_stream"]["id"]
        trigger(server, runs)
        wait_until(lambda: "COMPLETED" in states_of(server, runs), 120, log.read_text)
        relative = {"config": {**found["ocr_stream"]["parameters"]["config"], "sink": {"url": "tables"}}}
        refused = post(server, f"/deployments/{runs}/create_flow_run", {"parameters": relative})["id"]
        wait_until(lambda: state_of(server, refused) in ENDED, 120, log.read_text)
        assert "sink.url tables: a relative folder" in ask(f"{server.url}/flow_runs/{refused}")["state"]["message"]
    for each in found.values():
        patch(server, f"/deployments/{each['id']}", {"paused": True})
    assert corpus.judge(tmp_path / "tables", stream="main").clean
