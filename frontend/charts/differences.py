"""Differences with their intervals around a line at zero: what a change brought, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from frontend.charts import frame
from frontend.charts.scale import Scale, nice_ticks, short

ROW = 24.0
NAME = 120.0
LONGEST = 20


@dataclass(frozen=True)
class Gain:
    """One row: a difference and its interval, in the same unit."""

    name: str
    value: float
    low: float
    high: float


def difference_chart(gains: Sequence[Gain], *, title: str) -> SafeString:
    """SVG with one row per difference; what is right of the line is better. Empty string without rows."""
    if not gains:
        return SafeString("")
    ticks = nice_ticks(min(0.0, *(g.low for g in gains)), max(0.0, *(g.high for g in gains)))
    xs = Scale(ticks[0], ticks[-1], NAME, frame.WIDTH - frame.RIGHT - 8)
    bottom = ROW * len(gains) + 4
    lines = format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="2" y2="{}"/>',
        ((xs(tick), xs(tick), bottom) for tick in ticks if tick),
    )
    zero = format_html('<line class="mark" x1="{}" x2="{}" y1="2" y2="{}"/>', xs(0.0), xs(0.0), bottom)
    labels = frame.x_labels([(xs(tick), _signed(tick)) for tick in ticks], height=bottom + 22)
    rows = format_html_join("", "{}", ((_row(gain, (i + 0.5) * ROW + 2, xs),) for i, gain in enumerate(gains)))
    words = "; ".join(f"{g.name} {_signed(g.value)} ({_signed(g.low)} to {_signed(g.high)})" for g in gains)
    return frame.svg(f"{title}. {words}", [lines, zero, labels, rows], height=bottom + 26)


def _row(gain: Gain, y: float, xs: Scale) -> SafeString:
    name = gain.name if len(gain.name) <= LONGEST else f"{gain.name[: LONGEST - 1]}…"
    return format_html(
        '<g><title>{}: {} ({} to {})</title><text x="{}" y="{}" text-anchor="end">{}</text>'
        '<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/><circle class="point c1" cx="{}" cy="{}" r="4.5"/></g>',
        gain.name,
        _signed(gain.value),
        _signed(gain.low),
        _signed(gain.high),
        NAME - 8,
        y + 4,
        name,
        xs(gain.low),
        xs(gain.high),
        y,
        y,
        xs(gain.value),
        y,
    )


def _signed(value: float) -> str:
    return short(value) if value == 0 else f"{'+' if value > 0 else '−'}{short(abs(value))}"
