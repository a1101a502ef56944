"""The time that `execution.overlap` saves: the same run with batches that overlap and batches that do not.

    python -m benchmarks.overlap [--rounds N] [--workers N] [--inkstream PATH]

Eight scanned documents of three pages, each a batch: the worst case for batches that wait for each other. The time runs
from the first batch's line of progress to the last one's, so it excludes start-up.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import Outcome, Setting, small_batches
from benchmarks.documents import make_documents


def main() -> None:
    """Run the rounds, starting with each way in turn, and print the seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--inkstream", default=str(Path(sys.executable).with_name("inkstream")))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkstream-overlap-") as folder:
        documents = Path(folder) / "documents"
        documents.mkdir()
        make_documents(documents)
        setting = Setting(sorted(documents.iterdir()), arguments.workers, None, shutil.which(arguments.inkstream))
        ratios = [_round(setting, Path(folder) / str(number), number) for number in range(arguments.rounds)]
    print(f"overlapping / waiting: median {statistics.median(ratios):.2f} (lower is better)")


def _round(setting: Setting, work: Path, number: int) -> float:
    seconds: dict[bool, float] = {}
    texts: dict[bool, dict[str, str]] = {}
    for overlap in (True, False) if number % 2 else (False, True):
        outcome: Outcome = small_batches(setting, work / str(overlap), overlap=overlap)
        seconds[overlap], texts[overlap] = outcome.work_seconds or 0.0, outcome.texts
    if texts[True] != texts[False]:
        raise RuntimeError("the two runs did not read the same text")
    print(f"round {number + 1}: waiting {seconds[False]:.1f} s, overlapping {seconds[True]:.1f} s")
    return seconds[True] / seconds[False]


if __name__ == "__main__":
    main()
