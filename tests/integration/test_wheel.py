"""The wheel's content, and that it works without the checkout, with each set of extras."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkstream.flows.demo.inbox import NAMES
from tests.faults.documents import tiny_pdf
from tests.integration.conftest import free_port
from tests.integration.environments import FreshEnvironment
from tests.integration.prefect_api import wait_until
from tests.integration.serving import CHEAP, assert_quiet, serving
from tests.places import ROOT

PACKAGES = ("deployments", "flows", "ocr_core", "tasks")
DATA = (
    "inkstream/__init__.pyi",
    "inkstream/py.typed",
    "inkstream/deployments/on-arrival.yaml",
    "inkstream/deployments/prefect.yaml",
    "inkstream/deployments/system-packages.sh",
    *(f"inkstream/flows/demo/documents/{name}" for name in (*NAMES, "README.md")),
)
MOST_PACKAGES, MOST_MEGABYTES = 30, 200
"""What `pip install inkstream` may bring, itself included; it was 24 packages and 163 MB."""
SETTINGS = [part for option in CHEAP for part in ("--set", option)]
NEED_STREAMING = (
    ["run", "--source", "in", "--sink", "out"],
    ["listen", "--queue", "https://sqs.eu-west-1.amazonaws.com/1/q", "--source", "s3://b/in", "--sink", "s3://b/out"],
    ["retry", "out"],
    ["reprocess", "out"],
    ["status", "out"],
    ["show", "out"],
    ["diff", "out", "--from", "1"],
    ["export", "out", "--format", "text", "--output", "texts"],
    ["maintain", "out"],
    ["forget", "out", "a.pdf"],
    ["demo", "--prefect", "off"],
)
NEED_PREFECT = (
    ["serve", "--source", "in", "--sink", "out"],
    ["demo"],
    ["run", "--source", "in", "--sink", "out", "--prefect", "on"],
    ["maintain", "out", "--prefect", "on"],
)
RUN_ALL = """
import io, json, sys
from contextlib import redirect_stderr
from inkstream.flows.cli import app

ended = []
for words in json.load(sys.stdin):
    errors = io.StringIO()
    with redirect_stderr(errors):
        try:
            app(words, prog_name="inkstream")
        except SystemExit as exit:
            ended.append([exit.code, errors.getvalue()])
