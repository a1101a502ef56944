"""`StreamConfig`: the YAML file, the Python API, the command line and the Prefect form, said once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from ocr_core.errors import ConfigError
from ocr_core.limits import LimitOptions
from ocr_core.options import Options, PipelineOptions

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> timedelta:
    """Reads `500ms`, `30s`, `5m`, `2h` or `7d`.

    Raises:
        ConfigError: If it is none of these.
    """
    match = _DURATION.match(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a duration; write 500ms, 30s, 5m, 2h or 7d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) and _DURATION.match(value) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
StreamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class SourceOptions(Options):
    """Where documents arrive."""

    url: str = Field(
        description="folder or bucket prefix: a local path, or a URL of a store named by bucket and path, such as s3",
        examples=["s3://bucket/inbox/"],
    )
    glob: str = Field("*", description="which file names are taken (the original's pathGlobFilter), case-sensitive")
    recursive: bool = Field(True, description="look into subfolders")
    latest_first: bool = Field(False, description="newest files first instead of oldest first")
    max_file_age: Duration | None = Field(
        None, description="leave out files older than this, seen from the newest file; null: take all"
    )
    stability_delay: Duration = Field(
        timedelta(0), description="leave a file for a later trigger until it has not changed for this long"
    )


class TriggerOptions(Options):
    """How much makes one batch."""

    max_files_per_trigger: int = Field(100, ge=1, description="files in one batch at most")
    max_bytes_per_trigger: int | None = Field(
        None, ge=1, description="bytes in one batch at most, but always at least one file; null: no such limit"
    )


class SinkOptions(Options):
    """Where the table lives."""

    url: str = Field(
        description="folder or bucket prefix that holds pages/, files/ and overlays/", examples=["s3://bucket/tables"]
    )
    format: Literal["delta"] = Field("delta", description="table format")


class ExecutionOptions(Options):
    """How pages are run."""

    scheduler: str | None = Field(
        None, description="address of a Dask scheduler, such as tcp://127.0.0.1:8786; null: a local cluster of this run"
    )
    workers: int | None = Field(None, ge=1, description="workers of the local cluster; null: one a core")
    pages_per_range: int = Field(8, ge=1, description="pages of one file that are processed in one go")
    window_per_worker: int = Field(3, ge=1, description="page ranges in flight for each worker")
    max_read_attempts: int = Field(
        3,
        ge=1,
        description="tries of a page range that meets a passing fault, before its file is left for the next trigger",
    )
    worker_wait_seconds: float = Field(
        60.0, gt=0, description="seconds to wait for a worker while there is none, before giving up for now"
    )
    limits: LimitOptions = Field(LimitOptions(), description="what one page or file may cost")


class StreamConfig(Options):
    """Everything about one stream."""

    stream: StreamName = Field("main", description="name of the stream; a file version is done once per stream")
    source: SourceOptions = Field(description="where documents arrive")
    trigger: TriggerOptions = Field(TriggerOptions(), description="how much makes one batch")
    pipeline: PipelineOptions = Field(PipelineOptions(), description="what happens to a page")
    sink: SinkOptions = Field(description="where the table lives")
    execution: ExecutionOptions = Field(ExecutionOptions(), description="how pages are run")


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ocr-streaming": {
        "trigger": {"max_files_per_trigger": 4},
        "pipeline": {"text_layer": {"mode": "ignore"}, "recognize": {"confidence_threshold": 60}},
    },
    "ocr-regions": {
        "pipeline": {
            "text_layer": {"mode": "ignore"},
            "preprocess": {"binarize": {"method": "threshold", "threshold": 170}},
            "detect": {"level": "block"},
            "recognize": {"per_region": True, "page_seg_mode": 6, "iterator_level": "block"},
        },
    },
}
"""The two pipelines of the original's streaming card, as layers under what the user writes."""


def build_config(
    document: Mapping[str, Any] | None = None, *, preset: str | None = None, overrides: Iterable[str] = ()
) -> StreamConfig:
    """Builds a configuration from its layers, later ones winning: preset, document, overrides.

    Args:
        document: The parsed YAML file; it may name a `preset:` itself.
        preset: A name from `PRESETS`; wins over the document's own.
        overrides: `a.b=value` strings, values read as YAML.

    Raises:
        ConfigError: With one line for each mistake, naming the nearest known key where a key is unknown.
    """
    layers = dict(document or {})
    name = preset or layers.pop("preset", None)
    layers.pop("preset", None)
    if name is not None and name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}{_nearest(str(name), PRESETS)}; there are: {', '.join(PRESETS)}")
    merged = _merge(PRESETS[name] if name else {}, layers)
    for override in overrides:
        merged = _merge(merged, _parse_override(override))
    try:
        return StreamConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(item) for item in error.errors())) from None


def load_document(text: str, where: str) -> dict[str, Any]:
    """Parses a YAML configuration file's text.

    Raises:
        ConfigError: If it is not YAML, or not a mapping.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{where}: expected a mapping of options, found a {type(document).__name__}")
    return document


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _parse_override(override: str) -> dict[str, Any]:
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override!r}: expected KEY=VALUE, such as --set trigger.max_files_per_trigger=4")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        nested = value  # such as source.glob=*.pdf, where YAML sees an alias
    for part in reversed(key.strip().split(".")):
        nested = {part: nested}
    return dict(nested)


def _explain(item: Any) -> str:
    location = [str(part) for part in item["loc"]]
    path = ".".join(location)
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown option{_nearest(location[-1], _known_keys(location[:-1]))}"
    if item["type"] == "missing":
        return f"{path}: required, and not given"
    return f"{path}: {item['msg']} (given: {item['input']!r})"


def _known_keys(location: list[str]) -> list[str]:
    model: type[Options] | None = StreamConfig
    for part in location:
        field = model.model_fields.get(part) if model else None
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, Options)), None)
    return list(model.model_fields) if model else []


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
