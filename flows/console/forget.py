"""What `inkstream forget` asks and prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from inkstream.flows.text import print_json, visible
from inkstream.ocr_core.errors import ConfigError

if TYPE_CHECKING:
    from inkstream.tasks.queries.forget import FilesToForget, Forgotten

_SHOWN = 20


def ask_and_forget(  # noqa: PLR0913 - one parameter an option
    sink_url: str, paths: Sequence[str], stream: str | None, *, dry_run: bool, sure: bool, as_json: bool
) -> None:
    """Says what would be forgotten, asks, and forgets.

    Raises:
        ConfigError: If the table has nothing of these files, or nobody can be asked.
    """
    from inkstream.tasks.queries.forget import find_files, forget
    from inkstream.tasks.sinks.opening import open_existing
    from inkstream.tasks.sinks.versioned import require_versions

    sink = require_versions(open_existing(sink_url))
    found, before = find_files(sink, paths, stream)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    if not found and not before:
        raise ConfigError(f"{sink_url} has no rows of {', '.join(paths)}; `inkstream show {sink_url}` names files")
    _print_found(console, found, before)
    forgotten = None
    if found and not dry_run and (sure or _agreed(as_json)):
        forgotten = forget(sink, found)
    if as_json:
        print_json(_to_json(found, forgotten))
    elif forgotten is None:
        console.print("nothing was changed")
    else:
        _print_forgotten(console, sink_url, forgotten)


def _agreed(as_json: bool) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError("nobody can be asked here: give --yes to forget them, or --dry-run to look")
    return typer.confirm("Forget them? Their text cannot be had back.", err=as_json)


def _print_found(console: Console, found: FilesToForget, before: int) -> None:
    files = [(name, one) for name, selection in found.items() for one in selection.files]
    for name, one in files[:_SHOWN]:
        console.print(f"  {visible(one.file.path)}: {one.rows} rows of stream {name}", markup=False)
    if len(files) > _SHOWN:
        console.print(f"  and {len(files) - _SHOWN} more")
    console.print(f"{len(files)} file versions with {sum(one.rows for _, one in files)} rows")
    if before:
        console.print(f"{before} files are forgotten already")


def _print_forgotten(console: Console, sink: str, forgotten: Forgotten) -> None:
    files = sum(len(files) for files in forgotten.files.values())
    console.print(
        f"forgot {files} file versions and removed {forgotten.overlays} overlays; table version {forgotten.version}"
    )
    if forgotten.held_from is None:
        console.print("no version of the table that can be read holds their text")
        return
    last = forgotten.version - 1
    held = f"version {last}" if forgotten.held_from == last else f"versions {forgotten.held_from} to {last}"
    console.print(
        f"{held} of the table still hold their text, until a vacuum: run in 24 hours at the earliest\n"
        f"  inkstream maintain {sink} --retention 24h",
        markup=False,
    )


def _to_json(found: FilesToForget, forgotten: Forgotten | None) -> dict[str, Any]:
    files = [
        {"stream": name, "path": one.file.path, "etag": one.file.etag, "length": one.file.size, "rows": one.rows}
        for name, selection in found.items()
        for one in selection.files
    ]
    held = None
    if forgotten is not None and forgotten.held_from is not None:
        held = {"from": forgotten.held_from, "to": forgotten.version - 1}
    return {
        "files": files,
        "forgotten": forgotten is not None,
        "overlays": forgotten.overlays if forgotten else 0,
        "version": forgotten.version if forgotten else None,
        "versions_with_text": held,
    }
