"""Routing: one engine reads the page, and only the lines that it is unsure of go to a second, slower engine.

Of two readings of a line, the one with the higher confidence is kept. On receipts this reads more text correctly than
either engine alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from inkstream.ocr_core.engines.entry import PageEngine
from inkstream.ocr_core.engines.line_reader import LineReader, Reading
from inkstream.ocr_core.engines.registry import finder_named
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions
from inkstream.ocr_core.page import Candidate, Decision, Level, Region
from inkstream.ocr_core.stages.line_stage import Asked, LineStage
from inkstream.ocr_core.stages.page_text import set_text
from inkstream.ocr_core.stages.read_lines import LinePlace, Places, crop_line, line_areas, words_on_page
from inkstream.ocr_core.stages.recognize import Recognize
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.stages.unread_ink import has_unread_ink
from inkstream.ocr_core.text.reading_order import enclosing, group_lines
from inkstream.ocr_core.text.words import Word, branch

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_FEW = 0.2
"""Largest share of doubtful lines that are read where the first engine found them; above it, the page is searched."""

_BELIEVED = 60
"""Confidence needed to believe text where the first engine saw none: stains look a little like text."""


@dataclass(slots=True)
class _RoutedLine:
    """A line as it will be kept, and how that was decided."""

    box: Box
    words: list[Word]
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""
    block: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """Text found by searching the page: each line with its areas, and the words outside all lines."""

    lines: list[tuple[_RoutedLine, list[Box]]]
    rest: list[Word]


@dataclass(frozen=True, slots=True)
class RouteAsked:
    """What `Route` needs to continue.

    Attributes:
        lines: Lines as the first engine read them or, if the page was searched, as they were found.
        more: Lines that the first engine missed or, if the page was searched, its confident words outside all lines.
        searched: Whether the page was searched, so that the lines have yet to be put in order.
        doubtful: Lines that the second engine reads: indices in `lines` followed by `more`.
        places: Position of each doubtful line's crop.
    """

    lines: list[_RoutedLine]
    more: list[_RoutedLine]
    searched: bool
    doubtful: list[int]
    places: Places


@dataclass(frozen=True)
class Route(LineStage[RouteAsked]):
    """A stage that reads with one engine, and rereads doubtful lines with a second.

    Attributes:
        options: Options of both engines.
        first: Reads the page.
        detect: How the page is searched for lines that the first engine missed.
        open_reader: Opens the second engine.
    """

    options: RecognizeOptions
    first: PageEngine[Any]
    detect: DetectOptions
    open_reader: Callable[[], LineReader]
    name: str = "recognize"
    provides: frozenset[str] = frozenset({"text", "regions"})
    state_type: ClassVar[type[Any]] = RouteAsked

    @property
    def needs(self) -> frozenset[str]:
        """What the first engine needs."""
        return self._first.needs

    @property
    def _first(self) -> Recognize:
        return Recognize(self.options, self.first)

    def ask(self, page: WorkingPage) -> Asked[RouteAsked] | None:
        """Read with the first engine, and cut out the lines that it is unsure of or has missed."""
        if page.text is not None or page.pixels is None:
            return None
        pixels, words = page.pixels, self._first.words(page)
        first = [
            _RoutedLine(enclosing([word.box for word in line]), line)
            for line in (list(group) for _, group in groupby(words, key=lambda word: branch(word, Level.LINE)))
        ]
        doubtful = [(number, [line.box]) for number, line in enumerate(first) if self._doubts(line)]
        well_read = bool(first) and len(doubtful) <= _FEW * len(first)
        if well_read and not (self.options.routing.search and has_unread_ink(pixels, words)):
            return self._asked(pixels, first, [], doubtful)
        found = self._search(page, words)
        missed = [(line, areas) for line, areas in found.lines if not line.words]
        if well_read and len(doubtful) + len(missed) <= _FEW * len(first):
            doubtful += [(len(first) + number, areas) for number, (_, areas) in enumerate(missed)]
            return self._asked(pixels, first, [line for line, _ in missed], doubtful)
        doubtful = [(number, areas) for number, (line, areas) in enumerate(found.lines) if self._doubts(line)]
        sure = [
            _RoutedLine(word.box, [word]) for word in found.rest if word.confidence >= self.options.routing.threshold
        ]
        return self._asked(pixels, [line for line, _ in found.lines], sure, doubtful, searched=True)

    def take(self, page: WorkingPage, state: RouteAsked, readings: Sequence[Reading]) -> None:
        """Set `text`, `confidence`, `engine`, `regions` and `routing`, the decision on each doubtful line."""
        first, every = self.first.name, [*state.lines, *state.more]
        for number, place, reading in zip(state.doubtful, state.places, readings, strict=True):
            self._choose(every[number], self._second(place, reading), reading)
        if state.searched:
            lines = _in_order([line for line in every if line.words])
        else:
            lines = _inserted(state.lines, [line for line in state.more if line.words])
        words = [word for line in lines for word in line.words]
        set_text(page, words, first, self.options)
        page.routing = _decisions(lines, page.regions, first)

    def _asked(
        self,
        pixels: Pixels,
        lines: list[_RoutedLine],
        more: list[_RoutedLine],
        doubtful: list[tuple[int, list[Box]]],
        *,
        searched: bool = False,
    ) -> Asked[RouteAsked]:
        crops = [crop_line(pixels, areas, self.options.lines) for _, areas in doubtful]
        places = tuple(crop.place for crop in crops)
        state = RouteAsked(lines, more, searched, [number for number, _ in doubtful], places)
        return Asked([crop.pixels for crop in crops], state)

    def _doubts(self, line: _RoutedLine) -> bool:
        return _confidence(line.words) < self.options.routing.threshold

    def _search(self, page: WorkingPage, words: list[Word]) -> _Found:
        """Search the whole page for lines, and assign the first engine's words to them."""
        assert page.pixels is not None
        find = finder_named(self.detect.engine).find
        regions = find(page.pixels, page.engine_resolution, self.detect, self.options)
        rest = dict(enumerate(words))
        lines: list[tuple[_RoutedLine, list[Box]]] = []
        for areas in line_areas(regions, self.options.lines):
            box = enclosing(areas)
            inside = [index for index, word in rest.items() if _holds(box, word.box)]
            lines.append((_RoutedLine(box, [rest.pop(index) for index in inside]), areas))
        return _Found(lines, list(rest.values()))

    def _second(self, place: LinePlace, reading: Reading) -> list[Word]:
        return [replace(word, engine=self.options.routing.second) for word in words_on_page([place], [reading])]

    def _choose(self, line: _RoutedLine, second: list[Word], reading: Reading) -> None:
        """Keep the better of two readings of a line, and record both."""
        first, own, other = self.first.name, _confidence(line.words), reading.confidence or 0.0
        read = [Candidate(first, _text(line.words), own)] if line.words else []
        if second:
            read.append(Candidate(second[0].engine or "", reading.text, other))
        line.candidates = tuple(read)
        below = f"{first} below {self.options.routing.threshold:g}"
        line.reason = below if line.words else f"{first} found nothing"
        if second and other > (own if line.words else _BELIEVED):
            at = line.words[0] if line.words else second[0]
            line.words = [replace(word, block=at.block, paragraph=at.paragraph, line=at.line) for word in second]


