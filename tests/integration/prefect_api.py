"""Sends requests to a Prefect server over HTTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.integration.conftest import PrefectServer

INTERRUPT = "Execution was aborted by an interrupt signal."
"""Prefect's state message of a run that Ctrl-C ended."""


def ask(url: str, body: object = None, method: str | None = None) -> Any:
    """Return the JSON that a server answers; ask again, like Prefect's client, while its database is busy.

    A question that got no answer is asked again, too: a server on a busy machine may drop one. A request that changes
    something is not sent twice.
    """
    is_question = body is None or url.endswith("/filter")
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, headers={"Content-Type": "application/json"}, method=method)
    end = time.monotonic() + 120
    while True:
        try:
            with urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            with error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > end:
                    raise
            time.sleep(0.5)
        except TimeoutError:
            if not is_question or time.monotonic() > end:
                raise


def post(server: PrefectServer, path: str, body: object) -> Any:
    """Post JSON and return the answer."""
    return ask(server.url + path, body)


def runs_of(server: PrefectServer, deployment_id: str) -> list[dict[str, Any]]:
    """Return the runs of a deployment, including scheduled ones."""
    wanted = {"flow_runs": {"deployment_id": {"any_": [deployment_id]}}}
    runs: list[dict[str, Any]] = post(server, "/flow_runs/filter", wanted)
    return runs


def states_of(server: PrefectServer, deployment_id: str) -> set[str]:
    """Return the types of the states that the runs of a deployment are in."""
    return {run["state_type"] for run in runs_of(server, deployment_id)}


def logged(server: PrefectServer, runs: list[str]) -> str:
    """Return the first log lines of some runs."""
    lines = post(server, "/logs/filter", {"logs": {"flow_run_id": {"any_": runs}}, "limit": 200})
    return "\n".join(line["message"] for line in lines)


def patch(server: PrefectServer, path: str, body: dict[str, Any]) -> None:
    """Send a PATCH request with JSON."""
    ask(server.url + path, body, "PATCH")


def deployment(server: PrefectServer, flow: str, name: str) -> dict[str, Any]:
    """Return a deployment by its flow's name and its own."""
    answer: dict[str, Any] = ask(f"{server.url}/deployments/name/{flow}/{name}")
    return answer


def trigger(server: PrefectServer, deployment_id: str) -> str:
    """Start a run of a deployment and return its id."""
    return str(post(server, f"/deployments/{deployment_id}/create_flow_run", {})["id"])


def state_of(server: PrefectServer, run_id: str) -> str:
    """Return the type of a flow run's state."""
    return str(ask(f"{server.url}/flow_runs/{run_id}")["state_type"])


def artifacts(server: PrefectServer, key: str) -> list[dict[str, Any]]:
    """Return the versions of an artifact, oldest first."""
    versions: list[dict[str, Any]] = post(
        server, "/artifacts/filter", {"artifacts": {"key": {"any_": [key]}}, "sort": "UPDATED_DESC"}
    )
    return sorted(versions, key=lambda artifact: str(artifact["created"]))


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Wait for a condition; fail with the message of `otherwise` after a timeout."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.3)


class Passage:
    """A port that forwards to another until it is closed, as if the server had gone away."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and accept no more."""
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
