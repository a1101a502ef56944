"""An S3 proxy between a client and a working server: it records the requests, and fails some on purpose.

    python -m tests.faults.s3_proxy PORT UPSTREAM LOG [--faults] [--seed N] [--lost-replies N]
        [--hold before|after] [--certificate FILE]

With `--faults`, 12 of every 50 requests fail: ten get a 500 or a 503, one a reset, and one a reset after a pause. Every
25th answer to a GET breaks off in the middle. The first N commits that land in a `pages` table get no reply, except for
every tenth, because a driver writes the log's checkpoint only if it knows of its commit. With `--hold`, the first such
commit gets no answer for as long as the proxy lives; with `after`, it lands. LOG has one line of JSON per request. It
is also an HTTP proxy: it forwards requests for any host to UPSTREAM, and keeps the name of the host.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.integration.servers import server

FAULTS = {"500": 5, "503": 5, "reset": 1, "stall": 1}
OF_REQUESTS = 50
CUT_SHORT = "cut short"
OF_ANSWERS = 25
LOST = "lost reply"
HELD = "held"
STALL_SECONDS = 1.0
_COMMIT = re.compile(r"/pages/_delta_log/\d{19}[0-8]\.json$")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing sends RST
_ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>made by the test</Message></Error>"
_SIGNED_BY = re.compile(r"Credential=([^/]+)/")
_OF_THE_CONNECTION = ("content-length", "transfer-encoding", "connection")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request.

    Attributes:
        method: Such as `GET`.
        path: With the query.
        outcome: The server's status, or the fault that replaced it.
        host: The host, as the client names it.
        key: The access key that signed it, or an empty string.
    """

    method: str
    path: str
    outcome: str
    host: str
    key: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy.

    Attributes:
        endpoint: Its URL.
        log: The file of its requests.
    """

    endpoint: str
    log: Path

    def requests(self) -> list[LoggedRequest]:
        """Return the requests so far."""
        return [LoggedRequest(**json.loads(line)) for line in self.log.read_text().splitlines()]

    def outcomes(self) -> Counter[str]:
        """Count the requests so far by outcome."""
        return Counter(request.outcome for request in self.requests())


@contextmanager
def s3_proxy(folder: Path, upstream: str, *options: str) -> Iterator[Proxy]:
    """Start a proxy in front of a server."""
    log = folder / "requests.jsonl"
    log.touch()
    with server(folder / "proxy.log", __name__, "{port}", upstream, str(log), *options) as address:
        yield Proxy(f"http://{address}", log)


class _Plan:
    """The plan of faults, and the log of requests."""

    def __init__(self, log: Path, seed: int, faults: bool, lost_replies: int, hold: str | None) -> None:
        self._random = random.Random(seed)
        self._faults = faults
        self._next: list[str | None] = []
        self._answers = 0
        self._lock = threading.Lock()
        self._left_to_lose = lost_replies
        self._hold = hold
        self._log = log.open("a", buffering=1)

    def fault(self) -> str | None:
        """Return the fault of the next request; None if it has none."""
        with self._lock:
            if self._faults and not self._next:
                faults = [name for name, count in FAULTS.items() for _ in range(count)]
                self._next = [*faults, *[None] * (OF_REQUESTS - len(faults))]
                self._random.shuffle(self._next)
            return self._next.pop() if self._next else None

    def cuts(self, method: str, status: int) -> bool:
        """Return whether the answer breaks off in the middle."""
        if not self._faults or method != "GET" or status not in (200, 206):
            return False
        with self._lock:
            self._answers += 1
            return self._answers % OF_ANSWERS == 0

    def loses(self, method: str, path: str, status: int) -> bool:
        """Return whether the reply to a successful request is lost."""
        if method != "PUT" or status != 200 or not _COMMIT.search(path):
            return False
        with self._lock:
            self._left_to_lose -= 1
            return self._left_to_lose >= 0

    def holds(self, method: str, path: str, when: str) -> bool:
        """Return whether a request is kept waiting forever `before` or `after` it is passed on."""
        if method != "PUT" or not _COMMIT.search(path):
            return False
        with self._lock:
            held = self._hold == when
            self._hold = None if held else self._hold
            return held

    def note(self, request: LoggedRequest) -> None:
        with self._lock:
            self._log.write(json.dumps(asdict(request)) + "\n")


class _Handler(BaseHTTPRequestHandler):
    """A handler that forwards requests, or fails them."""

    protocol_version = "HTTP/1.1"  # else it does not answer `Expect: 100-continue`
    disable_nagle_algorithm = True
    upstream = ""
    plan: _Plan
    _there: http.client.HTTPConnection | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        if self.path.startswith("http://"):  # the form of requests to a proxy
            self.path = "/" + self.path.split("/", 3)[3]
        body = self._body()
        fault = self.plan.fault()
        if fault is None:
            self._pass_on(body)
            return
        self._note(fault)
        if fault == "stall":
            time.sleep(STALL_SECONDS)
        if fault in ("stall", "reset"):
            self._hang_up()
        else:
            content = _ERROR.format("InternalError" if fault == "500" else "SlowDown").encode()
            self._reply(int(fault), [("Content-Type", "application/xml")], content, len(content))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        del self.headers["Transfer-Encoding"]
        return b"".join(parts)

    def _pass_on(self, body: bytes) -> None:
        if self.plan.holds(self.command, self.path, "before"):
            self._wait_forever()
        status, headers, content = self._ask(body)
        if self.plan.holds(self.command, self.path, "after"):
            self._wait_forever()
        if self.plan.loses(self.command, self.path, status):
            self._note(LOST)
            self._hang_up()
        elif self.plan.cuts(self.command, status):
            self._note(CUT_SHORT)
            self._reply(status, headers, content[: len(content) // 2], len(content))
            self._hang_up()
        else:
            self._note(str(status))
            self._reply(status, headers, content, len(content))

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        there = self._there or http.client.HTTPConnection(urlsplit(self.upstream).netloc)
        there.request(self.command, self.path, body, dict(self.headers.items()))
        answer = there.getresponse()
        content = answer.read()
        self._there = None if answer.will_close else there
        return answer.status, answer.getheaders(), content

    def _wait_forever(self) -> None:
        self._note(HELD)
        threading.Event().wait()

    def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes, length: int) -> None:
        self.send_response_only(status)
        received = {name.lower(): value for name, value in headers}
        for name, value in headers:
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        if status not in (204, 304):
            self.send_header("Content-Length", received.get("content-length", "0") if is_head else str(length))
        self.end_headers()
        if not is_head:
            self.wfile.write(content)
            self.wfile.flush()

    def _note(self, outcome: str) -> None:
        signed = _SIGNED_BY.search(self.headers.get("Authorization", ""))
        host = self.headers.get("Host", "").partition(":")[0]
        self.plan.note(LoggedRequest(self.command, self.path, outcome, host, signed[1] if signed else ""))

    def _hang_up(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: requests are in the log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up."""


def main() -> None:
    """Serve until the process is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("upstream")
    parser.add_argument("log", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--lost-replies", type=int, default=0)
    parser.add_argument("--hold", choices=("before", "after"))
    parser.add_argument("--certificate", type=Path, help="speak TLS, with this certificate and key in one file")
    options = parser.parse_args()
    _Handler.upstream = options.upstream
    _Handler.plan = _Plan(options.log, options.seed, options.faults, options.lost_replies, options.hold)
    listening = _Server(("127.0.0.1", options.port), _Handler)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    listening.serve_forever()


if __name__ == "__main__":
    main()
