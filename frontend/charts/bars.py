"""Horizontal bars with their values, optionally with an interval: metrics per slice, counts per split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from frontend.charts import frame
from frontend.charts.scale import Scale, short

ROW = 26.0
NAME = 120.0
VALUE = 58.0


@dataclass(frozen=True)
class Bar:
    """One bar; `low` and `high` draw a whisker, `colour` is 1..4."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    colour: int = 1


def bar_chart(bars: Sequence[Bar], *, title: str, most: float | None = None) -> SafeString:
    """SVG with one row per bar, from 0 to `most` (default: the largest value). Empty string without bars."""
    if not bars:
        return SafeString("")
    top = most or max(max(b.value, b.high or 0.0) for b in bars) or 1.0
    xs = Scale(0.0, top, NAME, frame.WIDTH - VALUE)
    height = ROW * len(bars) + 4
    rows = format_html_join("", "{}", ((_row(bar, i * ROW + 2, xs),) for i, bar in enumerate(bars)))
    words = "; ".join(f"{b.name} {short(b.value)}" for b in bars)
    return frame.svg(f"{title}. {words}", [rows], height=height)


def _row(bar: Bar, y: float, xs: Scale) -> SafeString:
    name = bar.name if len(bar.name) <= 20 else f"{bar.name[:19]}…"
    whisker = SafeString("")
    if bar.low is not None and bar.high is not None:
        middle = y + ROW / 2
        whisker = format_html(
            '<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>', xs(bar.low), xs(bar.high), middle, middle
        )
    interval = "" if bar.low is None or bar.high is None else f" ({short(bar.low)} to {short(bar.high)})"
    return format_html(
        '<g><title>{}: {}{}</title><text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="bar c{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>{}'
        '<text x="{}" y="{}">{}</text></g>',
        bar.name,
        short(bar.value),
        interval,
        NAME - 8,
        y + ROW / 2 + 4,
        name,
        bar.colour,
        NAME,
        y + 5,
        max(xs(bar.value) - NAME, 1),
        ROW - 10,
        whisker,
        max(xs(bar.value), xs(bar.high or 0.0)) + 7,
        y + ROW / 2 + 4,
        short(bar.value),
    )
