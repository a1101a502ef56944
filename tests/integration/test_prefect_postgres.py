"""A Prefect server on PostgreSQL that is restarted in the middle of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.oracle import read_rows
from tests.integration.conftest import free_port, prefect_server_in
from tests.integration.postgres import Postgres, postgres, postgres_programs
from tests.integration.prefect_api import deployment, runs_of, state_of, trigger, wait_until
from tests.integration.serving import fill, serve_command, serving

FILES = 16


@pytest.fixture
def database() -> Iterator[Postgres]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL: deployments/system-packages.sh installs Debian's")
    with postgres(programs) as server:
        yield server


def test_a_server_restart_loses_no_row_and_old_runs_are_deleted(database: Postgres, tmp_path: Path) -> None:
    corpus = fill(tmp_path / "inbox", FILES)
    port, log = free_port(), tmp_path / "serve.log"
    settings = {
        "PREFECT_API_DATABASE_CONNECTION_URL": database.url,
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "3601",  # Prefect accepts no shorter period
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "2",
    }
    command = serve_command(tmp_path, "restarted", "--set", "trigger.max_files_per_trigger=1")
    with ExitStack() as servers, ExitStack() as served:
        server = servers.enter_context(prefect_server_in(tmp_path, port, **settings))
        served.enter_context(serving(command, server.environment, log, tmp_path))
        deployment_id = deployment(server, "ocr_stream", "restarted")["id"]
        run = trigger(server, deployment_id)
        wait_until(lambda: len(read_rows(tmp_path / "tables", "restarted")) >= 2, 120, log.read_text)
        servers.close()
        servers.enter_context(prefect_server_in(tmp_path, port, **settings))
        wait_until(lambda: state_of(server, run) == "COMPLETED", 120, log.read_text)
        assert database.sql(f"SELECT name, state_type FROM flow_run WHERE id = '{run}'") == ["restarted|COMPLETED"]
        database.sql(f"UPDATE flow_run SET end_time = end_time - interval '2 hours' WHERE id = '{run}'")
        wait_until(lambda: not runs_of(server, deployment_id), 60, log.read_text)
    assert database.sql("SELECT count(*) FROM task_run") == ["0"], "task runs are deleted with their flow runs"
    assert corpus.judge(tmp_path / "tables", stream="restarted").clean
