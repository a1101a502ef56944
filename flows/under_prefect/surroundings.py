"""Prepares this process for Prefect on a machine without a home folder, with a read-only one, or behind a proxy."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_PROXY = ("no_proxy", "NO_PROXY")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def bypass_proxies_on_loopback() -> None:
    """Let programs on this machine be reached directly although the environment names a proxy.

    The variables of this process are changed, and with them those of its children. Without a proxy nothing changes.
    """
    environment = {name.lower() for name, value in os.environ.items() if value}
    if environment.isdisjoint(_PROXIES):
        return
    given = next((os.environ[name] for name in _NO_PROXY if os.environ.get(name)), "")
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in _LOOPBACK if host not in hosts]
    for name in _NO_PROXY:
        os.environ[name] = ",".join(hosts)


def prefect_folder() -> Path | None:
    """Return the folder of Prefect's settings and database; None if this user has no home folder."""
    try:
        return Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    except RuntimeError:
        return None


def profiles_file() -> Path | None:
    """Return the file of Prefect's profiles; None if there is none."""
    given, home = os.environ.get("PREFECT_PROFILES_PATH"), prefect_folder()
    try:
        file = Path(given).expanduser() if given else home and home / "profiles.toml"
        return file if file is not None and file.is_file() else None
    except (RuntimeError, OSError):
        return None


def lend_folders() -> None:
    """Give Prefect temporary folders in place of those that this user lacks, before Prefect is imported.

    Prefect cannot be imported without a home folder. With a server elsewhere it keeps nothing there that is needed
    later. The profiles of a home folder that cannot be written are still read.
    """
    problem, profiles = missing_folder(), profiles_file()
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = _temporary_folder()
    if problem is None:
        return
    if profiles is not None:
        os.environ["PREFECT_PROFILES_PATH"] = str(profiles)
    os.environ["PREFECT_HOME"] = _temporary_folder()


def missing_folder() -> str | None:
    """Return why Prefect's folder cannot be used on this machine; None if it can."""
    folder = prefect_folder()
    if folder is None:
        return "this user has no home folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"


def require_usable_proxies() -> None:
    """Check that Prefect's client can use the proxies of the environment.

    Raises:
        EnvironmentFault: If a proxy's URL is not valid, or its protocol needs a package that is not installed.
    """
    import httpx

    try:
        httpx.Client(verify=False).close()  # noqa: S501 - no request is made
    except ImportError:
        raise EnvironmentFault(
            "the environment names a SOCKS proxy, and Prefect's client needs the package socksio for it",
            f"{package_command('socksio')}, or unset ALL_PROXY, HTTP_PROXY and HTTPS_PROXY",
        ) from None
    except (ValueError, httpx.InvalidURL) as error:
        raise EnvironmentFault(
            f"Prefect's client cannot use the proxy settings of the environment: {error}",
            "correct or unset ALL_PROXY, HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
        ) from None


def _temporary_folder() -> str:
    """Return a new private folder that is removed when this process exits."""
    folder = tempfile.mkdtemp(prefix="inkstream-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
