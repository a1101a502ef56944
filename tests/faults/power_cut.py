"""Power cuts: the sink is on a loop device whose file system is shut down without flushing its log, and mounted again.

    sudo .venv/bin/python -m tests.faults.power_cut [--rounds 20] [--files 24] [--kind ext4|xfs] [--json FILE]

Writes that are not durable at the cut are lost, as when the power fails. Each round runs a stream, and some rounds a
second command beside it, until some batches are committed, and cuts. Then one run that is left alone has to bring back
every page, each once. The rounds take turns with both table formats, and with `source.clean_source`. At the end, a
control that makes nothing durable has to lose documents.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.generators import text_image

KINDS = ("ext4", "xfs")
_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2
_MEGABYTES = 320
"""Size of the device: XFS wants 300 MB."""
_COMMAND = [sys.executable, "-m", "inkstream"]
_BESIDE = (None, "maintain", None, "reprocess", None, "forget")


@dataclass(frozen=True, slots=True)
class PowerCut:
    """What one round found.

    Attributes:
        kind: The file system.
        table: The sink's format.
        clean: Whether documents are deleted when they are done.
        beside: The command that ran beside the stream.
        rows_before: Rows that were there at once after the cut.
        exit_code: Of the run after it.
        lost: Documents without a row at the end.
        gone: Those of them that are not in the source either.
        twice: Pages with more than one row.
    """

    kind: str
    table: str
    clean: bool
    beside: str | None
    rows_before: int
    exit_code: int
    lost: int
    gone: int
    twice: int

    @property
    def is_right(self) -> bool:
        """Whether every page is there once."""
        return (self.exit_code, self.lost, self.twice) == (0, 0, 0)


def why_not(kind: str) -> str | None:
    """Return why no power can be cut here; None if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a power cut needs root on Linux"
    if not shutil.which(f"mkfs.{kind}"):
        return f"mkfs.{kind} is not installed"
    with tempfile.TemporaryDirectory() as folder:
        disk = LoopDisk(Path(folder), kind)
        try:
            disk.format()
            with disk.mounted():
                disk.cut()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"loop devices are not allowed here: {error}"
    return None


