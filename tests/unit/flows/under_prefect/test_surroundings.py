"""Folders lent to Prefect, and proxies that do not stand between programs of one machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inkstream.flows.under_prefect.settings import api_configured, require_prefect
from inkstream.flows.under_prefect.surroundings import (
    bypass_proxies_on_loopback,
    lend_folders,
    missing_folder,
    prefect_folder,
    profiles_file,
    require_usable_proxies,
)
from inkstream.ocr_core.errors import EnvironmentFault

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter an environment without Prefect's settings and without proxies."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    for name in PROXIES:
        for variant in (name, name.upper()):
            monkeypatch.setenv(variant, "")
            monkeypatch.delenv(variant)  # after the setenv, so that monkeypatch restores the variable
    monkeypatch.setenv("PREFECT_HOME", "")
    monkeypatch.setenv("PREFECT_PROFILES_PATH", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have neither HOME nor an entry in the password file."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 123_456)


def test_programs_on_this_machine_are_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "intranet.example, localhost")
    bypass_proxies_on_loopback()
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "intranet.example,localhost,127.0.0.1,::1"


def test_without_a_proxy_the_environment_stays_as_it_is() -> None:
    bypass_proxies_on_loopback()
    assert "NO_PROXY" not in os.environ
    assert "no_proxy" not in os.environ


def test_a_bypass_of_all_proxies_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "*")
    bypass_proxies_on_loopback()
    assert os.environ["NO_PROXY"] == "*"


@pytest.mark.usefixtures("homeless")
def test_without_a_home_folder_no_api_is_configured_and_prefect_has_no_folder() -> None:
    assert not api_configured()
    assert prefect_folder() is None
    assert profiles_file() is None
    assert missing_folder() == "this user has no home folder"


@pytest.mark.usefixtures("homeless")
def test_without_a_home_folder_prefects_own_server_is_refused_with_a_remedy() -> None:
    with pytest.raises(
        EnvironmentFault, match=r"no place for its database: this user has no home folder(.|\n)*PREFECT_HOME"
    ):
        require_prefect()


@pytest.mark.usefixtures("homeless")
def test_without_a_home_folder_a_server_elsewhere_is_used_with_temporary_folders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example/api")
    require_prefect()
    assert Path.home().is_dir()
    assert missing_folder() is None


def test_a_home_folder_that_cannot_be_written_is_replaced_and_its_profiles_are_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles.toml").write_text("[profiles.default]\n")
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / ".prefect"))
    problem = missing_folder()
    assert problem is not None
    assert "cannot be written: Not a directory" in problem
    lend_folders()
    assert missing_folder() is None
    assert profiles_file() == tmp_path / "profiles.toml"


def test_a_home_folder_that_can_be_written_is_kept(tmp_path: Path) -> None:
    lend_folders()
    assert prefect_folder() == tmp_path / ".prefect"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "gopher://127.0.0.1:9"])
def test_a_proxy_that_the_client_cannot_use_is_refused_with_a_remedy(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(EnvironmentFault, match="ALL_PROXY"):
        require_usable_proxies()
