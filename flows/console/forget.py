"""What `inkstream forget` asks and prints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, print_json, visible
from inkstream.ocr_core.errors import ConfigError

if TYPE_CHECKING:
    from inkstream.tasks.queries.forget import FilesToForget, Forgotten

_SHOWN = 20


def print_forget(  # noqa: PLR0913 - one parameter per option
    sink_url: str, paths: Sequence[str], stream: str | None, *, dry_run: bool, sure: bool, as_json: bool
) -> None:
    """Print what would be forgotten, ask, and forget it.

    Raises:
        ConfigError: If the table has no rows of these files, or standard input is not a terminal and `sure` is not set.
    """
    from inkstream.tasks.queries.forget import find_files, forget
    from inkstream.tasks.sinks.opening import open_existing
    from inkstream.tasks.sinks.versioned import require_versions

    sink = require_versions(open_existing(sink_url))
    found, before = find_files(sink, paths, stream)
    console = Terminal(stderr=as_json, highlight=False, soft_wrap=True)
    if not found and not before:
        raise ConfigError(f"{sink_url} has no rows of {', '.join(paths)}; `inkstream show {sink_url}` lists file names")
    _print_found(console, found, before)
    forgotten = None
    if found and not dry_run and (sure or _is_confirmed(as_json)):
        forgotten = forget(sink, found)
    if as_json:
        print_json(_to_json(found, forgotten))
    elif forgotten is None:
        console.print("nothing was changed")
    else:
        _print_forgotten(console, sink_url, forgotten)


def _is_confirmed(as_json: bool) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(
            "forget asks before it deletes, and this is not a terminal: add --yes to forget the files, or --dry-run to "
            "list them"
        )
    return typer.confirm("Forget them? Their text cannot be recovered.", err=as_json)


def _print_found(console: Terminal, found: FilesToForget, before: int) -> None:
    files = [(name, chosen) for name, selection in found.items() for chosen in selection.files]
    for name, chosen in files[:_SHOWN]:
        line = f"  {visible(chosen.file.path)}: {counted(chosen.rows, 'row')} of stream {name}"
        console.print(line, markup=False)
    if len(files) > _SHOWN:
        console.print(f"  and {len(files) - _SHOWN} more")
    rows = sum(chosen.rows for _, chosen in files)
    console.print(f"{counted(len(files), 'file version')} with {counted(rows, 'row')}")
    if before:
        console.print(f"forgotten before: {counted(before, 'file')}")


def _print_forgotten(console: Terminal, sink: str, forgotten: Forgotten) -> None:
    files = sum(len(files) for files in forgotten.files.values())
    console.print(
        f"forgot {counted(files, 'file version')} and removed {counted(forgotten.overlays, 'overlay')}; "
        f"table version {forgotten.version}"
    )
    if forgotten.held_from is None:
        console.print("no readable version of the table holds their text")
        return
    last = forgotten.version - 1
    held = f"version {last}" if forgotten.held_from == last else f"versions {forgotten.held_from} to {last}"
    console.print(
        f"{held} of the table still hold{'s' if forgotten.held_from == last else ''} their text until a vacuum; "
        f"in 24 hours at the earliest, run\n  inkstream maintain {shlex.quote(sink)} --retention 24h",
        markup=False,
    )


def _to_json(found: FilesToForget, forgotten: Forgotten | None) -> dict[str, Any]:
    files = [
        {
            "stream": name,
            "path": chosen.file.path,
            "etag": chosen.file.etag,
            "length": chosen.file.size,
            "rows": chosen.rows,
        }
        for name, selection in found.items()
        for chosen in selection.files
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
