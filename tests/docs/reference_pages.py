"""Generate the reference pages from the code: `python -m tests.docs.reference_pages` writes them.

`test_pages` compares the pages with these texts, so that neither changes alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import typer
import yaml
from pydantic import TypeAdapter

from inkstream.flows.cli import EXIT_CODES, app
from inkstream.tasks.config import StreamConfig, format_duration
from inkstream.tasks.presets import PRESETS
from tests.places import ROOT

REFERENCE = ROOT / "docs" / "reference"

CONFIGURATION = """# Configuration

Every option of a stream. They are the same in a configuration file, in `--set KEY=VALUE`, in `build_config(...)` and
in the form of the Prefect flow. The command line wins over the file, the file over its preset, and the preset over the
defaults. An unknown key is an error that names the nearest known one.

Values on the command line are read as YAML: `[eng, deu]` is a list, `null` is no value, and `{}` is a section with its
defaults. A duration is `500ms`, `30s`, `5m`, `2h` or `7d`. The meaning of an option has its unit. Credentials are not
options; they come from the environment.

"""

CLI = """# The command line

`inkstream COMMAND --help` prints the same. All commands share their [exit codes](exit-codes.md).

"""

EXAMPLES = {
    "run": [
        "inkstream run --source inbox --sink tables",
        "inkstream run --source inbox --sink tables --preset ocr-regions --set 'source.glob=*.pdf'",
        "inkstream run --source s3://bucket/inbox --sink s3://bucket/tables --every 30s --json",
        "inkstream run letters.yaml --dry-run",
        "inkstream run letters.yaml --limit 10 --set execution.workers=4",
    ],
    "serve": [
        "inkstream serve --source inbox --sink tables --every 5m",
        "inkstream serve letters.yaml --cron '*/5 * * * *' --maintain-cron '0 3 * * *'",
    ],
    "listen": [
        "inkstream listen letters.yaml --queue https://sqs.eu-west-1.amazonaws.com/123456789012/inbox",
        "inkstream listen letters.yaml --once --json --set events.backfill_interval=null",
    ],
    "status": ["inkstream status tables", "inkstream status s3://bucket/tables --json"],
    "retry": [
        "inkstream retry tables --dry-run",
        "inkstream retry tables --kind timeout --set execution.limits.page_seconds=600",
    ],
    "reprocess": [
        "inkstream reprocess tables letters.yaml --dry-run",
        "inkstream reprocess tables --path 'a*.pdf' --set pipeline.render.resolution=400",
    ],
    "diff": ["inkstream diff tables --from 1", "inkstream diff tables --from 1 --to 2 --path '*.pdf' --json"],
    "forget": ["inkstream forget tables inbox/letter.png", "inkstream forget tables 'letter*' --dry-run"],
    "show": ["inkstream show tables", "inkstream show tables --version 1 --limit 100 --json"],
    "ocr": [
        "inkstream ocr inbox/letter.png",
        "inkstream ocr inbox/letter.png --format json --set pipeline.recognize.page_seg_mode=6",
        "inkstream ocr inbox/letter.png --format pdf --output letter.pdf",
        "inkstream ocr inbox/minutes.pdf --pages 1,last",
    ],
    "export": [
        "inkstream export tables --format hocr --output hocr",
        "inkstream export tables --format pdf --output searchable --path '*.pdf' --version 1 --json",
    ],
    "doctor": [
        "inkstream doctor",
        "inkstream doctor letters.yaml",
        "inkstream doctor --source s3://bucket/inbox --sink s3://bucket/tables --json",
    ],
    "config schema": ["inkstream config schema > inkstream.schema.json"],
    "config check": ["inkstream config check letters.yaml", "inkstream config check letters.yaml --json"],
    "config show": ["inkstream config show letters.yaml", "inkstream config show --preset ocr-regions --changed"],
    "maintain": ["inkstream maintain tables --dry-run", "inkstream maintain s3://bucket/tables --retention 7d --json"],
    "demo": ["inkstream demo", "inkstream demo --folder elsewhere --prefect off"],
}

NOTES = {
    "run": "[Run on a folder or bucket](../how-to/run-on-a-folder.md), [progress as JSON](progress-json.md).",
    "retry": "[Retry and reprocess](../how-to/retry-and-reprocess.md).",
    "reprocess": "[Retry and reprocess](../how-to/retry-and-reprocess.md).",
    "diff": "[Compare two versions](../how-to/compare-two-versions.md).",
    "forget": "[Forget a document](../how-to/forget-a-document.md).",
    "maintain": "[Maintain a table](../how-to/maintain-a-table.md).",
    "show": "Version 0 is the empty table; each commit makes the next.",
    "config schema": "[Write a configuration file](../how-to/write-a-configuration-file.md).",
    "config check": "Exit with 2 if there is a mistake.",
    "status": "[See how a stream stands](../how-to/see-how-a-stream-stands.md).",
    "ocr": "Text goes to standard output, with a form feed between pages; failures and notes go to standard error. "
    "[The formats](../how-to/export-documents.md).",
    "export": "[Export hOCR, ALTO and searchable PDF](../how-to/export-documents.md).",
}


def configuration() -> str:
    """Return `configuration.md`."""
    schema = StreamConfig.model_json_schema()
    sections = "\n".join(_section(schema, schema, ""))
    presets = "".join(
        f"\n`{name}`:\n\n```yaml\n{yaml.safe_dump(dict(layer), sort_keys=False)}```\n"
        for name, layer in PRESETS.items()
    )
    return f"{CONFIGURATION}{sections}\n## Presets\n{presets}"


def _section(schema: dict[str, Any], model: dict[str, Any], prefix: str) -> Iterator[str]:
    yield f"## `{prefix.rstrip('.')}`\n" if prefix else "## The stream\n"
    yield f"{model['description']}\n"
    yield "| option | type | default | meaning |\n|---|---|---|---|"
    inner = []
    for name, field in model["properties"].items():
        target = _model_of(schema, field)
        if target is not None:
            inner.append((f"{prefix}{name}.", target))
        default = _default(field, name in model.get("required", []), target is not None)
        meaning = field["description"] + (f": [below](#{prefix}{name})".replace(".", "") if target is not None else "")
        yield f"| `{prefix}{name}` | {_type(schema, field)} | {default} | {meaning} |"
    yield ""
    for below, target in inner:
        yield from _section(schema, target, below)


def _resolve(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    reference = field.get("$ref")
    resolved: dict[str, Any] = schema["$defs"][reference.rpartition("/")[2]] if reference else field
    return resolved


def _model_of(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any] | None:
    choices = (_resolve(schema, choice) for choice in field.get("anyOf", [field]))
    return next((choice for choice in choices if "properties" in choice), None)


def _type(schema: dict[str, Any], field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(schema, choice) for choice in field["anyOf"])
    kind = _resolve(schema, field)
    if "properties" in kind:
        return "section"
    if "enum" in kind or "const" in kind:
        return ", ".join(f"`{choice}`" for choice in kind.get("enum", [kind.get("const")]))
    if kind["type"] == "array":
        return f"list of {_type(schema, kind['items'])}s"
    if kind["type"] == "object":
        return f"mapping to {_type(schema, kind['additionalProperties'])}s"
    return str(kind.get("format", kind["type"])) + _bounds(kind)


def _bounds(kind: dict[str, Any]) -> str:
    low, high, above = kind.get("minimum"), kind.get("maximum"), kind.get("exclusiveMinimum")
    if above is not None:
        return f" over {above:g}"
    if low is None:
        return ""
    return f" from {low:g}" + (f" to {high:g}" if high is not None else "")


def _default(field: dict[str, Any], required: bool, section: bool) -> str:
    if required:
        return "" if section else "required"
    value = field["default"]
    if section:
        return "`null`" if value is None else ""
    return f"`{_duration(value) or yaml.safe_dump(value, default_flow_style=True).partition(chr(10))[0]}`"


def _duration(value: object) -> str | None:
    """Return a default in ISO 8601, as JSON has it, the way people write it; None if it is not a duration."""
    is_duration = isinstance(value, str) and re.fullmatch(r"P(\d+D)?(T[\d.HMS]+)?", value)
    return format_duration(TypeAdapter(timedelta).validate_python(value)) if is_duration else None


def command_line() -> str:
    """Return `cli.md`."""
    commands = _commands(typer.main.get_command(app), "")
    pages = "\n".join("\n".join(_command(name, command)) for name, command in commands)
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    return f"{CLI}{pages}\n## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}"


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its whole name, such as `config check`."""
    for name, command in vars(group)["commands"].items():
        if "commands" in vars(command):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def _command(name: str, command: Any) -> Iterator[str]:
    what, _, _ = command.help.partition("Example:")
    given = [p for p in command.params if not p.opts[0].startswith("-")]
    usage = " ".join(["inkstream", name, "[OPTIONS]", *(_argument(p) for p in given)])
    yield f"## `{usage}`\n"
    yield " ".join(what.split()) + (f" {NOTES[name]}" if name in NOTES else "") + "\n"
    if command.params:
        yield "| | default | |\n|---|---|---|"
    for param in command.params:
        value = "" if param.default in (None, False) else f"`{getattr(param.default, 'value', param.default)}`"
        yield f"| `{_spelled(param, param in given)}` | {value} | {param.help} |"
    if command.params:
        yield ""
    yield "```console\n" + "\n".join(f"$ {example}" for example in EXAMPLES[name]) + "\n```\n"


def _argument(param: Any) -> str:
    name = str(param.metavar or param.name.upper())
    return name if param.required else f"[{name}]"


def _spelled(param: Any, positional: bool) -> str:
    if positional:
        return _argument(param)
    choices = getattr(getattr(param, "type_descriptor", None), "choices", None) or ()
    value = r"\|".join(str(getattr(choice, "value", choice)) for choice in choices) or "VALUE"
    return str(param.opts[0] if param.is_flag else f"{param.opts[0]} {param.metavar or value}")


PAGES = {"configuration.md": configuration, "cli.md": command_line}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (REFERENCE / page).write_text(make(), encoding="utf-8")
