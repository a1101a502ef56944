"""What `inkstream diff` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from typing import Any

from rich.text import Text

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, page_of, print_json, short_name, visible
from inkstream.tasks.queries.diff import Change, Comparison, PageChange, Side, compare_versions
from inkstream.tasks.sinks.opening import open_existing
from inkstream.tasks.sinks.versioned import require_versions

_AROUND = 4
_MEANING = {
    Change.ADDED: "added",
    Change.REMOVED: "removed",
    Change.FORGOTTEN: "forgotten",
    Change.FAILED: "failed (had text before)",
    Change.FIXED: "fixed (failed before, have text now)",
    Change.STILL_FAILED: "failed again",
    Change.CHANGED: "changed",
    Change.SAME: "read again with the same text",
}


def print_diff(  # noqa: PLR0913 - one parameter per option
    sink: str, before: int, after: int | None, paths: Sequence[str], limit: int, *, as_json: bool
) -> None:
    """Compare two versions of a sink's pages and print what differs."""
    comparison = compare_versions(require_versions(open_existing(sink)), before, after, paths)
    if as_json:
        for page in comparison.pages:
            print_json(_page_json(page))
        print_json(_summary_json(comparison))
        return
    console = Terminal(highlight=False)
    _print_summary(console, comparison)
    for change in (Change.FAILED, Change.FIXED):
        _print_list(console, comparison, change, limit)
    changed = [page for page in comparison.pages if page.change is Change.CHANGED]
    changed.sort(key=lambda page: -page.edits)
    for page in changed[:limit]:
        _print_page(console, page)
    if len(changed) > limit:
        console.print(f"\nand {len(changed) - limit} more changed pages; --limit shows more of them")


def _print_summary(console: Terminal, comparison: Comparison) -> None:
    console.print(f"from version {comparison.before} to {comparison.after}:")
    counts = comparison.counts()
    if not any(counts.values()):
        console.print("  no differences")
    for change, meaning in _MEANING.items():
        if counts[change]:
            console.print(f"  {counts[change]:>7} {'page' if counts[change] == 1 else 'pages'} {meaning}")
    cer = comparison.cer()
    if cer is not None:
        console.print(f"  CER {cer:.2%} between the texts of pages that were read again")
    confidence = comparison.confidence()
    if confidence is not None:
        console.print(f"  their mean confidence went from {confidence[0]:.1f} to {confidence[1]:.1f}")


def _print_list(console: Terminal, comparison: Comparison, change: Change, limit: int) -> None:
    pages = [page for page in comparison.pages if page.change is change]
    if pages:
        console.print(f"\n{_MEANING[change]}:")
    for page in pages[:limit]:
        side = page.after if change is Change.FAILED else page.before
        console.print(f"  {_title(page)}: {side.exception_kind if side else ''}", markup=False)
    if len(pages) > limit:
        console.print(f"  and {len(pages) - limit} more")


def _print_page(console: Terminal, page: PageChange) -> None:
    before, after = page.before, page.after
    assert before is not None
    assert after is not None
    console.print()
    console.print(
        f"{_title(page)}: {counted(page.edits, 'edit')}, CER {page.cer:.1%}, "
        f"confidence {_confidence(before)} to {_confidence(after)}",
        style="bold",
        markup=False,
    )
    console.print(Text("  ").append(word_diff(before.text or "", after.text or "", coloured=console.is_terminal)))


def word_diff(before: str, after: str, *, coloured: bool) -> Text:
    """Return the second text with the words it lost and gained marked, and long equal passages cut short.

    Args:
        before: The first text.
        after: The second text.
        coloured: Mark words by colour; else as `[-old-]` and `{+new+}`.
    """
    old, new = visible(before, keep="\n\t ").split(), visible(after, keep="\n\t ").split()
    marked = Text()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, first, last, new_first, new_last in matcher.get_opcodes():
        if tag == "equal":
            at_ends = (first > 0, last < len(old) or new_last < len(new))
            marked.append(" ".join(_shortened(old[first:last], *at_ends)) + " ")
            continue
        for words, mark, style in (
            (old[first:last], "[-{}-]", "red strike"),
            (new[new_first:new_last], "{{+{}+}}", "bold green"),
        ):
            if words:
                joined = " ".join(words)
                marked.append(joined if coloured else mark.format(joined), style=style)
                marked.append(" ")
    return marked


def _shortened(words: list[str], after_change: bool, before_change: bool) -> list[str]:
    """Return an equal passage without its middle: only the words next to a change stay."""
    head = _AROUND if after_change else 0
    tail = _AROUND if before_change else 0
    if len(words) <= head + tail + 1:
        return words
    return [*words[:head], "…", *words[len(words) - tail :]]


def _title(page: PageChange) -> str:
    return page_of(visible(short_name(page.path)), page.pagenum)


def _confidence(side: Side) -> str:
    return "none" if side.confidence is None else f"{side.confidence:.1f}"


def _page_json(page: PageChange) -> dict[str, Any]:
    return {
        "change": page.change.value,
        "stream": page.stream,
        "path": page.path,
        "etag": page.etag,
        "length": page.length,
        "pagenum": page.pagenum,
        "cer": page.cer,
        "edits": page.edits,
        "before": asdict(page.before) if page.before else None,
        "after": asdict(page.after) if page.after else None,
    }


def _summary_json(comparison: Comparison) -> dict[str, Any]:
    confidence = comparison.confidence()
    return {
        "from": comparison.before,
        "to": comparison.after,
        "pages": comparison.counts(),
        "cer": comparison.cer(),
        "confidence": None if confidence is None else {"before": confidence[0], "after": confidence[1]},
    }
