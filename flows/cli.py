"""The `inkstream` command: arguments in, exit codes out. What it prints is in `flows.console`."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, TransientError

if TYPE_CHECKING:
    from tasks.config import StreamConfig
    from tasks.progress import Summary

EXIT_CODES = {
    0: "everything new is committed (documents that failed are rows that say why)",
    2: "the command line or the configuration cannot be run as written",
    3: "with --fail-on-document-error: committed, and at least one page failed",
    4: "this machine lacks something; the message names the remedy",
    5: "some or all of it should be tried again later; what is committed stays",
    130: "interrupted; what is committed stays, nothing is half-written",
}

app = typer.Typer(
    name="inkstream",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stream a folder or bucket of documents into a versioned table of text, each page exactly once.",
    epilog="Exit codes: " + "; ".join(f"{code}: {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)


class PrefectChoice(StrEnum):
    """Whether a run goes through Prefect."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class TextFormat(StrEnum):
    """What `inkstream ocr` prints."""

    TEXT = "text"
    JSON = "json"


Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one option: pipeline.render.resolution=200. Repeatable."),
]
Preset = Annotated[str | None, typer.Option(help="Start from a preset: ocr-streaming or ocr-regions.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON Lines on standard output instead.")]


@app.command()
def run(  # noqa: PLR0913 - one parameter an option
    config: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[CONFIG]")] = None,
    source: Annotated[str | None, typer.Option(help="Folder or URL where documents arrive.")] = None,
    sink: Annotated[str | None, typer.Option(help="Folder or URL that holds the table.")] = None,
    stream: Annotated[str | None, typer.Option(help="Name of the stream; a file version is done once in each.")] = None,
    preset: Preset = None,
    max_files_per_trigger: Annotated[int | None, typer.Option(help="Files in one batch at most.")] = None,
    overrides: Overrides = None,
    every: Annotated[str | None, typer.Option(help="Go on, with a new run this often: 30s, 5m, 1h.")] = None,
    prefect: Annotated[
        PrefectChoice, typer.Option(help="Run under Prefect; auto: when a Prefect API is configured.")
    ] = PrefectChoice.AUTO,
    fail_on_document_error: Annotated[
        bool, typer.Option("--fail-on-document-error", help="Exit with 3 when a page failed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read what is new in the source, commit it to the table, and stop (or go on with --every).

    Example: inkstream run --source inbox --sink tables
    """
    from tasks.config import parse_duration

    with _exit_codes():
        flags = _flag_overrides(source, sink, stream, max_files_per_trigger)
        built = _read_config(config, preset, [*flags, *(overrides or [])])
        pause = parse_duration(every).total_seconds() if every else None
        _run_stream(built, prefect, pause, as_json, fail_on_document_error)


@app.command()
def show(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    version: Annotated[int | None, typer.Option(min=0, help="Show the table as it was at this version.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the newest rows of a table."""
    from flows.console import print_rows

    with _exit_codes():
        print_rows(sink, version, limit, as_json=as_json)


@app.command()
def ocr(
    file: Annotated[Path, typer.Argument(help="A PDF or image.", exists=True, dir_okay=False)],
    text_format: Annotated[TextFormat, typer.Option("--format", help="What to print.")] = TextFormat.TEXT,
    preset: Preset = None,
    overrides: Overrides = None,
) -> None:
    """Read one document and print its text: no table, no Prefect, no Dask."""
    from flows.console import print_document

    with _exit_codes():
        built = _read_config(None, preset, ["source.url=.", "sink.url=.", *(overrides or [])])
        if print_document(file, built, as_json=text_format is TextFormat.JSON):
            raise typer.Exit(3)


@app.command()
def doctor(preset: Preset = None, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check everything a run needs on this machine, each with its remedy."""
    from flows.console import print_checks

    with _exit_codes():
        built = _read_config(None, preset, ["source.url=.", "sink.url=.", *(overrides or [])])
        if not print_checks(built, as_json=as_json):
            raise typer.Exit(4)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's documents and table are kept.")] = Path("demo"),
    prefect: Annotated[PrefectChoice, typer.Option(help="Run under Prefect.")] = PrefectChoice.ON,
) -> None:
    """Make a small inbox of documents and stream it into a Delta table. Run it again: nothing is new."""
    from flows.demo import run_demo

    with _exit_codes():
        run_demo(folder, prefect.value)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"inkstream {version_of('inkstream')}")
        raise typer.Exit


def main() -> NoReturn:
    """Entry point of the `inkstream` command."""
    app()
    raise SystemExit(0)


def _flag_overrides(
    source: str | None, sink: str | None, stream: str | None, max_files_per_trigger: int | None
) -> list[str]:
    import json

    flags = {
        "source.url": source,
        "sink.url": sink,
        "stream": stream,
        "trigger.max_files_per_trigger": max_files_per_trigger,
    }
    return [f"{key}={json.dumps(value)}" for key, value in flags.items() if value is not None]


def _read_config(path: Path | None, preset: str | None, overrides: list[str]) -> StreamConfig:
    from tasks.config import build_config, load_document

    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = load_document(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from None
    return build_config(document, preset=preset, overrides=overrides)


def _run_stream(config: StreamConfig, prefect: PrefectChoice, pause: float | None, as_json: bool, strict: bool) -> None:
    from flows.api import Stream
    from flows.console import run_output

    if prefect is PrefectChoice.ON:
        from flows.prefect_settings import use_embedded_server

        use_embedded_server()
    with run_output(as_json=as_json) as output, Stream(config, observers=[output], prefect=prefect.value) as stream:
        if pause is None:
            summary = stream.run()
            output.finished(summary)
            _exit_with(summary, strict)
        else:
            _run_every(stream.run, pause, output.finished, output.trouble)


def _run_every(
    trigger: Callable[[], Summary],
    pause: float,
    finished: Callable[[Summary], None],
    trouble: Callable[[TransientError], None],
) -> NoReturn:
    """One run a trigger, for ever; a late one starts at once, and the moment's faults wait for the next."""
    while True:
        due = time.monotonic() + pause
        try:
            summary = trigger()
        except TransientError as error:
            trouble(error)
        else:
            if summary.batches or summary.left_out:
                finished(summary)
        time.sleep(max(0.0, due - time.monotonic()))


def _exit_with(summary: Summary, strict: bool) -> None:
    if summary.left_out:
        raise typer.Exit(5)
    if strict and summary.failed_pages:
        raise typer.Exit(3)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turns errors into one clear message on standard error and the documented exit code."""

    def interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except ConfigError as error:
        _fail(error, 2)
    except (EnvironmentFault, DocumentError) as error:
        _fail(error, 4 if isinstance(error, EnvironmentFault) else 3)
    except TransientError as error:
        _fail(error, 5)
    except KeyboardInterrupt:
        _fail("interrupted; what is committed stays, nothing is half-written", 130)


def _fail(message: object, code: int) -> NoReturn:
    print(f"inkstream: {message}", file=sys.stderr, flush=True)  # noqa: T201
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
