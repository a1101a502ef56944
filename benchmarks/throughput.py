"""Pages per second of the bare loop, xargs, OCRmyPDF and Inkstream on the same 24 scanned pages.

    python -m benchmarks.throughput [--rounds N] [--json FILE] [--ocrmypdf PATH] [--inkstream PATH]

All contenders run in every round, each round in another order, so that a busy machine slows all of them.
The time of a contender that did not read the pages does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.contenders import Contender, NotInstalledError, Outcome, Setting
from benchmarks.documents import FILES, PAGES_PER_FILE, make_documents

CONTENDERS: dict[str, Contender] = {
    "bare loop": contenders.bare_loop,
    "xargs": contenders.xargs,
    "OCRmyPDF": contenders.ocrmypdf,
    "inkstream": contenders.inkstream,
    "inkstream, steady": contenders.inkstream_steady,
}
PAGES = FILES * PAGES_PER_FILE
MIN_RECALL = 0.9
"""Fraction of the words on the pages that a contender must find for its time to count."""


@dataclass(frozen=True)
class Figure:
    """One time of one contender in one round.

    Attributes:
        row: The table row that it belongs to.
        seconds: Wall time.
        ratio: Relative to the bare loop in the same round, both with or both without start-up.
        recall: Fraction of the words found.
    """

    row: str
    seconds: float
    ratio: float
    recall: float


def main() -> None:
    """Run the rounds and print the table."""
    arguments = _arguments()
    truth = make_documents(arguments.documents)
    setting = Setting(
        documents=[arguments.documents / name for name in sorted(truth)],
        workers=arguments.workers,
        ocrmypdf=arguments.ocrmypdf or shutil.which("ocrmypdf"),
        inkstream=arguments.inkstream
        or shutil.which("inkstream", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
    )
    chosen = {name: run for name, run in CONTENDERS.items() if name == "bare loop" or name in arguments.only}
    rounds: list[dict[str, Outcome]] = []
    problems: dict[str, str] = {}
    for number in range(arguments.rounds):
        outcomes: dict[str, Outcome] = {}
        for name in _order(list(chosen), number):
            if name in problems:
                continue
            try:
                outcomes[name] = _run(chosen[name], setting)
            except NotInstalledError as missing:
                problems[name] = f"not installed: {missing}"
            else:
                print(f"round {number + 1}: {name} {outcomes[name].seconds:.1f} s", file=sys.stderr)
        rounds.append(outcomes)
    figures = [figure for outcomes in rounds for figure in _figures(outcomes, truth)]
    print(_table(figures, problems))
    if arguments.json:
        arguments.json.write_text(json.dumps(_report(setting, rounds, figures, problems), indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pages per second against the bare loop, xargs and OCRmyPDF.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs (default: 3)")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--workers", type=int, default=2, help="processes for each contender (default: 2)")
    parser.add_argument("--ocrmypdf", help="path of ocrmypdf, if it is in another virtual environment")
    parser.add_argument("--inkstream", help="path of inkstream (default: beside this Python)")
    parser.add_argument(
        "--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS, help="run only these contenders"
    )
    parser.add_argument(
        "--documents",
        type=Path,
        default=Path("build/benchmark/documents"),
        help="folder of the 24 pages",
    )
    return parser.parse_args()


def _order(names: list[str], number: int) -> list[str]:
    """Return the names in the order of this round: each round starts with the next one."""
    shift = number % len(names)
    return names[shift:] + names[:shift]


def _run(contender: Contender, setting: Setting) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="inkstream-benchmark-") as folder:
        return contender(setting, Path(folder))


def _figures(outcomes: dict[str, Outcome], truth: dict[str, str]) -> list[Figure]:
    """Return one round's figures, relative to the bare loop with or without start-up alike."""
    bare = outcomes["bare loop"]
    assert bare.work_seconds is not None
    figures = []
    for name, outcome in outcomes.items():
        recall = word_recall(outcome.texts, truth)
        if name != "inkstream, steady":
            figures.append(Figure(name, outcome.seconds, outcome.seconds / bare.seconds, recall))
        if outcome.work_seconds is not None:
            row = name if "steady" in name else f"{name}, work only"
            figures.append(Figure(row, outcome.work_seconds, outcome.work_seconds / bare.work_seconds, recall))
    return figures


def word_recall(texts: dict[str, str], truth: dict[str, str]) -> float:
    """Return the fraction of the true words that were found in the right file, counting repeats."""
    found = expected = 0
    for name, text in truth.items():
        wanted = Counter(re.findall(r"\w+", text.lower()))
        found += (wanted & Counter(re.findall(r"\w+", texts.get(name, "").lower()))).total()
        expected += wanted.total()
    return found / expected


def _table(figures: list[Figure], problems: dict[str, str]) -> str:
    lines = [f"{'':22}{'wall s':>8}{'pages/s':>9}{'x bare':>8}{'  range':16}{'words':>6}"]
    for row in dict.fromkeys(figure.row for figure in figures):
        mine = [figure for figure in figures if figure.row == row]
        recall = min(figure.recall for figure in mine)
        if recall < MIN_RECALL:
            lines.append(f"{row:22}does not count: found {recall:.1%} of the words, {MIN_RECALL:.0%} needed")
            continue
        seconds = statistics.median(figure.seconds for figure in mine)
        ratios = sorted(figure.ratio for figure in mine)
        spread = f"  {ratios[0]:.2f}-{ratios[-1]:.2f}"
        middle = statistics.median(ratios)
        lines.append(f"{row:22}{seconds:8.1f}{PAGES / seconds:9.2f}{middle:8.2f}{spread:16}{recall:6.1%}")
    lines += [f"{name:22}{problem}" for name, problem in problems.items()]
    lines.append(f"{PAGES} pages in {FILES} PDFs; medians over rounds; x bare: median of each round's ratio")
    return "\n".join(lines)


def _report(
    setting: Setting, rounds: list[dict[str, Outcome]], figures: list[Figure], problems: dict[str, str]
) -> dict[str, Any]:
    return {
        "pages": PAGES,
        "workers": setting.workers,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
        "figures": [asdict(figure) for figure in figures],
        "problems": problems,
        "notes": [{name: outcome.notes for name, outcome in outcomes.items() if outcome.notes} for outcomes in rounds],
    }


if __name__ == "__main__":
    main()
