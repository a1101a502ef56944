"""Commands about configuration files: config schema, check, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import AsJson, Overrides, Preset, app, exit_codes, read_config_file, read_partial_config

config_app = typer.Typer(no_args_is_help=True, help="Write a configuration file: its schema, its mistakes, its effect.")
app.add_typer(config_app, name="config", rich_help_panel="Configure")


@config_app.command()
def schema() -> None:
    """Print the JSON schema of a configuration file, for editors.

    Example: inkstream config schema > inkstream.schema.json
    """
    from inkstream.flows.console.config import print_schema

    with exit_codes():
        print_schema()


@config_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A YAML configuration file.")],
    preset: Preset = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Name all that is wrong with a configuration file, with its line. Nothing is run.

    Example: inkstream config check letters.yaml
    """
    from inkstream.flows.console.config import print_mistakes

    with exit_codes():
        if print_mistakes(lambda: read_config_file(file), str(file), preset, overrides or [], as_json=as_json):
            raise typer.Exit(2)


@config_app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[FILE]")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs from the defaults.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print the configuration that a run would use, every default included, as YAML that can be pasted back.

    Example: inkstream config show letters.yaml --changed
    """
    from inkstream.flows.console.config import print_effective

    with exit_codes():
        built, examples = read_partial_config(read_config_file(file), preset, overrides or [])
        print_effective(built, examples, changed=changed, as_json=as_json)
