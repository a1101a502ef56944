"""The stage that believes a text layer only where the picture agrees, and leaves the rest to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inkstream.ocr_core.documents.pdf_text import EARLIER_OCR, ENGINE
from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.options import RecognizeOptions, RenderOptions, TextLayerOptions
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.stages.page_text import set_text
from inkstream.ocr_core.stages.stage import SOURCE, WorkingPage
from inkstream.ocr_core.stages.verify.ink import InkMap, erased
from inkstream.ocr_core.stages.verify.judge import Judge, Verdict, judge_drawn, judge_hidden
from inkstream.ocr_core.text.words import Word, branch

if TYPE_CHECKING:
    from inkstream.ocr_core.stages.verify.reader import SampleReader
    from inkstream.ocr_core.text.words import LayerWord

_MOST_DAMAGED = 0.3
"""Share of characters in words with unexplained glyphs above which the whole page is read."""

_BEST = 99.0
"""Confidence of an earlier OCR at most: only a sample of it was compared."""

_READ_ALL = "the page was read from its picture"


@dataclass(frozen=True)
class Verify:
    """A stage that compares a page's text layer with its picture.

    If both agree, the text is set, and later stages do nothing. What the layer lacks is left in `pixels`, to be read
    and merged with the layer; a layer that disagrees is dropped.

    Attributes:
        options: What to do with words that cannot be seen.
        render: How the page was rendered.
        recognize: What the text looks like.
        read: Reads the sample; None if the engine cannot tell whether a layer is right.
    """

    options: TextLayerOptions
    render: RenderOptions
    recognize: RecognizeOptions
    read: SampleReader | None
    name: str = "text_layer"
    needs: frozenset[str] = frozenset({SOURCE, "pixels"})
    provides: frozenset[str] = frozenset()

    def run(self, page: WorkingPage) -> None:
        """Set the text, or `layer` and the pixels to read, or neither; and the notes."""
        assert page.source is not None
        assert page.pixels is not None
        words = page.source.words(page.source.canvas(self.render))
        if not words:
            return
        ink = InkMap.of(page.pixels)
        seen = [number for number, each in enumerate(words) if ink.has_ink(each)]
        for number in seen:
            if ink.hides(words[number]):
                words[number] = replace(words[number], is_hidden=True)
        self._note_unseen(page, len(words) - len(seen))
        kept = self._believed(page, words, seen)
        page.layer = self._layer(words, seen, kept)
        if not kept:
            return
        trusted = _trusted(words, seen, kept)
        if len(kept) == len(seen) and not ink.has_other_ink(trusted):
            set_text(page, (), ENGINE, self.recognize)
            return
        _note(page, "what the text layer lacks was read from the picture")
        page.pixels = erased(page.pixels, (each.word.box for each in trusted))

    def _note_unseen(self, page: WorkingPage, count: int) -> None:
        if count:
            done = "kept" if self.options.invisible == "keep" else "left out"
            words = "1 word of the text layer cannot" if count == 1 else f"{count} words of the text layer cannot"
            _note(page, f"{words} be seen on the page: {done}")

    def _believed(self, page: WorkingPage, words: Sequence[LayerWord], seen: Sequence[int]) -> dict[int, Word]:
        """Return the words to believe, by number; none if the whole page has to be read."""
        sound = [number for number in seen if not words[number].is_damaged]
        every, explained = (_characters(words[number] for number in chosen) for chosen in (seen, sound))
        if explained < (1 - _MOST_DAMAGED) * every:
            _note(page, f"fonts do not explain {1 - explained / every:.0%} of the text layer: {_READ_ALL}")
            return {}
        drawn = [number for number in sound if not words[number].is_hidden]
        if not self._is_true(page, [words[number] for number in drawn]):
            return {}
        hidden = [number for number in sound if words[number].is_hidden]
        lost, left = (_characters(words[number] for number in chosen) for chosen in (hidden, drawn))
        without = _READ_ALL if lost > left else "it was left out"
        confidence = self._earlier_ocr(page, [words[number] for number in hidden], without)
        kept = {number: replace(words[number].word, engine=ENGINE) for number in drawn}
        if confidence is not None:
            earlier = {
                number: replace(words[number].word, engine=EARLIER_OCR, confidence=confidence) for number in hidden
            }
            return kept | earlier
        return kept if lost <= left else {}

    def _is_true(self, page: WorkingPage, drawn: Sequence[LayerWord]) -> bool:
        """Return whether the words that the page draws agree with it, or cannot be compared."""
        if self.read is None or not drawn:
            return True
        verdict = self._judged(judge_drawn, drawn, page)
        if not verdict.is_believed:
            _note(page, f"the text layer does not match the picture ({_percent(verdict)}): {_READ_ALL}")
        elif verdict.agreement is None:
            _note(page, "the text layer could not be compared with the picture")
        return verdict.is_believed

    def _judged(self, judge: Judge, words: Sequence[LayerWord], page: WorkingPage) -> Verdict:
        """Return the verdict on words; without one, because the engine took too long, they are believed."""
        assert self.read is not None
        assert page.pixels is not None
        try:
            return judge(words, page.pixels, page.resolution or 0, self.read)
        except DocumentError:
            return Verdict(None, True)

    def _earlier_ocr(self, page: WorkingPage, hidden: Sequence[LayerWord], without: str) -> float | None:
        """Return the confidence (0-100) of words from an earlier OCR: its measured agreement; None to drop them.

        Args:
            page: Gets a note.
            hidden: The words.
            without: What happens if they are dropped, for the note.
        """
        if not hidden:
            return None
        if self.read is None:
            _note(page, f"an earlier OCR could not be compared with the picture: {without}")
            return None
        verdict = self._judged(judge_hidden, hidden, page)
        if not verdict.is_believed:
            _note(page, f"an earlier OCR does not match the picture ({_percent(verdict)}): {without}")
            return None
        if verdict.agreement is None:
            _note(page, "the text layer is an earlier OCR that could not be compared with the picture")
        else:
            _note(page, f"the text layer is an earlier OCR ({_percent(verdict)})")
        return min(_BEST, 100 * (verdict.agreement or 0.0))

    def _layer(self, words: Sequence[LayerWord], seen: Sequence[int], kept: Mapping[int, Word]) -> tuple[Word, ...]:
        """Return the words that the page's text will contain, in the layer's order."""
        unseen: set[int] = set()
        if self.options.invisible == "keep":
            unseen = set(range(len(words))) - set(seen)
        chosen = sorted(kept.keys() | unseen)
        return tuple(kept.get(number) or replace(words[number].word, engine=ENGINE) for number in chosen)


def _trusted(words: Sequence[LayerWord], seen: Sequence[int], kept: Mapping[int, Word]) -> list[LayerWord]:
    """Return the kept words of lines that need no second look: where a word is missing, its line helps to read it."""
    doubtful = {branch(words[number].word, Level.LINE) for number in seen if number not in kept}
    return [words[number] for number in kept if branch(words[number].word, Level.LINE) not in doubtful]


def _characters(words: Iterable[LayerWord]) -> int:
    return sum(len(each.word.text) for each in words)


def _percent(verdict: Verdict) -> str:
    if verdict.agreement is None:
        return "no line could be compared"
    return f"{verdict.agreement:.0%} of a sample agrees"


def _note(page: WorkingPage, note: str) -> None:
    page.notes = (*page.notes, note)
