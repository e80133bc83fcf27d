"""Charts as SVG text made on the server: no script, no inline style, colours from the style sheet."""

from .bars import Bar, bar_chart
from .curve import Curve, Mark, curve_chart
from .differences import Gain, difference_chart
from .histogram import histogram
from .line import Series, line_chart
from .sparkline import sparkline

__all__ = [
    "Bar",
    "Curve",
    "Gain",
    "Mark",
    "Series",
    "bar_chart",
    "curve_chart",
    "difference_chart",
    "histogram",
    "line_chart",
    "sparkline",
]
