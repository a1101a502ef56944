"""Moto's server, changed so that it checks a condition and writes in one step, as a store must.

Unchanged, two of its threads may both find that an object does not exist, and both create it.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from moto import server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")


class OneAtATime(DomainDispatcherApplication):
    """The application, which handles one conditional request at a time."""

    _turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if any(name in environ for name in _CONDITIONS):
            with self._turn:
                return super().__call__(environ, start_response)
        return super().__call__(environ, start_response)


if __name__ == "__main__":
    vars(server)[DomainDispatcherApplication.__name__] = OneAtATime
    server.main(sys.argv[1:])
