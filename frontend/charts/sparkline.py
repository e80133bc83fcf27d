"""A line without axes, as high as a line of text."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from frontend.charts.scale import Scale, finite, short


def sparkline(values: Sequence[float | None], *, title: str) -> SafeString:
    """SVG of the numbers among `values`, 96 x 24. Empty string with fewer than two."""
    numbers = finite(values)
    if len(numbers) < 2:
        return SafeString("")
    xs = Scale(0, len(numbers) - 1, 3, 93)
    ys = Scale(min(numbers), max(numbers), 20, 4)
    points = " ".join(f"{xs(i)},{ys(v)}" for i, v in enumerate(numbers))
    return format_html(
        '<svg class="chart sparkline" viewBox="0 0 96 24" width="96" height="24" role="img" aria-label="{}: {} to {}">'
        '<polyline class="line c1" points="{}"/><circle class="point c1" cx="{}" cy="{}" r="3"/></svg>',
        title,
        short(numbers[0]),
        short(numbers[-1]),
        points,
        xs(len(numbers) - 1),
        ys(numbers[-1]),
    )
