"""Ends processes that tests have started."""

from __future__ import annotations

import subprocess


def end_process(process: subprocess.Popen[bytes], seconds: float = 60.0) -> bool:
    """Ask a process to end, and kill it if it does not.

    A server may wait without end for a client that was killed. Its test has passed all the same, and a process that
    stays behind would disturb the tests after it.

    Returns:
        Whether the process ended by itself.
    """
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True
