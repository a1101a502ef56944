"""Reading a Delta table in some threads of a process while others write to tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.places import ROOT

PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from inkstream.tasks.sinks.delta.engine import scan

FOLDER = sys.argv[1]
SCHEMA = pa.schema({"number": pa.int64()})


def write(name, times):
    for _ in range(times):
        batches = (pa.record_batch([pa.array(range(50))], SCHEMA) for _ in range(3))
        write_deltalake(f"{FOLDER}/{name}", pa.RecordBatchReader.from_batches(SCHEMA, batches), mode="append")


def read():
    table = DeltaTable(f"{FOLDER}/a")
    return {scan(table, "SELECT number FROM this WHERE number > 1 ORDER BY number").num_rows for _ in range(400)}


write("a", 8)
with ThreadPoolExecutor(5) as threads:
    writing = [threads.submit(write, name, 60) for name in "bcd"]
    reading = [threads.submit(read) for _ in range(2)]
    for each in writing:
        each.result()
    print(*(each.result() for each in reading))
"""


def test_reading_beside_writing_threads_does_not_deadlock(tmp_path: Path) -> None:
    """It runs in a process of its own: a deadlock holds the interpreter's lock, so that no timeout could end it.

    With an eighth of the work, the deadlock is often missed.
    """
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=200)
    assert (done.stdout, done.returncode) == ("{1152} {1152}\n", 0), done.stderr
