"""Code that all commands share: the help, the exit codes, and what is imported before there is work to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from inkstream.flows.cli.common import (
    EXIT_CODES,
    exit_codes,
    flag_overrides,
    read_config,
    read_config_file,
    read_partial_config,
)
from inkstream.ocr_core.errors import (
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    InkstreamError,
    TransientError,
)
from inkstream.tasks.config import ConfigFile
from tests.integration.command import inkstream

HEAVY = {"prefect", "distributed", "dask", "deltalake", "pyarrow", "numpy", "torch", "fsspec", "PIL"}


def test_help_lists_the_exit_codes() -> None:
    shown = " ".join(inkstream("--help").stdout.split())
    for code in EXIT_CODES:
        assert f"{code}: " in shown


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "inkstream", *words], capture_output=True, text=True, check=True
    )
    imported = set(re.findall(r"\| +(\w+)$", process.stderr, re.MULTILINE))
    assert {"typer", "inkstream"} <= imported
    assert imported & HEAVY == set()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 2),
        (DocumentError(FailureKind.CORRUPT, "damaged"), 3),
        (EnvironmentFault("no tesseract", "install it"), 4),
        (TransientError("throttled"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_becomes_a_message_and_an_exit_code(
    error: InkstreamError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, exit_codes():
        raise error
    assert ended.value.exit_code == code
    assert capsys.readouterr().err.startswith("inkstream: ")


def test_flags_are_overrides_that_survive_yaml() -> None:
    given = {"source.url": "in: [1]", "trigger.max_files_per_trigger": 3, "stream": None}
    assert flag_overrides(given) == ['source.url="in: [1]"', "trigger.max_files_per_trigger=3"]


def test_a_missing_place_is_filled_in_with_an_example() -> None:
    built, examples = read_partial_config(ConfigFile("", {}, {}), None, ["source.url=in"])
    assert (built.source.url, built.sink.url) == ("in", "tables")
    assert examples == {"sink.url": "tables"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "no source and no sink is given; give --source and --sink, or a configuration file with them"),
        (["source.url=in"], "no sink is given; give --sink, or a configuration file with them"),
        (["source.url=in", "source.globb=x"], "source.globb: unknown option; did you mean 'glob'?\nsink: required"),
    ],
)
def test_an_error_about_missing_places_alone_names_their_flags(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(None, None, overrides)
    assert str(caught.value).startswith(message)


def test_an_unreadable_configuration_file_is_a_config_error(tmp_path: Path) -> None:
    assert read_config_file(None).options == {}
    (tmp_path / "latin.yaml").write_bytes(b"stream: caf\xe9\n")
    for path in (tmp_path / "none.yaml", tmp_path / "latin.yaml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_config_file(path)
