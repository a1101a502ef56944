"""A Dask worker preload: reading a file with a certain name harms the worker as the test wants.

`INKSTREAM_TEST_POISON` names files that kill it, as a fault below Python would. `INKSTREAM_TEST_FAULT` names files for
which the machine lacks something. `INKSTREAM_TEST_HELD` names files that are opened only when the file
`INKSTREAM_TEST_RELEASE` exists (or after a minute, when the test has failed anyway).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from inkstream.ocr_core.errors import EnvironmentFault

NOTHING = "\0"


def dask_setup(worker: object) -> None:
    """Install the poison as an audit hook, which sees every `open` before it happens."""
    del worker
    deadly, lacking, held = (os.environ.get(f"INKSTREAM_TEST_{name}", NOTHING) for name in ("POISON", "FAULT", "HELD"))
    release = Path(os.environ.get("INKSTREAM_TEST_RELEASE", "/"))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open":
            return
        name = str(arguments[0])
        if name.endswith(deadly):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.endswith(lacking):
            raise EnvironmentFault("this machine cannot read that", "read it elsewhere")
        if name.endswith(held):
            end = time.monotonic() + 60
            while not release.exists() and time.monotonic() < end:
                time.sleep(0.02)

    sys.addaudithook(hook)
