"""How many processors a run may use."""

from __future__ import annotations

import os


def usable_cpus() -> int:
    """Return the number of processors of this machine, of this process's affinity or of its control group: the least.

    Without Dask, such as for `inkstream doctor` on a core installation, control groups are not looked at.
    """
    try:
        from dask.system import cpu_count
    except ImportError:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cpu_count())