print(json.dumps(ended))
"""


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel from the sources, an sdist, and a wheel from that."""

    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    sources = folder / "sources"
    sources.mkdir()
    for name in (*PACKAGES, "src"):
        shutil.copytree(
            ROOT / name, sources / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    build(sources, folder / "dist", "--sdist", "--wheel")
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    build(unpacked, folder / "again", "--wheel")
    (again,) = (folder / "again").glob("*.whl")
    return Built(wheel, sdist, again)


def build(sources: Path, target: Path, *what: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), *what, str(sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def core(built: Built, tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    return FreshEnvironment(tmp_path_factory.mktemp("core") / "env", built.wheel)


@pytest.fixture(scope="module")
def streaming(built: Built, tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    return FreshEnvironment(tmp_path_factory.mktemp("streaming") / "env", built.wheel, ["streaming"])


@pytest.fixture(scope="module")
def with_prefect(built: Built, tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    return FreshEnvironment(tmp_path_factory.mktemp("prefect") / "env", built.wheel, ["prefect"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with modules named like this checkout's folders; nothing imports them."""
    (tmp_path / "flows").mkdir()
    for module in ("flows/__init__.py", "tasks.py", "deployments.py", "ocr_core.py"):
        (tmp_path / module).write_text("raise RuntimeError('a module of the project was imported')\n")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.pdf").write_bytes(tiny_pdf("the text of a", "its second page"))
    return tmp_path


def run_command(environment: FreshEnvironment, project: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [environment.command, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
        env=environment.variables(PREFECT_HOME=str(project / "prefect")),
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def run_commands(environment: FreshEnvironment, project: Path, commands: list[list[str]]) -> list[tuple[int, str]]:
    """Run commands one after the other in one process, and return their exit codes and error messages."""
    done = subprocess.run(
        [environment.python, "-c", RUN_ALL],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
        env=environment.variables(PREFECT_HOME=str(project / "prefect")),
    )
    assert done.returncode == 0, done.stderr
    return [(code, message) for code, message in json.loads(done.stdout.splitlines()[-1])]


def assert_asks_for(environment: FreshEnvironment, project: Path, commands: list[list[str]], extra: str) -> None:
    for words, (code, message) in zip(commands, run_commands(environment, project, commands), strict=True):
        assert code == 4, (words, message)
        assert f"remedy: python -m pip install 'inkstream[{extra}] @ file://" in message, words


def test_a_wheel_has_one_package_and_every_file_once(built: Built) -> None:
    sources = {f"inkstream/{file.relative_to(ROOT)}" for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    with zipfile.ZipFile(built.wheel) as wheel, zipfile.ZipFile(built.wheel_of_sdist) as again:
        names = wheel.namelist()
        assert {name.partition("/")[0] for name in names} == {"inkstream", "inkstream-0.1.0.dist-info"}
        assert len(names) == len(set(names))
        package = {name for name in names if name.startswith("inkstream/")}
        assert package == sources | set(DATA) | {"inkstream/__init__.py", "inkstream/__main__.py"}
        assert {info.filename: info.CRC for info in wheel.infolist() if info.filename in package} == {
            info.filename: info.CRC for info in again.infolist() if info.filename.startswith("inkstream/")
        }


def test_an_sdist_has_no_file_twice(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        files = [name.partition("/")[2] for name in archive.getnames()]
    assert len(files) == len(set(files))
    copies = [name for name in files if name.endswith("flows/api.py")]
    assert len(copies) == 1, copies


def test_the_core_reads_a_document_in_every_format(core: FreshEnvironment, project: Path) -> None:
    assert not {"dask", "deltalake", "fsspec", "prefect", "pyarrow", "s3fs", "sqlalchemy"} & set(core.distributions)
    assert len(core.distributions) + 1 <= MOST_PACKAGES, sorted(core.distributions)
    assert core.megabytes() <= MOST_MEGABYTES
    assert run_command(core, project, "ocr", "inbox/a.pdf") == "the text of a\n\fits second page\n"
    (project / "blank.pdf").write_bytes(tiny_pdf(""))
    assert not run_command(core, project, "ocr", "blank.pdf").strip()
    formats = ("json", "hocr", "alto", "pdf")
    commands = [["ocr", "inbox/a.pdf", "--format", name, "--output", f"a.{name}"] for name in formats]
    assert run_commands(core, project, commands) == [(0, "")] * len(formats)
    assert all((project / f"a.{name}").stat().st_size > 500 for name in formats)
    assert "the text of a" in run_command(core, project, "ocr", "a.pdf")


def test_the_core_writes_and_checks_configurations(core: FreshEnvironment, project: Path) -> None:
    (project / "stream.yaml").write_text("source: {url: inbox}\nsink: {url: inbox/tables}\n")
    commands = [["config", "schema"], ["config", "show", "stream.yaml"], ["--help"], ["doctor"]]
    assert [code for code, _ in run_commands(core, project, commands)] == [0, 0, 0, 0]
    assert "is inside the source" in run_command(core, project, "config", "check", "stream.yaml", code=2)
    shown = run_command(core, project, "doctor", "--source", "inbox", code=4)
    assert "FAIL streaming" in shown
    check = ["config", "check", "stream.yaml", "--set", "events.queue=https://sqs.eu-west-1.amazonaws.com/1/q"]
    assert_asks_for(core, project, [check], "streaming")


def test_the_core_works_in_a_script(core: FreshEnvironment, project: Path) -> None:
    program = (
        "import inkstream\n"
        "config = inkstream.build_config({'source': {'url': 'inbox'}, 'sink': {'url': 'tables'}})\n"
        "print([page.text for page in inkstream.read_document('inbox/a.pdf', config.pipeline)])\n"
        "try:\n"
        "    inkstream.Stream\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [core.python, "-c", program], capture_output=True, text=True, check=True, cwd=project, env=core.variables()
    )
    text, problem, remedy = done.stdout.splitlines()
    assert text == "['the text of a', 'its second page']"
    assert "a stream needs Python packages that are not installed: distributed, dask" in problem
    assert "pip install 'inkstream[streaming] @" in remedy


def test_without_an_extra_a_command_says_how_to_install_it(
    core: FreshEnvironment, streaming: FreshEnvironment, project: Path
) -> None:
    assert_asks_for(core, project, list(NEED_STREAMING), "streaming")
    assert_asks_for(core, project, list(NEED_PREFECT), "prefect")
    assert_asks_for(streaming, project, list(NEED_PREFECT), "prefect")
    for engine in ("ppocr", "trocr"):
        words = ["ocr", "inbox/a.pdf", "--set", f"pipeline.recognize.engine={engine}", "--set", "pipeline.detect={}"]
        assert_asks_for(core, project, [words], engine)
    assert not [path.name for path in project.iterdir() if path.name in ("out", "demo", "texts")]


def test_a_stream_runs_without_prefect(streaming: FreshEnvironment, project: Path) -> None:
    assert not {"prefect", "fastapi", "sqlalchemy"} & set(streaming.distributions)
    run = ["run", "--source", "inbox", "--sink", "tables", "--json", *SETTINGS]
    _, total = map(json.loads, run_command(streaming, project, *run).splitlines())
    assert (total["files"], total["pages"], total["failed_pages"]) == (1, 2, 0)
    assert "its second page" in run_command(streaming, project, "show", "tables")


def test_it_serves_from_another_project(
    with_prefect: FreshEnvironment, project: Path, prefect_home: Callable[[Path], Path]
) -> None:
    port = free_port()
    command = [str(with_prefect.command), "serve", "--source", "inbox", "--sink", "tables", *SETTINGS]
    home = prefect_home(project / "prefect")
    environment = with_prefect.variables(PREFECT_HOME=str(home), DASK_LOGGING__DISTRIBUTED="error")
    log = project / "serve.log"
    with serving([*command, "--every", "1h", "--port", str(port)], environment, log, project) as process:
        # The first run of an interval is due 15 seconds after the start.
        wait_until(lambda: any(project.glob("tables/pages/_delta_log/*1.json")), 120, log.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, log.read_text()
    assert "the schedules are paused" in log.read_text()
    assert_quiet(log.read_text())
    assert "the text of a" in run_command(with_prefect, project, "show", "tables")
