"""What `inkstream config` prints."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from inkstream.flows.text import print_json
from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.installation import require_extra
from inkstream.tasks.config import ConfigFile, Mistake, StreamConfig, editor_schema, examine, plain, to_yaml


def print_config_schema() -> None:
    """Print the JSON schema of a configuration file."""
    sys.stdout.write(json.dumps(editor_schema(), indent=2) + "\n")


def print_config_check(
    read: Callable[[], ConfigFile], where: str, preset: str | None, overrides: Sequence[str], *, as_json: bool
) -> bool:
    """Print every mistake in a configuration, or that there is none; return whether there is one.

    Args:
        read: Reads the file; an error it raises is a mistake too.
        where: The file's name.
        preset: As in `build_config`.
        overrides: As in `build_config`.
        as_json: Print one line of JSON per mistake.
    """
    try:
        built = examine(read(), preset=preset, overrides=overrides)
    except ConfigError as error:
        built = [_mistake_of(line, where) for line in str(error).splitlines()]
    mistakes = list(_contradictions(built)) if isinstance(built, StreamConfig) else built
    for mistake in mistakes:
        if as_json:
            print_json({"line": mistake.line, "path": ".".join(mistake.path), "message": mistake.message})
        else:
            sys.stdout.write(f"{where}:{f'{mistake.line}:' if mistake.line else ''} {mistake}\n")
    if not mistakes and not as_json:
        sys.stdout.write(f"{where}: no mistakes found\n")
    return bool(mistakes)


def _mistake_of(line: str, where: str) -> Mistake:
    """Return the mistake that a line of an error message describes."""
    parts = re.match(r":(\d+)?:? *(.*)", line.removeprefix(where))
    return Mistake((), parts[2], int(parts[1]) if parts[1] else None) if parts else Mistake((), line)


def _contradictions(config: StreamConfig) -> Iterator[Mistake]:
    """Yield options that are each valid but cannot be used together.

    Raises:
        MissingPackageError: If a queue is configured and the packages of a stream are not installed.
    """
    from inkstream.ocr_core.pipeline.build import build_pipeline
    from inkstream.tasks.paths import refuse_sink_under_source

    try:
        build_pipeline(config.pipeline)
    except ConfigError as error:
        yield Mistake(("pipeline",), str(error))
    try:
        refuse_sink_under_source(config.source.url, config.sink.url)
    except ConfigError as error:
        yield Mistake(("sink", "url"), str(error))
    if config.events.queue is None:
        return
    require_extra("streaming", "the check of events.queue")
    from inkstream.tasks.source.opening import require_event_source

    try:
        require_event_source(config)
    except ConfigError as error:
        yield Mistake(("events", "queue"), str(error).removeprefix("events.queue "))


def print_config_show(config: StreamConfig, examples: Mapping[str, str], *, changed: bool, as_json: bool) -> None:
    """Print a configuration.

    Args:
        config: The configuration.
        examples: Example values of options that were not given; a note names each.
        changed: Print only what differs from the defaults.
        as_json: Print JSON instead of YAML.
    """
    options = plain(config, changed=changed)
    notes = [f"{name} is not given: {value} is an example" for name, value in examples.items()]
    if as_json:
        sys.stderr.write("".join(f"inkstream: {note}\n" for note in notes))
        print_json(options)
    else:
        sys.stdout.write("".join(f"# {note}\n" for note in notes) + to_yaml(options))
