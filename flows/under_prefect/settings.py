"""Decides whether a run goes through Prefect, without importing Prefect, which takes a second."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Literal, get_args

from inkstream.flows.under_prefect.surroundings import (
    bypass_proxies_on_loopback,
    lend_folders,
    missing_folder,
    profiles_file,
    require_usable_proxies,
)
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, TransientError
from inkstream.ocr_core.installation import require_extra

_SETTINGS_FILES = ("prefect.toml", ".env")

PrefectMode = Literal["auto", "on", "off"]
"""Whether a run goes through Prefect: always, never, or if a Prefect API is configured."""


class PrefectGoneError(TransientError):
    """The Prefect API stopped answering during a run."""


def goes_through_prefect(mode: PrefectMode) -> bool:
    """Return whether a run in this mode goes through Prefect.

    Raises:
        ConfigError: If it is not one of the modes.
    """
    answers = {"on": lambda: True, "off": lambda: False, "auto": api_configured}
    if mode not in answers:
        raise ConfigError(f"prefect={mode!r} is not a mode; use one of {', '.join(get_args(PrefectMode))}")
    return answers[mode]()


def api_configured() -> bool:
    """Return whether a Prefect API is configured: by environment, profile, `prefect.toml` or `.env`.

    Prefect is imported only if there is a file that could hold the setting.
    """
    if os.environ.get("PREFECT_API_URL"):
        return True
    if profiles_file() is None and not any(os.path.exists(name) for name in _SETTINGS_FILES):  # noqa: PTH110 - no errors
        return False
    if find_spec("prefect") is None:
        return False
    lend_folders()
    from prefect.settings import get_current_settings

    return get_current_settings().api.url is not None


def reach_server() -> None:
    """Make sure that a Prefect API answers: the configured one, or else Prefect's embedded server.

    Prefect would start the embedded server at its first request, and the terminal's Ctrl-C would end it before the flow
    run can report that it crashed. Started here, it is shielded from Ctrl-C; Prefect ends it when this process exits.

    Raises:
        EnvironmentFault: If Prefect is not installed, the embedded server does not start or has no place for its
            database, or the environment's proxies cannot be used.
        TransientError: If the configured API does not answer.
    """
    if api_configured():
        require_answer()
        return
    require_prefect()
    from prefect.server.api.server import SubprocessASGIServer

    from inkstream.tasks.work.interrupts import interrupts_held

    with interrupts_held():
        try:
            SubprocessASGIServer().start()
        except (RuntimeError, OSError) as error:
            raise EnvironmentFault(
                f"Prefect's embedded server does not start ({error}); nothing was read",
                "run `prefect server start` to see why, or run with --prefect off",
            ) from error


def require_answer() -> str:
    """Return the URL of the configured Prefect API.

    Raises:
        MissingPackageError: If Prefect is not installed.
        TransientError: If the API does not answer.
    """
    require_prefect()
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        error = client.api_healthcheck()
        if error is not None:
            raise TransientError(
                f"the Prefect API at {client.api_url} does not answer ({error}); "
                "start it, correct PREFECT_API_URL, or run with --prefect off"
            )
        return str(client.api_url)


def require_prefect() -> None:
    """Check that Prefect is installed and can be used, and prepare this process for it.

    Raises:
        EnvironmentFault: If Prefect is not installed, its server would have no place for its database, or the
            environment's proxies cannot be used.
    """
    require_extra("prefect", "a run under Prefect")
    bypass_proxies_on_loopback()
    problem = missing_folder()
    if problem is not None and not api_configured():
        raise EnvironmentFault(
            f"Prefect's own server has no place for its database: {problem}; nothing was read",
            "set PREFECT_HOME to a folder that this user can write, or run with --prefect off",
        )
    lend_folders()
    require_usable_proxies()


def use_embedded_server() -> None:
    """Set the environment variables of Prefect's embedded server in this process, before Prefect is imported.

    Variables that the user has set are kept.

    Raises:
        MissingPackageError: If Prefect is not installed.
    """
    require_prefect()
    defaults = {
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
