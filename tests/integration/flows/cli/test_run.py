"""The `inkstream` command as a person or a script uses it: its exit codes, signals and output, on real documents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.denied import without_privileges
from tests.faults.cluster import Cluster
from tests.faults.documents import tiny_pdf
from tests.integration.command import Done, inkstream

pytestmark = pytest.mark.usefixtures("shared_workers")

COMMAND = [sys.executable, "-m", "inkstream"]
READ = ["--set", "pipeline.text_layer.mode=ignore"]
CHEAP = ["--set", "pipeline.text_layer.mode=only", "--set", "execution.workers=1", "--prefect", "off"]


def put_documents(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a.pdf").write_bytes(tiny_pdf("first page of a", "second page of a"))
    (folder / "with space #1.pdf").write_bytes(tiny_pdf("the whole text of b"))
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    return folder


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return put_documents(tmp_path / "inbox")


def run_command(folder: Path) -> list[str]:
    return ["run", "--source", str(folder / "inbox"), "--sink", str(folder / "tables"), *CHEAP]


@pytest.fixture
def run(inbox: Path) -> list[str]:
    return run_command(inbox.parent)


def lines(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@dataclass(frozen=True)
class Streamed:
    """A sink, and the output of three runs: two batches, a run without new files, and one after a late file."""

    sink: str
    first: list[dict[str, Any]]
    again: list[dict[str, Any]]
    late: list[dict[str, Any]]


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Streamed:
    folder = tmp_path_factory.mktemp("streamed")
    inbox, run = put_documents(folder / "inbox"), run_command(folder)
    first = lines(inkstream(*run, "--json", "--max-files-per-trigger", "2"))
    again = lines(inkstream(*run, "--json"))
    (inbox / "late.pdf").write_bytes(tiny_pdf("the text that came late"))
    return Streamed(str(folder / "tables"), first, again, lines(inkstream(*run, "--json")))


def test_what_this_user_may_not_read_is_named_left_and_read_by_the_next_run(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    for name in ("a.pdf", "secret.pdf", "shut/b.pdf"):
        (inbox / name).parent.mkdir(exist_ok=True, parents=True)
        (inbox / name).write_bytes(tiny_pdf("text"))
    (inbox / "secret.pdf").chmod(0)
    (inbox / "shut").chmod(0)
    command = without_privileges(*COMMAND, *run_command(tmp_path))
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == 5, first.stdout + first.stderr
    *_, summary, left, file, remedy, not_read = first.stdout.splitlines()
    assert summary.startswith("1 batch, 1 file, 1 page (0 failed)")
    assert left == "1 file left for the next trigger:"
    assert file.endswith("/secret.pdf: it cannot be read: permission denied; give this user read access")
    assert remedy == "some of the source cannot be read; give this user access: the next run tries again"
    assert not_read == "not read: 1 folder that cannot be listed: shut (permission denied)"
    (inbox / "secret.pdf").chmod(0o600)
    (inbox / "shut").chmod(0o700)
    (*_, last) = lines(inkstream(*run_command(tmp_path), "--json"))
    assert (last["files"], last["failed_pages"], last["left_out"], last["skipped"]) == (2, 0, 0, {})


def test_a_glob_that_matches_nothing_is_reported(run: list[str]) -> None:
    shown = inkstream(*run, "--set", "source.glob=*.{tif,TIF}").stdout
    assert "source.glob '*.{tif,TIF}' does not match any of the 3 files in the source, such as " in shown
    assert "Correct source.glob" in shown
    assert shown.splitlines()[-1].startswith("not read: 3 files outside source.glob: ")
    plan = inkstream(*run, "--set", "source.glob=*.tif", "--dry-run").stdout
    assert plan.splitlines()[-1].startswith("not read: 3 files outside source.glob: ")


def test_a_second_run_reads_nothing_and_a_third_only_the_new_file(streamed: Streamed) -> None:
    *batches, last = streamed.first
    assert [batch["batchId"] for batch in batches] == [0, 1]
    assert (last["files"], last["pages"], last["failed_pages"]) == (3, 4, 1)
    assert [step["problem"] for step in last["next_steps"]] == ["1 page failed"]
    nothing = {"batches": 0, "files": 0, "pages": 0, "failed_pages": 0, "next_steps": []}
    assert streamed.again == [{**last, **nothing}]
    assert streamed.late[-1]["files"] == 1
    assert streamed.late[-1]["version"] > last["version"]


def test_the_progress_of_a_batch_has_sparks_keys(streamed: Streamed) -> None:
    batches = streamed.first[:-1]
    for batch in batches:
        assert {
            "id", "runId", "name", "timestamp", "batchId", "numInputRows", "inputRowsPerSecond",
            "processedRowsPerSecond", "durationMs", "sources", "sink", "pages", "failures", "memory",
        } <= batch.keys()  # fmt: skip
        assert batch["durationMs"]["triggerExecution"] >= batch["durationMs"]["processBatch"] > 0
        assert batch["memory"]["worker_peak_bytes"] > 0
    assert sorted(batch["numInputRows"] for batch in batches) == [1, 2]
    assert sorted(batch["failures"].get("corrupt", 0) for batch in batches) == [0, 1]


def test_a_run_uses_and_stores_its_configuration_file(run: list[str], inbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "stream.yaml"
    file.write_text(
        f"preset: ocr-streaming\nstream: mail\n"
        f"source: {{url: '{inbox}', glob: 'a*'}}\nsink: {{url: '{tmp_path}/tables'}}\n"
    )
    batch, last = lines(inkstream("run", str(file), "--json", *CHEAP))
    assert batch["name"] == "mail"
    assert last["pages"] == 2
    assert json.loads((tmp_path / "tables" / "streams" / "mail.json").read_text())
    (made_by,) = {row["pipeline_id"] for row in lines(inkstream("show", str(tmp_path / "tables"), "--json"))}
    assert (tmp_path / "tables" / "pipelines" / f"{made_by}.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--set", "trigger.max_files=3"], 2, "did you mean 'max_files_per_trigger'?"),
        (["--every", "soon"], 2, "not a duration"),
        ([*READ, "--set", "pipeline.recognize.per_region=true"], 2, "no earlier stage provides them"),
        ([*READ, "--set", "pipeline.recognize.variables.no_such_thing=1"], 2, "no_such_thing"),
        (["--source", "nosuch://host/inbox"], 4, "nosuch"),
        (["--source", "/nowhere/at/all"], 2, "/nowhere/at/all"),
        (["--set", "pipeline.recognize.languages=[xyz]", "--set", "pipeline.text_layer.mode=prefer"], 4, "remedy: "),
        (["--set", "execution.scheduler=tcp://127.0.0.1:9"], 4, "no Dask scheduler answers"),
        (["--fail-on-document-error"], 3, ""),
    ],
)
def test_mistakes_and_faults_have_their_exit_codes(
    run: list[str], arguments: list[str], code: int, message: str
) -> None:
    done = inkstream(*run, *arguments, code=code, environment=os.environ)
    assert message in done.stderr


def test_a_scheduler_without_workers_is_exit_code_5(run: list[str], tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, workers=0)
    try:
        settings = ["--set", f"execution.scheduler={cluster.address}", "--set", "execution.worker_wait_seconds=1"]
        assert "has no worker" in inkstream(*run, *settings, code=5).stderr
    finally:
        cluster.close()


def test_an_unreachable_prefect_server_is_exit_code_5(run: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "does not answer" in inkstream(*run, "--prefect", "auto", code=5, environment=os.environ).stderr


def test_a_sink_under_the_source_is_refused(inbox: Path) -> None:
    done = inkstream("run", "--source", str(inbox), "--sink", str(inbox / "out"), *CHEAP, code=2)
    assert "source" in done.stderr
    assert not (inbox / "out").exists()


def test_finished_files_are_archived_and_links_are_reported(run: list[str], inbox: Path, tmp_path: Path) -> None:
    (inbox / "link.pdf").symlink_to("a.pdf")
    archive = ["--set", "source.clean_source=archive", "--set", f"source.source_archive_dir={tmp_path}/done"]
    done = inkstream(*run, *archive, "--json")
    batch, last = lines(done)
    assert (batch["cleaned"], batch["not_cleaned"]) == (last["cleaned"], last["not_cleaned"]) == (2, 1)
    assert "a symbolic link is left where it is" in done.stderr
    assert {path.name for path in (tmp_path / "done").iterdir()} == {"a.pdf", "with space #1.pdf"}
    assert {path.name for path in inbox.iterdir()} == {"damaged.pdf", "link.pdf"}


def test_a_file_with_only_some_pages_read_is_not_deleted(run: list[str], inbox: Path) -> None:
    delete = ["--set", "source.clean_source=delete"]
    both = inkstream(*run, *delete, "--set", "pipeline.pages=1", code=2)
    assert "with pipeline.pages 1 the other pages of a file would be lost before they are read" in both.stderr
    inkstream(*run, "--set", "pipeline.pages=1")
    assert lines(inkstream(*run, *delete, "--json"))[-1]["cleaned"] == 1
    assert {path.name for path in inbox.iterdir()} == {"a.pdf", "damaged.pdf"}


@pytest.mark.parametrize(
    ("mode", "number", "send"),
    [
        pytest.param("off", signal.SIGINT, os.killpg, id="ctrl-c"),  # a terminal signals the whole process group
        pytest.param("off", signal.SIGTERM, os.kill, id="sigterm"),
        pytest.param("on", signal.SIGINT, os.killpg, id="ctrl-c-under-prefect"),
    ],
)
def test_an_interrupted_run_leaves_only_whole_files(
    run: list[str],
    inbox: Path,
    prefect_home: Callable[[Path], Path],
    mode: str,
    number: signal.Signals,
    send: Callable[[int, int], None],
) -> None:
    for n in range(20):
        (inbox / f"more{n}.pdf").write_bytes(tiny_pdf(f"one more document, {n}"))
    process = subprocess.Popen(
        [*COMMAND, *run, "--json", "--max-files-per-trigger", "1", "--prefect", mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PREFECT_HOME": str(prefect_home(inbox.parent / "prefect"))},
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    send(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors, errors
    assert first["batchId"] == 0
    rows = lines(inkstream("show", run[4], "--json", "--limit", "1000"))
    committed = len({row["path"] for row in rows})
    assert committed < 23
    rest = lines(inkstream(*run, "--json"))[-1]
    assert rest["files"] == 23 - committed


def test_every_repeats_the_run_until_it_is_stopped(run: list[str], inbox: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, *run, "--json", "--every", "200ms"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    assert json.loads(process.stdout.readline())["files"] == 3
    (inbox / "late.pdf").write_bytes(tiny_pdf("the text that came late"))
    assert json.loads(process.stdout.readline())["numInputRows"] == 1
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_only_selected_pages_have_rows_and_every_file_has_a_row(run: list[str], tmp_path: Path) -> None:
    chosen = ["--set", "pipeline.pages=2"]
    assert lines(inkstream(*run, "--json", *chosen))[-1]["pages"] == 3
    rows = {row["path"].rpartition("/")[2]: row for row in lines(inkstream("show", str(tmp_path / "tables"), "--json"))}
    assert {name: row["pagenum"] for name, row in rows.items()} == {
        "a.pdf": 1,
        "with%20space%20%231.pdf": None,
        "damaged.pdf": None,
    }
    unselected = rows["with%20space%20%231.pdf"]
    assert (unselected["total_pages"], unselected["text"], unselected["exception"]) == (1, "", None)
    assert "none of its 1 pages" in unselected["notes"]
    assert lines(inkstream(*run, "--json", *chosen))[-1]["files"] == 0


def test_encrypted_pdfs_are_read_and_their_passwords_do_not_leak(run: list[str], inbox: Path, tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    for name, password in (("open.pdf", secret), ("shut.pdf", "unknown")):
        with pikepdf.open(inbox / "a.pdf") as pdf:
            pdf.save(inbox / name, encryption=pikepdf.Encryption(owner="owner", user=password))
    (tmp_path / "keys").write_text(f"wrong-one\n{secret}\n")
    environment = {**os.environ, "INKSTREAM_PDF_PASSWORDS_FILE": str(tmp_path / "keys")}
    done = inkstream(*run, "--json", environment=environment)
    shown = inkstream("show", str(tmp_path / "tables"), "--json").stdout
    rows = [json.loads(line) for line in shown.splitlines()]
    assert {row["text"] for row in rows if row["path"].endswith("open.pdf")} == {"first page of a", "second page of a"}
    (shut,) = [row for row in rows if row["path"].endswith("shut.pdf")]
    assert (shut["exception_kind"], "none of the 2 passwords" in shut["exception"]) == ("encrypted", True)
    (tmp_path / "keys").write_text(f"wrong-one\n{secret}\nunknown")
    inkstream("retry", str(tmp_path / "tables"), "--kind", "encrypted", "--prefect", "off", environment=environment)
    again = lines(inkstream("show", str(tmp_path / "tables"), "--json"))
    assert {row["text"] for row in again if row["path"].endswith("shut.pdf")} == {"first page of a", "second page of a"}
    kept = [path.read_bytes() for path in (tmp_path / "tables").rglob("*") if path.is_file()]
    outputs = [done.stdout.encode(), done.stderr.encode(), shown.encode(), *kept]
    assert not any(word in text for text in outputs for word in (secret.encode(), b"wrong-one"))
