"""Code that all commands share: the app, the exit codes, reading a configuration, watching a run."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from inkstream.flows.cli.standard_streams import is_output_closed
from inkstream.flows.under_prefect.settings import PrefectGoneError, PrefectMode, use_embedded_server
from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, TransientError

if TYPE_CHECKING:
    from inkstream.flows.api import Stream
    from inkstream.flows.console.run import RunOutput, Words
    from inkstream.flows.loop.planners import Planner
    from inkstream.tasks.config import ConfigFile, StreamConfig

EXIT_CODES = {
    0: "everything new is committed; a document that failed has a row that says why",
    2: "the command line or the configuration cannot be run as written",
    3: "with --fail-on-document-error or from ocr: a page failed; from export: a document was not exported",
    4: "this machine lacks something; the message says what to do",
    5: "part of the work should be tried again later; what is committed stays",
    130: "interrupted; what is committed stays, and nothing is half-written",
    141: "the program that read the output has ended; what is committed stays, and nothing is half-written",
}

_OF_THE_MACHINE = {
    errno.ENOSPC: "free some space there, or set TMPDIR to a folder that has some",
    errno.EDQUOT: "free some space there, or set TMPDIR to a folder that has some",
    errno.EROFS: "give a folder that can be written, or set TMPDIR to one",
    errno.EACCES: "let this user use it, or give another place",
    errno.EPERM: "let this user use it, or give another place",
    errno.ENOENT: "start the command in a folder that exists, and set TMPDIR to one that this user can write",
    errno.EMFILE: "raise the limit of open files with `ulimit -n`",
    errno.ENFILE: "raise the limit of open files of this machine",
    errno.ENOMEM: "free some memory, or set execution.workers to a smaller number",
    errno.EIO: "check the disk or network drive",
}
"""Remedies for errors of the operating system that no step has explained."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

_EXAMPLES = {"source.url": "inbox", "sink.url": "tables"}

app = typer.Typer(
    name="inkstream",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stream a folder or bucket of documents into a versioned table of text, each page exactly once.",
    epilog="\n\n".join(["Exit codes:", *(f"{code}: {meaning}" for code, meaning in EXIT_CODES.items())]),
)


def command(panel: str, group: typer.Typer = app) -> Callable[[_Function], _Function]:
    """Return a decorator that makes a function a command, with its docstring as the help.

    Args:
        panel: The heading under which the help lists it.
        group: The app, or a group of commands.
    """

    def register(function: _Function) -> _Function:
        paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
        help_text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        return group.command(rich_help_panel=panel, help=help_text)(function)

    return register


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"inkstream {version_of('inkstream')}")
        raise typer.Exit


def flag_overrides(flags: Mapping[str, object]) -> list[str]:
    """Return `--set` values for the flags that were given, by option."""
    import json

    return [f"{key}={json.dumps(value)}" for key, value in flags.items() if value is not None]


def read_config(path: Path | None, preset: str | None, overrides: list[str]) -> StreamConfig:
    """Build the configuration of a file, a preset and `--set` values.

    Raises:
        ConfigError: If the file cannot be read, or the configuration is wrong.
    """
    from inkstream.tasks.config import build_from, examine

    config_file = read_config_file(path)
    built = examine(config_file, preset=preset, overrides=overrides)
    if not isinstance(built, list):
        return built
    absent = [name for name in ("source", "sink") if (name,) in {mistake.path for mistake in built}]
    if len(absent) == len(built) and all(name not in config_file.options for name in absent):
        options = " and ".join(f"--{name}" for name in absent)
        raise ConfigError(f"no {' and no '.join(absent)} is given; give {options}, or a configuration file with them")
    return build_from(config_file, preset=preset, overrides=overrides)


def read_partial_config(
    config_file: ConfigFile, preset: str | None, overrides: Sequence[str]
) -> tuple[StreamConfig, dict[str, str]]:
    """Build a configuration whose source and sink may be missing.

    Returns:
        The configuration, and the example values used for the missing options, by option.

    Raises:
        ConfigError: If the configuration has any other mistake.
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
        ConfigError: If the file cannot be read or is not a YAML mapping.
    """
    from inkstream.tasks.config import ConfigFile, parse_config_file

    if path is None:
        return ConfigFile("", {}, {})
    try:
        return parse_config_file(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: it is not a text file in UTF-8") from None


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors into one clear message on standard error and the documented exit code."""
    from inkstream.tasks.work.interrupts import lost_interrupts_sent_again

    def interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    os.environ.setdefault("RUST_LOG", "error")  # deltalake would only repeat the message as a warning
    try:
        with lost_interrupts_sent_again():
            yield
    except ConfigError as error:
        _fail(error, 2)
    except DocumentError as error:
        _fail(error, 3)
    except EnvironmentFault as error:
        _fail(error, 4)
    except PrefectGoneError as error:
        _print_error(error)
        os._exit(5)  # at an orderly exit Prefect would try for minutes to deliver its last reports
    except TransientError as error:
        _fail(error, 5)
    except KeyboardInterrupt:
        _fail(EXIT_CODES[130], 130)
    except OSError as error:
        code = explained_end(error)
        if code is None:
            raise
        raise typer.Exit(code) from None


def explained_end(error: OSError) -> int | None:
    """Print the remedy for an error of the operating system, and return the exit code; None if it has no remedy."""
    if isinstance(error, BrokenPipeError) and is_output_closed():
        return 141
    if error.errno not in _OF_THE_MACHINE:
        return None
    _print_error(_explained(error))
    return 4


def _explained(error: OSError) -> EnvironmentFault:
    place = f"{error.filename}: " if error.filename else ""
    return EnvironmentFault(
        f"{place}{error.strerror}; what is committed stays", _OF_THE_MACHINE[error.errno or errno.EIO]
    )


def _fail(message: object, code: int) -> NoReturn:
    _print_error(message)
    raise typer.Exit(code)


def _print_error(message: object) -> None:
    print(f"inkstream: {message}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def watched_stream(
    config: StreamConfig, prefect: PrefectMode, words: Words, *, as_json: bool
) -> Iterator[tuple[Stream, RunOutput]]:
    """Yield a stream, and the observer that prints what its runs do.

    Raises:
        ConfigError: If the sink is in memory: its rows would be lost at the end of the command.
    """
    if not config.sink.traits.outlives_process:
        raise ConfigError(
            "the rows of a memory sink are lost when this command ends; give a folder or URL as the sink, "
            "or use the memory sink from Python"
        )
    if prefect == "on":
        use_embedded_server()
    from inkstream.flows.api import Stream
    from inkstream.flows.console.run import run_output

    with run_output(words, as_json=as_json) as output, Stream(config, observers=[output], prefect=prefect) as stream:
        yield stream, output


def read_again(config: StreamConfig, planner: Planner, prefect: PrefectMode, *, dry_run: bool, as_json: bool) -> None:
    """Run a planner over files that have rows already, or print its plan."""
    from inkstream.flows.api import Stream
    from inkstream.flows.console.dry_run import print_files_to_read_again
    from inkstream.flows.console.run import READ_AGAIN

    if dry_run:
        with Stream(config) as stream:
            print_files_to_read_again(stream.plan(planner), as_json=as_json)
        return
    with watched_stream(config, prefect, READ_AGAIN, as_json=as_json) as (stream, output):
        summary = stream.drain(planner)
        output.finished(summary)
        if summary.left_out:
            raise typer.Exit(5)
