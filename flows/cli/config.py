"""The commands `inkstream config schema`, `check` and `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import app, command, exit_codes, read_config_file, read_partial_config
from inkstream.flows.cli.options import AsJson, Overrides, Preset

config_app = typer.Typer(
    no_args_is_help=True, help="Write a configuration file: print its schema, its mistakes or its effect."
)
app.add_typer(config_app, name="config", rich_help_panel="Set up")


@command("Commands", config_app)
def schema() -> None:
    """Print the JSON schema of a configuration file, for editors.

    Example: inkstream config schema > inkstream.schema.json
    """
    with exit_codes():
        from inkstream.flows.console.config import print_config_schema

        print_config_schema()


@command("Commands", config_app)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A YAML configuration file.")],
    preset: Preset = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """List every mistake in a configuration file, with its line. Nothing is run.

    Example: inkstream config check letters.yaml
    """
    with exit_codes():
        from inkstream.flows.console.config import print_config_check

        if print_config_check(lambda: read_config_file(file), str(file), preset, overrides or [], as_json=as_json):
            raise typer.Exit(2)


@command("Commands", config_app)
def show(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A YAML configuration file.")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs from the defaults.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of YAML.")] = False,
) -> None:
    """Print the configuration that a run would use, defaults included, as YAML that can be used as a file.

    Example: inkstream config show letters.yaml --changed
    """
    with exit_codes():
        from inkstream.flows.console.config import print_config_show

        built, examples = read_partial_config(read_config_file(file), preset, overrides or [])
        print_config_show(built, examples, changed=changed, as_json=as_json)
