"""Served runs whose processes are ended by Ctrl-C or kill -9, and the runs that follow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkstream.flows.under_prefect.lost_runs import AUTOMATION
from tests.faults.oracle import Corpus, read_rows
from tests.integration.conftest import PrefectServer
from tests.integration.prefect_api import (
    INTERRUPT,
    ask,
    deployment,
    post,
    state_of,
    states_of,
    trigger,
    wait_until,
)
from tests.integration.serving import fill, serve_command, serving

FILES = 20
ONE_BY_ONE = ("--set", "trigger.max_files_per_trigger=1")


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that was ended in the middle, together with the processes that started it."""

    run: str
    deployment: str
    corpus: Corpus
    folder: Path
    stream: str

    def count_unread(self) -> int:
        """Count the files that are still to be read, and check that there is no other harm."""
        verdict = self.corpus.judge(self.folder / "tables", stream=self.stream)
        assert (verdict.duplicated.total(), verdict.torn, verdict.foreign) == (0, set(), set())
        return len(verdict.lost)


def _end_in_the_middle(server: PrefectServer, folder: Path, stream: str, ending: signal.Signals) -> Ended:
    """Serve a stream, start a run, and send a signal to the whole process group, as a terminal does."""
    corpus = fill(folder / "inbox", FILES)
    log = folder / "serve.log"
    with serving(serve_command(folder, stream, *ONE_BY_ONE), server.environment, log, folder) as process:
        deployment_id = deployment(server, "ocr_stream", stream)["id"]
        run = trigger(server, deployment_id)
        wait_until(lambda: len(read_rows(folder / "tables", stream)) >= 2, 120, log.read_text)
        os.killpg(process.pid, ending)
        assert process.wait(timeout=60) == (0 if ending == signal.SIGINT else -ending), log.read_text()
    ended = Ended(run, deployment_id, corpus, folder, stream)
    assert ended.count_unread(), "the run was not ended in the middle"
    return ended


def _complete_with_the_next_run(server: PrefectServer, ended: Ended, *schedule: str) -> None:
    log = ended.folder / "again.log"
    with serving(serve_command(ended.folder, ended.stream, *schedule), server.environment, log, ended.folder):
        if not schedule:
            trigger(server, ended.deployment)
        wait_until(lambda: "COMPLETED" in states_of(server, ended.deployment), 120, log.read_text)
    assert ended.count_unread() == 0


@pytest.fixture(scope="module")
def lost(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Make a run that was killed together with the process that started it, so that no process ends it."""
    # The longest that a live run is silent, plus two seconds.
    command = [sys.executable, "-m", "inkstream.deployments.lost_runs", "--after", "32s"]
    done = subprocess.run(command, env=prefect_server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    automations = post(prefect_server, "/automations/filter", {})
    (automation,) = [each for each in automations if each["name"] == AUTOMATION]
    assert automation["trigger"]["within"] == 32
    ended = _end_in_the_middle(prefect_server, tmp_path_factory.mktemp("lost"), "lost", signal.SIGKILL)
    assert state_of(prefect_server, ended.run) == "RUNNING"
    return ended


def test_ctrl_c_ends_a_served_run_and_the_next_run_completes(
    prefect_server: PrefectServer,
    lost: Ended,  # its silence lasts during this test
    tmp_path: Path,
) -> None:
    ended = _end_in_the_middle(prefect_server, tmp_path, "interrupted", signal.SIGINT)
    state = ask(f"{prefect_server.url}/flow_runs/{ended.run}")["state"]
    assert (state["type"], state["message"]) == ("CRASHED", INTERRUPT)
    assert deployment(prefect_server, "ocr_stream", "interrupted")["paused"]
    _complete_with_the_next_run(prefect_server, ended, "--every", "5s")


def test_a_killed_run_is_marked_crashed_and_the_next_run_completes(prefect_server: PrefectServer, lost: Ended) -> None:
    wait_until(lambda: state_of(prefect_server, lost.run) == "CRASHED", 120, lambda: "still running")
    message = ask(f"{prefect_server.url}/flow_runs/{lost.run}")["state"]["message"]
    assert message == "the process of this run was killed; what it committed stays, and the next run reads the rest"
    _complete_with_the_next_run(prefect_server, lost)
