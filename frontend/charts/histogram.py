"""Counts per bin, with an optional marked value such as the threshold."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from frontend.charts import frame
from frontend.charts.scale import Scale, nice_ticks, short


def histogram(
    counts: Sequence[int],
    *,
    low: float,
    high: float,
    title: str,
    mark: float | None = None,
    mark_name: str = "threshold",
) -> SafeString:
    """SVG of equal bins over [low, high]. Empty string without counts."""
    if not counts or high <= low:
        return SafeString("")
    ticks = [t for t in nice_ticks(0, max(*counts, 1), 3) if t == int(t)]
    ys = Scale(0, max(*counts, ticks[-1], 1), frame.HEIGHT - frame.BOTTOM, frame.TOP)
    xs = Scale(low, high, frame.LEFT, frame.WIDTH - frame.RIGHT)
    width = (high - low) / len(counts)
    bars = format_html_join(
        "",
        '<rect class="bar c1" x="{}" y="{}" width="{}" height="{}"><title>{} to {}: {}</title></rect>',
        (
            (
                xs(low + i * width) + 0.5,
                ys(count),
                max(round(xs(low + (i + 1) * width) - xs(low + i * width) - 1, 2), 0.5),
                round(ys(0) - ys(count), 2),
                short(low + i * width),
                short(low + (i + 1) * width),
                count,
            )
            for i, count in enumerate(counts)
        ),
    )
    marks = [t for t in nice_ticks(low, high, 5) if low <= t <= high]
    parts = [frame.y_axis(ticks, ys), bars, frame.x_labels([(xs(t), short(t)) for t in marks])]
    if mark is not None and low <= mark <= high:
        parts.append(
            format_html(
                '<line class="mark" x1="{}" x2="{}" y1="{}" y2="{}"><title>{}: {}</title></line>',
                xs(mark),
                xs(mark),
                frame.TOP,
                frame.HEIGHT - frame.BOTTOM,
                mark_name,
                short(mark),
            )
        )
    return frame.svg(f"{title}. {sum(counts)} in {len(counts)} bins from {short(low)} to {short(high)}", parts)
