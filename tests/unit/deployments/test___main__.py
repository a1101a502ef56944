"""`python -m inkstream.deployments`, from another working directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint

from inkstream.deployments import __main__ as command
from inkstream.tasks.config import build_config

FILES = ["on-arrival.yaml", "prefect.yaml"]


def deployments(*arguments: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command_line = [sys.executable, "-m", "inkstream.deployments", *arguments]
    process = subprocess.run(command_line, cwd=cwd, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr
    return process


def test_without_arguments_the_folder_of_the_files_is_printed(tmp_path: Path) -> None:
    folder = Path(deployments(cwd=tmp_path).stdout.strip())
    assert sorted(path.name for path in folder.glob("*.yaml")) == FILES


def test_files_are_copied_but_never_over_existing_ones(tmp_path: Path) -> None:
    copied = deployments("mine/prefect", cwd=tmp_path)
    assert copied.stdout.splitlines() == [f"mine/prefect/{name}" for name in FILES]
    edited = tmp_path / "mine/prefect/prefect.yaml"
    edited.write_text("mine")
    (tmp_path / "mine/prefect/on-arrival.yaml").unlink()
    refused = deployments("mine/prefect", cwd=tmp_path, code=2)
    assert "mine/prefect/prefect.yaml already exists, so nothing was copied" in refused.stderr
    assert [path.read_text() for path in edited.parent.iterdir()] == ["mine"]


def deployment_entries() -> list[Any]:
    files = [yaml.safe_load((command.FOLDER / name).read_text()) for name in FILES]
    return [(deployment["entrypoint"], deployment) for file in files for deployment in file["deployments"]]


@pytest.mark.parametrize(("entrypoint", "deployment"), deployment_entries())
def test_each_deployment_names_an_existing_flow_and_its_parameters(entrypoint: str, deployment: dict[str, Any]) -> None:
    assert entrypoint.startswith("inkstream.flows.under_prefect.")
    flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint)
    given = deployment["parameters"]
    required = {name for name in flow.parameters.required or () if name not in ("bucket", "key")}
    assert required <= given.keys() <= flow.parameters.properties.keys()
    if "config" in given:
        text = yaml.safe_dump(given["config"])
        for name, value in (("SOURCE", "s3://b/in"), ("SINK", "s3://b/out"), ("QUEUE", "https://sqs/1/q")):
            text = text.replace("{{ $INKSTREAM_" + name + " }}", value)
        assert build_config(yaml.safe_load(text)).stream == "main"
