"""Curves over a numeric axis, with marked values and points that have an interval along it: distributions, rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from frontend.charts import frame
from frontend.charts.scale import Scale, nice_ticks, short


@dataclass(frozen=True)
class Curve:
    """One line through (x, y) in rising x. `colour` is 1..4."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 1


@dataclass(frozen=True)
class Mark:
    """A value of x: an upright line, or with `y` a point on the curves; `low` and `high` are its interval."""

    name: str
    x: float
    y: float | None = None
    low: float | None = None
    high: float | None = None
    colour: int = 3


def curve_chart(
    curves: Sequence[Curve],
    marks: Sequence[Mark] = (),
    *,
    title: str,
    low: float,
    high: float,
    y_name: Callable[[float], str] = short,
    y_ticks: Sequence[float] = (),
) -> SafeString:
    """SVG over x in [low, high] with a legend under it. Empty string without a curve.

    Args:
        y_name: how a value of y is written, on the axis and in words; `y_ticks`: where, instead of at round numbers.
    """
    drawn = [curve for curve in curves if len(curve.points) > 1]
    values = [y for curve in drawn for _, y in curve.points]
    if not values or high <= low:
        return SafeString("")
    ticks = list(y_ticks) or nice_ticks(min(0.0, *values), max(values))
    ys = Scale(ticks[0], ticks[-1], frame.HEIGHT - frame.BOTTOM, frame.TOP)
    xs = Scale(low, high, frame.LEFT, frame.WIDTH - frame.RIGHT)
    shown = [mark for mark in marks if low <= mark.x <= high]
    parts = [
        frame.y_axis(ticks, ys, name=y_name),
        frame.x_labels([(xs(t), short(t)) for t in nice_ticks(low, high, 5) if low <= t <= high]),
        *[_line(curve, xs, ys) for curve in drawn],
        *[_mark(mark, xs, ys, y_name) for mark in shown],
    ]
    words = "; ".join([*(curve.name for curve in drawn), *(_words(mark, y_name) for mark in shown)])
    return frame.svg(f"{title}. {words}", parts) + _legend(drawn, shown)


def _line(curve: Curve, xs: Scale, ys: Scale) -> SafeString:
    points = " ".join(f"{xs(x)},{ys(y)}" for x, y in curve.points)
    return format_html(
        '<polyline class="line c{}" points="{}"><title>{}</title></polyline>', curve.colour, points, curve.name
    )


def _mark(mark: Mark, xs: Scale, ys: Scale, y_name: Callable[[float], str]) -> SafeString:
    words = _words(mark, y_name)
    if mark.y is None:
        return format_html(
            '<line class="mark" x1="{}" x2="{}" y1="{}" y2="{}"><title>{}</title></line>',
            xs(mark.x),
            xs(mark.x),
            frame.TOP,
            frame.HEIGHT - frame.BOTTOM,
            words,
        )
    whisker = SafeString("")
    if mark.low is not None and mark.high is not None:
        left, right = (min(max(end, xs.low), xs.high) for end in (mark.low, mark.high))
        whisker = format_html(
            '<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>', xs(left), xs(right), ys(mark.y), ys(mark.y)
        )
    return whisker + format_html(
        '<circle class="point c{}" cx="{}" cy="{}" r="4.5"><title>{}</title></circle>',
        mark.colour,
        xs(mark.x),
        ys(mark.y),
        words,
    )


def _words(mark: Mark, y_name: Callable[[float], str]) -> str:
    interval = "" if mark.low is None or mark.high is None else f" ({short(mark.low)} to {short(mark.high)})"
    return f"{mark.name}: {short(mark.x)}{interval}" + ("" if mark.y is None else f" at {y_name(mark.y)}")


def _legend(curves: Sequence[Curve], marks: Sequence[Mark]) -> SafeString:
    entries = [(curve.colour, curve.name) for curve in curves]
    entries += [(mark.colour, mark.name) for mark in marks if mark.y is not None]
    return format_html('<ul class="legend">{}</ul>', format_html_join("", '<li><i class="c{}"></i>{}</li>', entries))