def _inserted(lines: list[_RoutedLine], missed: list[_RoutedLine]) -> list[_RoutedLine]:
    """Insert each missed line after the line above it, in the same paragraph."""
    if not missed:
        return lines
    rows = [[line] for line in lines]
    for row in _rows(missed):
        box = enclosing([line.box for line in row])
        above = [place for place, other in enumerate(rows) if _is_above(enclosing([o.box for o in other]), box)]
        beside = rows[above[-1] if above else 0][0].words[0]
        for line in row:
            line.words = [replace(word, block=beside.block, paragraph=beside.paragraph) for word in line.words]
        rows.insert(above[-1] + 1 if above else 0, row)
    for number, row in enumerate(rows):
        for line in row:
            line.words = [replace(word, line=number) for word in line.words]
    return [line for row in rows for line in row]


def _is_above(one: Box, other: Box) -> bool:
    shared = min(one.right, other.right) - max(one.left, other.left)
    return one.center[1] < other.center[1] and shared > 0


def _in_order(lines: list[_RoutedLine]) -> list[_RoutedLine]:
    """Sort lines into reading order, and number their words accordingly."""
    ordered = []
    for number, row in enumerate(_rows(lines)):
        for line in row:
            line.words = [replace(word, block=line.block, paragraph=0, line=number) for word in line.words]
            ordered.append(line)
    return ordered


def _rows(lines: Iterable[_RoutedLine]) -> list[list[_RoutedLine]]:
    """Group lines that stand side by side, in reading order, and set the block number of each."""
    waiting: dict[Box, list[_RoutedLine]] = {}
    for line in lines:
        waiting.setdefault(line.box, []).append(line)
    rows = []
    for row in group_lines([line.box for found in waiting.values() for line in found]):
        rows.append([waiting[box].pop() for box in row.boxes])
        for line in rows[-1]:
            line.block = row.block
    return rows


def _decisions(lines: Iterable[_RoutedLine], regions: tuple[Region, ...], first: str) -> tuple[Decision, ...]:
    of_first_word: dict[Box, int] = {}
    for region in regions:
        if region.level is Level.WORD and region.parent is not None:
            of_first_word.setdefault(region.box, region.parent)
    return tuple(
        Decision(
            of_first_word.get(line.words[0].box) if line.words else None,
            (line.words[0].engine or first) if line.words else None,
            line.reason,
            line.candidates,
        )
        for line in lines
        if line.candidates
    )


def _confidence(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _holds(box: Box, other: Box) -> bool:
    """Return whether `box` contains the centre of `other`."""
    x, y = other.center
    across, down = box.along(x, y)
    return 0 <= across <= box.width and 0 <= down <= box.height