class LoopDisk:
    """A file system in a file.

    Args:
        folder: Where the file and the mount point are made.
        kind: `ext4` or `xfs`.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self.root = folder / "mount"
        self._image = folder / "image"
        self.root.mkdir()

    def format(self) -> None:
        """Make it empty."""
        with self._image.open("wb") as image:
            image.truncate(_MEGABYTES << 20)
        force = ["-f"] if self.kind == "xfs" else []
        _run(f"mkfs.{self.kind}", "-q", *force, str(self._image))

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:
        """Mount it, which replays its journal; unmount it when nothing uses it any more."""
        _run("mount", "-o", "loop", str(self._image), str(self.root))
        try:
            yield
        finally:
            until = time.monotonic() + 60
            while subprocess.run(["umount", self.root], capture_output=True, check=False).returncode:
                if time.monotonic() > until:
                    _run("umount", "--lazy", str(self.root))
                    break
                time.sleep(0.1)

    def cut(self) -> None:
        """Cut the power: writes that are not durable are lost."""
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(descriptor)


def run_round(
    disk: LoopDisk,
    folder: Path,
    files: int,
    chance: random.Random,
    *,
    table: str,
    clean: bool,
    beside: str | None,
    durable: bool = True,
) -> PowerCut:
    """Run a stream, cut the power while it commits, and run it again.

    Args:
        disk: For the sink.
        folder: An empty folder on another disk.
        files: Number of documents.
        chance: Decides when to cut.
        table: The sink's format.
        clean: Whether documents are deleted when they are done.
        beside: A command to run beside the stream once half of the documents are in the table.
        durable: Whether the stream makes its commits durable.
    """
    source, sink = folder / "inbox", disk.root / "tables"
    source.mkdir()
    for number in range(files):
        text_image(f"file number {number:03}", (700, 160), 28).save(source / f"{number:03}.png")
    command = [*_COMMAND, "run", "--source", str(source), "--sink", str(sink), "--prefect", "off", "--json"]
    command += ["--max-files-per-trigger", "2", "--set", f"sink.format={table}"]
    command += ["--set", f"sink.durable={str(durable).lower()}", "--set", "execution.workers=1"]
    command += ["--set", "source.clean_source=delete"] if clean else []
    disk.format()
    with disk.mounted():
        _run_until_cut(disk, command, chance.randrange(1, files // 2), _beside(beside, sink, files), chance.random())
    with disk.mounted():
        rows_before = sum(_rows(sink).values())
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        rows = _rows(sink)
        paths = {path for path, _ in rows}
        left = {path.name for path in source.iterdir()}
        lost = [f"{number:03}.png" for number in range(files) if f"{number:03}.png" not in paths]
        gone = sum(name not in left for name in lost)
        twice = sum(count - 1 for count in rows.values())
    return PowerCut(disk.kind, table, clean, beside, rows_before, again.returncode, len(lost), gone, twice)


def _beside(name: str | None, sink: Path, files: int) -> list[str] | None:
    more = {
        "maintain": ["--retention", "24h"],
        "reprocess": ["--path", f"*{files // 4:03}.png", "--prefect", "off"],
        "forget": ["--path", "*000.png", "--yes"],
    }
    return [*_COMMAND, name, str(sink), *more[name]] if name else None


def _run_until_cut(disk: LoopDisk, command: list[str], batches: int, beside: list[str] | None, delay: float) -> None:
    """Run the stream until it has committed some batches, and a moment longer."""
    stream = subprocess.Popen(
        [*command, "--every", "1s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    other: subprocess.Popen[str] | None = None
    try:
        assert stream.stdout is not None
        committed = 0
        for line in stream.stdout:
            committed += '"batchId"' in line
            if committed >= max(1, batches // 2) and beside and other is None:
                other = subprocess.Popen(
                    beside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True
                )
            if committed >= batches:
                break
        time.sleep(delay)  # the moment is part of the experiment
        disk.cut()
    finally:
        for process in filter(None, (stream, other)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if stream.stdout is not None:
            stream.stdout.close()


def _rows(sink: Path) -> Counter[tuple[str, int | None]]:
    """Count the rows of each page, by file name and page."""
    shown = subprocess.run(
        [*_COMMAND, "show", str(sink), "--json", "--limit", "100000"], capture_output=True, text=True, check=False
    )
    rows = [json.loads(line) for line in shown.stdout.splitlines() if line.startswith("{")]
    return Counter((row["path"].rpartition("/")[2], row.get("pagenum")) for row in rows)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> int:
    """Run the rounds and the control; return 1 if a round was wrong, or the control lost nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--kind", choices=KINDS, default="ext4")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    reason = why_not(arguments.kind)
    if reason:
        print(f"skipped: {reason}")
        return 0
    chance = random.Random(arguments.seed)
    ways = itertools.cycle(itertools.product(("delta", "parquet"), (False, True)))
    found: list[PowerCut] = []
    for number in range(arguments.rounds):
        table, clean = next(ways)
        beside = _BESIDE[number // 4 % len(_BESIDE)] if table == "delta" and not clean else None
        found.append(one_round(arguments.kind, arguments.files, chance, table=table, clean=clean, beside=beside))
        print(f"round {number}: {'right' if found[-1].is_right else 'WRONG'} {asdict(found[-1])}", flush=True)
    control = [
        one_round(arguments.kind, arguments.files, chance, table="delta", clean=True, beside=None, durable=False)
        for _ in range(max(2, arguments.rounds // 10))
    ]
    wrong = sum(not each.is_right for each in found)
    gone = sum(each.gone for each in control)
    print(f"seed {arguments.seed}: {len(found)} power cuts on {arguments.kind}, {wrong} wrong; the control lost {gone}")
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"rounds": [asdict(e) for e in found], "control": [asdict(e) for e in control]})
        )
    return 0 if not wrong and gone else 1


def one_round(
    kind: str, files: int, chance: random.Random, *, table: str, clean: bool, beside: str | None, durable: bool = True
) -> PowerCut:
    """Run a round in folders of its own."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        disk = LoopDisk(Path(first), kind)
        return run_round(disk, Path(second), files, chance, table=table, clean=clean, beside=beside, durable=durable)


if __name__ == "__main__":
    sys.exit(main())
