"""Small SVG pictures for Prefect's artifacts: the regions of a page, and how fast the last batches were read.

They show boxes and bars, never a character of a document: more people see artifacts than the table.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

PAGE_SIDE = 420
MAX_REGIONS = 400
FEWEST_BARS = 10
LEVELS = ("line", "paragraph", "block", "word")
"""Levels of regions; the first that a page has is drawn."""

_COLOURS = ((90.0, "#0f766e"), (75.0, "#d97706"), (0.0, "#dc2626"))
_UNKNOWN = "#64748b"
_BAR, _WAITING, _INK = "#0f766e", "#d97706", "#475569"
_PLOT_WIDTH, _PLOT_HEIGHT, _MARGIN = 560, 160, 28


def data_uri(svg: str) -> str:
    """Return a picture as a `data:` link."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def regions_svg(width: int, height: int, regions: Sequence[Mapping[str, Any]]) -> str:
    """Return a picture of the outlines of a page's regions, coloured by confidence; `MAX_REGIONS` of them at most.

    Args:
        width: Width of the page in pixels.
        height: Height of the page in pixels.
        regions: The page's regions, as the table has them.
    """
    level = next((level for level in LEVELS if any(region["level"] == level for region in regions)), None)
    drawn = [region for region in regions if region["level"] == level][:MAX_REGIONS]
    scale = PAGE_SIDE / max(width, height, 1)
    boxes = "".join(_box(region, scale) for region in drawn)
    page = f'<rect width="{width * scale:.0f}" height="{height * scale:.0f}" fill="#fff" stroke="#94a3b8"/>'
    return _svg(width * scale, height * scale, page + boxes)


def throughput_svg(batches: Sequence[Mapping[str, Any]]) -> str:
    """Return a picture of the batches: pages per second as bars, and the files that waited after each as a line.

    Args:
        batches: The batches, oldest first, with `batch`, `pages_per_second` and `backlog`.
    """
    rates = [float(batch["pages_per_second"]) for batch in batches]
    waiting = [int(batch["backlog"]) for batch in batches]
    fastest, longest = max(rates, default=0.0) or 1.0, max(waiting, default=0) or 1
    step = (_PLOT_WIDTH - 2 * _MARGIN) / max(len(batches), FEWEST_BARS)
    tall = _PLOT_HEIGHT - 2 * _MARGIN
    floor = _PLOT_HEIGHT - _MARGIN
    bars = "".join(
        f'<rect x="{_MARGIN + n * step + step * 0.1:.1f}" y="{floor - tall * rate / fastest:.1f}" '
        f'width="{step * 0.8:.1f}" height="{tall * rate / fastest:.1f}" fill="{_BAR}"/>'
        for n, rate in enumerate(rates)
    )
    points = " ".join(
        f"{_MARGIN + (n + 0.5) * step:.1f},{floor - tall * count / longest:.1f}" for n, count in enumerate(waiting)
    )
    line = f'<polyline points="{points}" fill="none" stroke="{_WAITING}" stroke-width="2"/>' if any(waiting) else ""
    words = _text(_MARGIN, 16, f"pages/s, up to {fastest:.1f}", _BAR)
    words += _text(_PLOT_WIDTH / 2, 16, f"files waiting, up to {max(waiting, default=0)}", _WAITING)
    if batches:
        last = f"batch {batches[-1]['batch']}"
        end = _MARGIN + len(batches) * step - 6 * len(last)
        words += _text(_MARGIN, _PLOT_HEIGHT - 8, f"batch {batches[0]['batch']}", _INK)
        words += _text(end, _PLOT_HEIGHT - 8, last, _INK) if len(batches) > 3 else ""
    axis = f'<path d="M{_MARGIN} {floor}H{_PLOT_WIDTH - _MARGIN}" stroke="{_INK}"/>'
    paper = f'<rect width="{_PLOT_WIDTH}" height="{_PLOT_HEIGHT}" fill="#fff"/>'
    return _svg(_PLOT_WIDTH, _PLOT_HEIGHT, paper + bars + line + axis + words)


def _box(region: Mapping[str, Any], scale: float) -> str:
    confidence = region["confidence"]
    colour = _UNKNOWN if confidence is None else next(c for least, c in _COLOURS if confidence >= least or not least)
    left, top, width, height = (region[side] * scale for side in ("left", "top", "width", "height"))
    turned = ""
    if region["angle"]:
        turned = f' transform="rotate({region["angle"]:.2f} {left + width / 2:.1f} {top + height / 2:.1f})"'
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{colour}" fill-opacity=".15" stroke="{colour}"{turned}/>'
    )


def _text(x: float, y: float, words: str, colour: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-family="sans-serif" font-size="12" fill="{colour}">{words}</text>'


def _svg(width: float, height: float, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">{inside}</svg>'
    )
