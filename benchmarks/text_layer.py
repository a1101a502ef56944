"""What `text_layer.mode: verify` believes, finds and costs, beside `prefer` and `ignore`.

`python -m benchmarks.text_layer --half 2` reads every other page of the corpus that `benchmarks/layers.py` makes.
Thresholds were chosen on half 1. Each row is a kind of page. *Words found* is the share of the words on the page that
were read, *words right* the share of the words read that are on the page, *noted* the share of pages with a note on
their text layer, and *whole* the share that was read from the picture as a whole. CPU times are of one core, with the
engine open.

The second table has the rules. *Recall* is the share of the pages with a defect that got the rule's note, *precision*
the share of the pages with that note that have the defect. Kinds of which some pages may get the note count as neither.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.layers import KINDS, make_corpus
from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.options import PipelineOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.page import PageResult
from inkstream.ocr_core.pipeline.build import build_pipeline

MODES = ("verify", "prefer", "ignore")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of `verify`.

    Attributes:
        name: What it does.
        note: What its note says.
        kinds: The kinds of pages that ought to get the note.
        either: Kinds of which some pages may get it.
    """

    name: str
    note: str
    kinds: frozenset[str]
    either: frozenset[str] = frozenset()


RULES = (
    Rule("words without ink are left out", "cannot be seen", frozenset({"unseen"})),
    Rule("ink without words is read", "lacks was read", frozenset({"pasted", "footer"}), frozenset({"unmapped"})),
    Rule(
        "a layer that disagrees is replaced",
        "the page was read from its picture",
        frozenset({"shifted", "one-font-shifted", "digits", "ocr-10", "ocr-30"}),
        frozenset({"unmapped", "ocr-3"}),
    ),
    Rule("an earlier OCR is labelled", "earlier OCR", frozenset({"ocr-0", "ocr-3", "ocr-10", "ocr-30", "below-0"})),
)
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Tally:
    """Sums over the pages of one kind, read in one mode."""

    pages: int = 0
    seconds: float = 0.0
    on_page: int = 0
    read: int = 0
    both: int = 0
    noted: int = 0
    whole: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, result: PageResult, words: Sequence[str], seconds: float) -> None:
        """Count a page."""
        wanted, found = (Counter(_WORD.findall(text.casefold())) for text in (" ".join(words), result.text or ""))
        self.pages += 1
        self.seconds += seconds
        self.on_page += wanted.total()
        self.read += found.total()
        self.both += (wanted & found).total()
        self.noted += any("the text layer" in note or "earlier OCR" in note for note in result.notes)
        self.whole += any("the page was read from its picture" in note for note in result.notes)
        self.by_rule.update(rule.name for rule in RULES if any(rule.note in note for note in result.notes))


def measure(folder: Path, kinds: Sequence[str], numbers: Sequence[int]) -> dict[tuple[str, str], Tally]:
    """Read the pages in each mode."""
    truth = make_corpus(folder)
    tallies: dict[tuple[str, str], Tally] = {}
    for mode in MODES:
        pipeline = build_pipeline(PipelineOptions(text_layer=TextLayerOptions(mode=TextLayerMode(mode))))
        with open_document(folder / f"{numbers[0]:02}-{kinds[0]}.pdf") as document:
            pipeline.run(document, 0)  # opens the engine
        for kind in kinds:
            for number in numbers:
                name = f"{number:02}-{kind}.pdf"
                started = time.process_time()
                with open_document(folder / name) as document:
                    result = pipeline.run(document, 0)
                spent = time.process_time() - started
                tallies.setdefault((mode, kind), Tally()).add(result, truth[name], spent)
    return tallies


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark/layers"))
    parser.add_argument("--half", type=int, choices=(1, 2), default=2)
    parser.add_argument("--pages", type=int, default=20, help="pages of each kind")
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    options = parser.parse_args()
    numbers = range(options.half - 1, 2 * options.pages, 2)
    tallies = measure(options.folder, options.only, numbers)
    head = "".join(f" | {mode}: found | right | CPU s" for mode in MODES)
    print(f"| kind | noted | whole{head} | ignore / verify |")
    print("|---" * (4 + 3 * len(MODES)) + "|")
    for kind in options.only:
        cells = []
        for mode in MODES:
            tally = tallies[mode, kind]
            found, right = tally.both / tally.on_page, tally.both / max(tally.read, 1)
            cells += [f"{found:.1%}", f"{right:.1%}", f"{tally.seconds / tally.pages:.2f}"]
        ratio = tallies["ignore", kind].seconds / tallies["verify", kind].seconds
        verified = tallies["verify", kind]
        shares = f"{verified.noted / verified.pages:.0%} | {verified.whole / verified.pages:.0%}"
        print(f"| {kind} | {shares} | {' | '.join(cells)} | {ratio:.1f} |")
    print("\n| rule | pages with the defect | recall | pages with the note | precision |\n|---|---|---|---|---|")
    for rule in RULES:
        print(_judged(rule, {kind: tallies["verify", kind] for kind in options.only}))


def _judged(rule: Rule, tallies: Mapping[str, Tally]) -> str:
    """Return the row of a rule."""
    faulty = [tally for kind, tally in tallies.items() if kind in rule.kinds]
    counted = [tally for kind, tally in tallies.items() if kind not in rule.either]
    defects, right = sum(tally.pages for tally in faulty), sum(tally.by_rule[rule.name] for tally in faulty)
    notes = sum(tally.by_rule[rule.name] for tally in counted)
    recall, precision = (f"{right / all_of:.1%}" if all_of else "" for all_of in (defects, notes))
    return f"| {rule.name} | {defects} | {recall} | {notes} | {precision} |"


if __name__ == "__main__":
    main()
