"""What `inkstream config` prints."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from inkstream.flows.text import print_json
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import ConfigFile, Mistake, StreamConfig, editor_schema, examine, plain, to_yaml


def print_schema() -> None:
    """Prints the JSON schema of a configuration file."""
    sys.stdout.write(json.dumps(editor_schema(), indent=2) + "\n")


def print_mistakes(
    read: Callable[[], ConfigFile], where: str, preset: str | None, overrides: Sequence[str], *, as_json: bool
) -> bool:
    """Prints what is wrong with a configuration, or that nothing is; returns whether something is.

    Args:
        read: Reads the file; what it raises is a mistake too.
        where: The file's name.
        preset: As in `build_config`.
        overrides: As in `build_config`.
        as_json: One line of JSON a mistake.
    """
    try:
        built = examine(read(), preset=preset, overrides=overrides)
    except ConfigError as error:
        built = [_of_line(line, where) for line in str(error).splitlines()]
    mistakes = list(_at_odds(built)) if isinstance(built, StreamConfig) else built
    for mistake in mistakes:
        if as_json:
            print_json({"line": mistake.line, "path": ".".join(mistake.path), "message": mistake.message})
        else:
            sys.stdout.write(f"{where}:{f'{mistake.line}:' if mistake.line else ''} {mistake}\n")
    if not mistakes and not as_json:
        sys.stdout.write(f"{where}: nothing is wrong with it\n")
    return bool(mistakes)


def _of_line(text: str, where: str) -> Mistake:
    found = re.match(r":(\d+)?:? *(.*)", text.removeprefix(where))
    return Mistake((), found[2], int(found[1]) if found[1] else None) if found else Mistake((), text)


def _at_odds(config: StreamConfig) -> Iterator[Mistake]:
    """Finds options that are each right and do not go together."""
    from inkstream.ocr_core.pipeline.build import build_pipeline
    from inkstream.tasks.source.listing import refuse_sink_under_source
    from inkstream.tasks.source.opening import require_event_source

    try:
        build_pipeline(config.pipeline)
    except ConfigError as error:
        yield Mistake(("pipeline",), str(error))
    try:
        refuse_sink_under_source(config.source, config.sink.url)
    except ConfigError as error:
        yield Mistake(("sink", "url"), str(error))
    try:
        if config.events.queue is not None:
            require_event_source(config)
    except ConfigError as error:
        yield Mistake(("events", "queue"), str(error).removeprefix("events.queue "))


def print_effective(config: StreamConfig, examples: Mapping[str, str], *, changed: bool, as_json: bool) -> None:
    """Prints a configuration.

    Args:
        config: The configuration.
        examples: What stands in place of options that nobody gave; a note says so.
        changed: Only what differs from the defaults.
        as_json: JSON instead of YAML.
    """
    options = plain(config, changed=changed)
    notes = [f"{name} is not given: {value} is an example" for name, value in examples.items()]
    if as_json:
        sys.stderr.write("".join(f"inkstream: {note}\n" for note in notes))
        print_json(options)
    else:
        sys.stdout.write("".join(f"# {note}\n" for note in notes) + to_yaml(options))
