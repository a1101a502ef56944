"""`StreamConfig`: one declaration of options for YAML files, Python, the command line and Prefect forms."""

from inkstream.tasks.config.build import (
    build_config,
    build_event_options,
    build_from,
    build_maintain_options,
    build_sink_options,
    examine,
    with_preset,
)
from inkstream.tasks.config.config_file import ConfigFile, load_config_file, parse_config_file
from inkstream.tasks.config.durations import Duration, format_duration, parse_duration
from inkstream.tasks.config.events import EventOptions
from inkstream.tasks.config.execution import ExecutionOptions
from inkstream.tasks.config.mistakes import Mistake
from inkstream.tasks.config.schema import editor_schema
from inkstream.tasks.config.sink import MaintainOptions, SinkOptions
from inkstream.tasks.config.source import SourceOptions, TriggerOptions
from inkstream.tasks.config.stream import PresetName, StreamConfig, StreamName
from inkstream.tasks.config.writing import plain, to_yaml

__all__ = [
    "ConfigFile",
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
    "build_event_options",
    "build_from",
    "build_maintain_options",
    "build_sink_options",
    "editor_schema",
    "examine",
    "format_duration",
    "load_config_file",
    "parse_config_file",
    "parse_duration",
    "plain",
    "to_yaml",
    "with_preset",
]
