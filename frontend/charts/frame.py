"""What every chart has around it: size, grid, axis labels, a name for screen readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from frontend.charts.scale import Scale, short

WIDTH = 420.0
HEIGHT = 190.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 10.0, 26.0


def svg(label: str, parts: Iterable[SafeString], *, width: float = WIDTH, height: float = HEIGHT) -> SafeString:
    """The outer element; `label` says in one sentence what the chart shows."""
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        f"{width:g}",
        f"{height:g}",
        f"{width:g}",
        f"{height:g}",
        label,
        mark_safe("".join(parts)),  # noqa: S308 - every part was made by format_html
    )


def y_axis(
    ticks: Sequence[float], scale: Scale, *, right: float = WIDTH - RIGHT, name: Callable[[float], str] = short
) -> SafeString:
    """Horizontal grid lines with their values on the left."""
    return format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, right, scale(t), scale(t), LEFT - 7, scale(t) + 3.5, name(t)) for t in ticks),
    )


def x_labels(labels: Sequence[tuple[float, str]], *, height: float = HEIGHT) -> SafeString:
    """Texts under the chart, centred at the given pixels."""
    return format_html_join(
        "", '<text x="{}" y="{}" text-anchor="middle">{}</text>', ((x, height - 8, text) for x, text in labels)
    )
