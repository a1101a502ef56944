"""`StreamConfig`: the YAML file, the Python API, the command line and the Prefect form, said once."""

from tasks.config.build import build_config, build_from, build_maintain_options, examine, with_preset
from tasks.config.document import Document, load_document, parse_document
from tasks.config.durations import Duration, format_duration, parse_duration
from tasks.config.events import EventOptions
from tasks.config.execution import ExecutionOptions
from tasks.config.mistakes import Mistake
from tasks.config.presets import PRESETS, PresetName
from tasks.config.schema import editor_schema
from tasks.config.sink import MaintainOptions, SinkOptions
from tasks.config.source import SourceOptions, TriggerOptions
from tasks.config.stream import StreamConfig, StreamName
from tasks.config.writing import plain, to_yaml

__all__ = [
    "PRESETS",
    "Document",
    "Duration",
    "EventOptions",
    "ExecutionOptions",
    "MaintainOptions",
    "Mistake",
    "PresetName",
    "SinkOptions",
    "SourceOptions",
    "StreamConfig",
    "StreamName",
    "TriggerOptions",
    "build_config",
    "build_from",
    "build_maintain_options",
    "editor_schema",
    "examine",
    "format_duration",
    "load_document",
    "parse_document",
    "parse_duration",
    "plain",
    "to_yaml",
    "with_preset",
]
