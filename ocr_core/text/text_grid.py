"""Laying text out as on the page, with spaces and empty lines, for a fixed-width font.

The method is that of `pdftotext -layout` and PDFLayoutTextStripper, with tab stops: lines side by side form a row; a
line is split into runs at gaps wider than between words; runs that begin (or end) at the same place on the page share
a stop; and a stop moves to the right until every run that ends before it fits. This keeps columns aligned, however
wide their letters are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median

from inkstream.ocr_core.page import Level
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import Word, branch

_RUN_HEIGHTS, _RUN_WIDTHS = 1.2, 2.0
"""Gap above which two words are in different runs, in heights and in widths of the line's letters."""

_LEAST_GAP = 2
"""Least number of spaces between two runs of a row."""

_MOST_COLUMNS = 400
_MOST_ROWS = 1000
"""Limits of the layout's size, however small the letters are."""

_ROWS_BACK = 50
"""Number of previous rows that are searched for the row of a line."""


@dataclass(slots=True)
class _GridLine:
    """One line as it was read, in pixels of the page."""

    words: list[Word]
    left: float
    right: float
    top: float
    bottom: float

    @property
    def centre(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(slots=True)
class _Run:
    """Words of a line with ordinary spaces between them."""

    text: str
    left: float
    right: float
    cells: int
    before: _Run | None = None
    stop: _Stop | None = None
    end: int = 0


@dataclass(slots=True)
class _Stop:
    """A place where runs begin (`edge` 0) or end (1)."""

    x: float
    edge: int
    runs: list[_Run] = field(default_factory=list)


def lay_out(words: Sequence[Word], space_width: float) -> str:
    """Lay words out as they stand on the page.

    Args:
        words: In reading order, words of one line together.
        space_width: Largest width of one space, pixels; if the page's letters are narrower, their width is used.

    Returns:
        Rows joined by newlines, with every word once and the words of a line in order. The leftmost run begins in the
        first column, and the topmost row comes first. Full-width characters (CJK) count as two columns.
    """
    lines = [_line(list(group)) for _, group in groupby(words, key=lambda word: branch(word, Level.LINE))]
    if not lines:
        return ""
    rows = _rows(sorted(lines, key=lambda line: line.centre))
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    unit = max(min(space_width, _letter_width(words)), (right - left) / _MOST_COLUMNS) or 1.0
    table = [_runs_of(row) for row in rows]
    _place(_stops(table, unit), left, unit)
    texts = [_write(row) for row in table]
    return "\n".join(_with_empty(texts, rows))


def cells(text: str) -> int:
    """Return how many columns a text takes in a fixed-width font."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _line(words: list[Word]) -> _GridLine:
    box = enclosing([word.box for word in words])
    return _GridLine(words, box.left, box.right, box.top, box.bottom)


def _letter_width(words: Iterable[Word]) -> float:
    return median(word.box.width / max(cells(word.text), 1) for word in words)


def _rows(lines: Iterable[_GridLine]) -> list[list[_GridLine]]:
    """Group lines that stand side by side, from the top; a line below another stays below it."""
    rows: list[list[_GridLine]] = []
    for line in lines:
        best, found = 0.0, None
        for row in reversed(rows[-_ROWS_BACK:]):
            if any(_above(other, line) for other in row):
                break
            nearest = min(row, key=lambda other: max(other.left - line.right, line.left - other.right))
            beside = _shared(nearest, line)
            if beside > best:
                best, found = beside, row
        if found is not None and best >= 0.5:
            found.append(line)
        else:
            rows.append([line])
    for row in rows:
        row.sort(key=lambda line: line.left)
    return rows


def _above(other: _GridLine, line: _GridLine) -> bool:
    """Return whether two lines overlap horizontally by more than a tenth of the narrower one."""
    least = min(other.right - other.left, line.right - line.left)
    return min(other.right, line.right) - max(other.left, line.left) > 0.1 * least


def _shared(first: _GridLine, second: _GridLine) -> float:
    """Return the vertical overlap of two lines, as a share of the smaller height, 0-1."""
    common = min(first.bottom, second.bottom) - max(first.top, second.top)
    return common / max(min(first.bottom - first.top, second.bottom - second.top), 1e-6)


def _runs_of(row: list[_GridLine]) -> list[_Run]:
    runs: list[_Run] = []
    for line in row:
        parts = [[line.words[0]]]
        height = median(word.box.height for word in line.words)
        widest = max(_RUN_HEIGHTS * height, _RUN_WIDTHS * _letter_width(line.words))
        for word in line.words[1:]:
            last = parts[-1][-1].box
            gap = max(word.box.left - last.right, last.left - word.box.right)
            if gap > widest:
                parts.append([])
            parts[-1].append(word)
        runs += sorted((_run(part) for part in parts), key=lambda run: run.left)
    for before, run in pairwise(runs):
        run.before = before
    return runs


def _run(words: list[Word]) -> _Run:
    box = enclosing([word.box for word in words])
    text = " ".join(word.text for word in words)
    return _Run(text, box.left, box.right, cells(text))


def _stops(table: list[list[_Run]], unit: float) -> list[_Stop]:
    """Assign a stop to each run (its start, or its end if more runs share that), and return the stops."""
    runs = [run for row in table for run in row]
    begins, ends = _clusters(runs, 0, unit), _clusters(runs, 1, unit)
    starting = {id(run): found for found in map(_weighed, begins) for run in found[1].runs}
    ending = {id(run): found for found in map(_weighed, ends) for run in found[1].runs}
    for run in runs:
        (begins_with, begin), (ends_with, end) = starting[id(run)], ending[id(run)]
        run.stop = end if run.before is not None and ends_with > begins_with else begin
    for stop in (*begins, *ends):
        stop.runs = [run for run in stop.runs if run.stop is stop]
    return sorted((stop for stop in (*begins, *ends) if stop.runs), key=lambda stop: stop.x)


def _weighed(stop: _Stop) -> tuple[tuple[int, float], _Stop]:
    """Return how well runs agree on a stop (how many, then how closely), and the stop."""
    edges = [(run.left, run.right)[stop.edge] for run in stop.runs]
    return (len(edges), min(edges) - max(edges)), stop


def _clusters(runs: list[_Run], edge: int, unit: float) -> list[_Stop]:
    """Group runs whose edges lie within one column, without a gap of half a column."""
    stops: list[_Stop] = []
    last = 0.0
    for run in sorted(runs, key=lambda run: (run.left, run.right)[edge]):
        x = (run.left, run.right)[edge]
        if not stops or x - last > unit / 2 or x - stops[-1].x > unit:
            stops.append(_Stop(x, edge))
        stops[-1].runs.append(run)
        last = x
    return stops


def _place(stops: list[_Stop], left: float, unit: float) -> None:
    """Set every run's end column, from the left; moving one stop also moves those to its right."""
    shift = 0
    for stop in stops:
        wanted = round((stop.x - left) / unit)
        needed = max(
            (_first_free(run.before) + stop.edge * run.cells for run in stop.runs if run.before is not None), default=0
        )
        place = min(max(wanted + shift, needed), 2 * _MOST_COLUMNS)
        shift = max(shift, place - wanted)
        for run in stop.runs:
            run.end = max(place if stop.edge else place + run.cells, run.cells)


def _first_free(run: _Run) -> int:
    return run.end + _LEAST_GAP


def _write(runs: list[_Run]) -> str:
    """Return the text of one row; a run whose place is taken follows directly."""
    text, at = "", 0
    for run in runs:
        spaces = max(run.end - run.cells - at, _LEAST_GAP if text else 0)
        text += " " * spaces + run.text
        at += spaces + run.cells
    return text


def _with_empty(texts: list[str], rows: list[list[_GridLine]]) -> Iterable[str]:
    """Yield the rows, with empty lines where the page has space for them."""
    heights = median(line.bottom - line.top for row in rows for line in row)
    centres = [min(line.centre for line in row) for row in rows]
    steps = [below - above for above, below in pairwise(centres)]
    pitch = min(max(median(steps), 1.2 * heights), 2.2 * heights) if steps else 1.0
    pitch = max(pitch, (centres[-1] - centres[0]) / _MOST_ROWS) or 1.0
    yield texts[0]
    for text, step in zip(texts[1:], steps, strict=True):
        yield from [""] * (round(step / pitch) - 1)
        yield text
