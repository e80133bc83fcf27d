"""Lines over an ordinal axis (rounds, epochs), each with an optional band for its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from frontend.charts import frame
from frontend.charts.scale import Scale, finite, nice_ticks, short

MOST_LABELS = 9


@dataclass(frozen=True)
class Series:
    """One line. None is a gap. `low` and `high`, where given, are the interval of each value."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = field(default_factory=tuple)
    high: Sequence[float | None] = field(default_factory=tuple)


def line_chart(
    series: Sequence[Series], labels: Sequence[str], *, title: str, floor: float | None = None
) -> SafeString:
    """SVG of all series over `labels`, with a legend under it when there are several.

    `floor` is the lowest value that the axis must show. Returns an empty string when no value is a number.
    """
    seen = finite([v for s in series for v in (*s.values, *s.low, *s.high)])
    if not seen or not labels:
        return SafeString("")
    ticks = nice_ticks(min(seen) if floor is None else min(floor, *seen), max(seen))
    ys = Scale(ticks[0], ticks[-1], frame.HEIGHT - frame.BOTTOM, frame.TOP)
    inset = 14.0
    xs = Scale(0, max(len(labels) - 1, 1), frame.LEFT + inset, frame.WIDTH - frame.RIGHT - inset)
    step = -(-len(labels) // MOST_LABELS)
    parts = [
        frame.y_axis(ticks, ys),
        frame.x_labels([(xs(i), text) for i, text in enumerate(labels) if i % step == 0]),
    ]
    for n, one in enumerate(series, start=1):
        parts += [_band(one, xs, ys, n), _line(one, xs, ys, n), _points(one, labels, xs, ys, n)]
    chart = frame.svg(f"{title}. {_in_words(series, labels)}", parts)
    return chart if len(series) == 1 else chart + _legend(series)


def _runs(values: Sequence[float | None]) -> list[list[int]]:
    """Indices of consecutive numbers: a gap breaks the line."""
    runs: list[list[int]] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _line(one: Series, xs: Scale, ys: Scale, colour: int) -> SafeString:
    rows = [(colour, " ".join(f"{xs(i)},{ys(one.values[i] or 0.0)}" for i in run)) for run in _runs(one.values)]
    return format_html_join("", '<polyline class="line c{}" points="{}"/>', rows)


def _band(one: Series, xs: Scale, ys: Scale, colour: int) -> SafeString:
    if len(one.low) != len(one.values) or len(one.high) != len(one.values):
        return SafeString("")
    both = [None if lo is None or hi is None else lo for lo, hi in zip(one.low, one.high, strict=True)]
    rows = []
    for run in _runs(both):
        if len(run) == 1:  # one point has no area: its interval is an upright line
            run = [run[0], run[0]]
        upper = [f"{xs(i)},{ys(one.high[i] or 0.0)}" for i in run]
        lower = [f"{xs(i)},{ys(one.low[i] or 0.0)}" for i in reversed(run)]
        rows.append((colour, " ".join(upper + lower)))
    bands = format_html_join("", '<polygon class="band c{}" points="{}"/>', rows)
    whiskers = format_html_join(
        "",
        '<line class="c{}" stroke-width="1" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        (
            (colour, xs(i), xs(i), ys(lo), ys(hi))
            for i, (lo, hi) in enumerate(zip(one.low, one.high, strict=True))
            if lo is not None and hi is not None
        ),
    )
    return mark_safe(bands + whiskers)  # noqa: S308 - both made by format_html_join


def _points(one: Series, labels: Sequence[str], xs: Scale, ys: Scale, colour: int) -> SafeString:
    rows = []
    for i, value in enumerate(one.values):
        if value is not None:
            rows.append((colour, xs(i), ys(value), f"{one.name}, {labels[i]}: {short(value)}{_interval(one, i)}"))
    return format_html_join("", '<circle class="point c{}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>', rows)


def _interval(one: Series, i: int) -> str:
    low = one.low[i] if i < len(one.low) else None
    high = one.high[i] if i < len(one.high) else None
    return "" if low is None or high is None else f" ({short(low)} to {short(high)})"


def _in_words(series: Sequence[Series], labels: Sequence[str]) -> str:
    words = []
    for one in series:
        known = [(label, value) for label, value in zip(labels, one.values, strict=False) if value is not None]
        if known:
            words.append(f"{one.name}: {short(known[0][1])} at {known[0][0]}, {short(known[-1][1])} at {known[-1][0]}")
    return "; ".join(words)


def _legend(series: Sequence[Series]) -> SafeString:
    items = format_html_join(
        "", '<li><i class="c{}"></i>{}</li>', ((n, one.name) for n, one in enumerate(series, start=1))
    )
    return format_html('<ul class="legend">{}</ul>', items)
