"""What all commands share: the app, exit codes, how a configuration is read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from inkstream.flows.under_prefect.settings import PrefectGoneError, PrefectMode
from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, TransientError

if TYPE_CHECKING:
    from inkstream.flows.loop.planners import Planner
    from inkstream.tasks.config import ConfigFile, StreamConfig

EXIT_CODES = {
    0: "everything new is committed (documents that failed are rows that say why)",
    2: "the command line or the configuration cannot be run as written",
    3: "with --fail-on-document-error: committed, and at least one page failed; export: a document was not exported",
    4: "this machine lacks something; the message names the remedy",
    5: "some or all of it should be tried again later; what is committed stays",
    130: "interrupted; what is committed stays, nothing is half-written",
}

_EXAMPLES = {"source.url": "inbox", "sink.url": "tables"}

app = typer.Typer(
    name="inkstream",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stream a folder or bucket of documents into a versioned table of text, each page exactly once.",
    epilog="Exit codes: " + "; ".join(f"{code}: {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)


Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one option: pipeline.render.resolution=200. Repeatable."),
]
Preset = Annotated[str | None, typer.Option(help="Start from a preset: ocr-streaming, ocr-regions or handwritten.")]
Sink = Annotated[str, typer.Argument(help="Folder or URL that holds the table.")]
OfStream = Annotated[str | None, typer.Option("--stream", help="The stream; may be left out where there is only one.")]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="PATH",
        help="Only these files: a path, URL, file name, or a glob of one such as 'a*.pdf'. Repeatable.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say which files would be read again.")]
WithPrefect = Annotated[PrefectMode, typer.Option(help="Run under Prefect; auto: when a Prefect API is configured.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON Lines on standard output instead.")]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"inkstream {version_of('inkstream')}")
        raise typer.Exit


def flag_overrides(flags: Mapping[str, object]) -> list[str]:
    """Returns `--set` values for the flags that were given, by option."""
    import json

    return [f"{key}={json.dumps(value)}" for key, value in flags.items() if value is not None]


def read_config(path: Path | None, preset: str | None, overrides: list[str]) -> StreamConfig:
    """Builds the configuration of a file, a preset and `--set` values.

    Raises:
        ConfigError: If it cannot be read or is not one.
    """
    from inkstream.tasks.config import build_from

    return build_from(read_config_file(path), preset=preset, overrides=overrides)


def read_partial_config(
    config_file: ConfigFile, preset: str | None, overrides: Sequence[str]
) -> tuple[StreamConfig, dict[str, str]]:
    """Builds a configuration that may leave out what the source and the sink are.

    Returns:
        The configuration, and the examples that stand in place of what was left out, by option.

    Raises:
        ConfigError: If anything else is wrong with it.
    """
    from inkstream.tasks.config import StreamConfig, build_from, examine

    built = examine(config_file, preset=preset, overrides=overrides)
    if isinstance(built, StreamConfig):
        return built, {}
    wrong = {".".join(mistake.path) for mistake in built}
    missing = {name: value for name, value in _EXAMPLES.items() if wrong & {name, name.partition(".")[0]}}
    stand_ins = [f"{name}={value}" for name, value in missing.items()]
    return build_from(config_file, preset=preset, overrides=[*stand_ins, *overrides]), missing


def read_config_file(path: Path | None) -> ConfigFile:
    """Read a configuration file; without one, return an empty one.

    Raises:
        ConfigError: If it cannot be read or is no YAML mapping.
    """
    from inkstream.tasks.config import ConfigFile, parse_config_file

    if path is None:
        return ConfigFile("", {}, {})
    try:
        return parse_config_file(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turns errors into one clear message on standard error and the documented exit code."""
    from inkstream.tasks.work.interrupts import lost_interrupts_sent_again

    def interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        with lost_interrupts_sent_again():
            yield
    except ConfigError as error:
        _fail(error, 2)
    except (EnvironmentFault, DocumentError) as error:
        _fail(error, 4 if isinstance(error, EnvironmentFault) else 3)
    except PrefectGoneError as error:
        _say(error)
        os._exit(5)  # at an orderly exit Prefect would try for minutes to deliver what it has to tell
    except TransientError as error:
        _fail(error, 5)
    except KeyboardInterrupt:
        _fail("interrupted; what is committed stays, nothing is half-written", 130)


def _fail(message: object, code: int) -> NoReturn:
    _say(message)
    raise typer.Exit(code)


def _say(message: object) -> None:
    print(f"inkstream: {message}", file=sys.stderr, flush=True)  # noqa: T201


def redo(config: StreamConfig, planner: Planner, prefect: PrefectMode, *, dry_run: bool, as_json: bool) -> None:
    """Run a planner over rows that exist, or print its plan."""
    from inkstream.flows.api import Stream
    from inkstream.flows.console.redo import REDO_WORDS, print_plan
    from inkstream.flows.console.run import run_output

    if dry_run:
        with Stream(config) as stream:
            print_plan(stream.plan(planner), as_json=as_json)
        return
    if prefect == "on":
        from inkstream.flows.under_prefect.settings import use_embedded_server

        use_embedded_server()
    with (
        run_output(REDO_WORDS, as_json=as_json) as output,
        Stream(config, observers=[output], prefect=prefect) as stream,
    ):
        summary = stream.drain(planner)
        output.finished(summary)
        if summary.left_out:
            raise typer.Exit(5)
