"""Whether a run goes through Prefect, decided without importing Prefect."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from inkstream.flows.under_prefect.settings import (
    PrefectMode,
    api_configured,
    goes_through_prefect,
    use_embedded_server,
)
from inkstream.ocr_core.errors import ConfigError


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter an environment and a folder in which nothing is configured."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_runs_use_prefect_if_told_to_or_if_an_api_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert goes_through_prefect("on")
    assert not goes_through_prefect("off")
    assert not goes_through_prefect("auto")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert goes_through_prefect("auto")
    assert not goes_through_prefect("off")


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="prefect='yes' is not a mode; use one of auto, on, off"):
        goes_through_prefect(cast(PrefectMode, "yes"))


def test_a_settings_file_without_an_api_url_configures_no_api(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text("[logging]\nlevel = 'WARNING'\n")
    assert not api_configured()


def test_the_embedded_server_keeps_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DO_NOT_TRACK", "PREFECT_LOGGING_LEVEL"):
        monkeypatch.setenv(name, "mine")
    for name in ("PREFECT_SERVER_EPHEMERAL_ENABLED", "PREFECT_CLI_PROMPT", "PREFECT_SERVER_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)  # after the setenv, so that monkeypatch restores the variable
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "1")
    use_embedded_server()
    assert (os.environ["DO_NOT_TRACK"], os.environ["PREFECT_LOGGING_LEVEL"]) == ("mine", "mine")
    assert os.environ["PREFECT_SERVER_EPHEMERAL_ENABLED"] == "true"
    assert os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "1"
