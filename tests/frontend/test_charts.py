"""Charts: valid SVG, all values inside the frame, gaps kept, nothing unescaped."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frontend.charts import (
    Bar,
    Curve,
    Gain,
    Mark,
    Series,
    bar_chart,
    curve_chart,
    difference_chart,
    histogram,
    line_chart,
    sparkline,
)
from frontend.charts.frame import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from frontend.charts.scale import nice_ticks, short

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def parse(text: str) -> ElementTree.Element:
    svg = text.split("</svg>")[0] + "</svg>"
    return ElementTree.fromstring(svg)  # noqa: S314 - made by us a moment ago


@given(st.lists(st.one_of(st.none(), numbers), min_size=1, max_size=30))
def test_every_point_of_a_line_lies_inside_the_frame(values: list[float | None]) -> None:
    text = line_chart([Series("a", values)], [str(i) for i in range(len(values))], title="t")
    known = [value for value in values if value is not None]
    if not known:
        assert text == ""
        return
    points = parse(text).findall(".//circle")
    assert len(points) == len(known)
    for point in points:
        assert TOP - 0.1 <= float(point.attrib["cy"]) <= HEIGHT - BOTTOM + 0.1


def test_a_gap_breaks_the_line() -> None:
    text = line_chart([Series("a", [1, 2, None, 4, 5])], list("abcde"), title="t")
    assert len(parse(text).findall(".//polyline")) == 2


def test_a_band_needs_both_ends_and_one_value_alone_shows_its_interval() -> None:
    one = line_chart([Series("a", [0.5], [0.4], [0.6])], ["0"], title="t")
    assert len(parse(one).findall(".//polygon")) == 1
    assert "(0.4 to 0.6)" in one
    none = line_chart([Series("a", [0.5, 0.6], [None, None], [None, None])], ["0", "1"], title="t")
    assert not parse(none).findall(".//polygon")


@given(numbers, numbers)
@example(0.0, 5e-324)
@example(1.0, 1.0 + 1e-15)
def test_ticks_cover_the_range_with_few_round_numbers(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low + 1e-6 * max(1.0, abs(low))
    assert ticks[-1] >= high - 1e-6 * max(1.0, abs(high))
    assert 2 <= len(ticks) <= 8


def test_names_of_people_cannot_become_markup() -> None:
    bad = '<script>alert("x")</script>'
    for text in (
        bar_chart([Bar(bad, 1.0)], title=bad),
        line_chart([Series(bad, [1.0, 2.0]), Series("b", [1.0, 1.0])], [bad, "1"], title=bad),
        histogram([1, 2], low=0, high=1, title=bad),
        sparkline([1.0, 2.0], title=bad),
    ):
        assert "<script" not in text
        parse(text)


def test_a_histogram_has_a_bar_per_bin_and_marks_the_threshold() -> None:
    svg = parse(histogram([3, 0, 7], low=0.0, high=0.6, title="t", mark=0.4))
    bars = svg.findall(".//rect")
    assert [float(bar.attrib["height"]) for bar in bars][1] == 0
    assert len(svg.findall(".//line[@class='mark']")) == 1
    assert histogram([], low=0, high=1, title="t") == ""


def test_empty_charts_are_empty_texts() -> None:
    assert bar_chart([], title="t") == ""
    assert sparkline([1.0, None], title="t") == ""
    assert line_chart([Series("a", [math.nan])], ["0"], title="t") == ""


@pytest.mark.parametrize(("value", "text"), [(0.95, "0.95"), (12, "12"), (34_000, "34k"), (2_000_000, "2M")])
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-9, 0)), min_size=2, max_size=20), st.floats(-2, 3))
def test_a_curve_and_its_marks_stay_in_the_frame(points: list[tuple[float, float]], end: float) -> None:
    marks = [Mark("here", 0.5), Mark("point", 0.4, y=-3.0, low=min(0.4, end), high=max(0.4, end)), Mark("outside", 1.5)]
    svg = parse(curve_chart([Curve("a", sorted(points))], marks, title="t", low=0, high=1, y_ticks=[-9, -6, -3, 0]))
    assert len(svg.findall(f".//{SVG}circle")) + len(svg.findall(".//circle")) == 1
    for line in [*svg.findall(".//line"), *svg.findall(f".//{SVG}line")]:
        for name in ("x1", "x2"):
            assert LEFT - 0.1 <= float(line.attrib[name]) <= WIDTH - RIGHT + 0.1


def test_a_chart_of_curves_says_what_is_marked_and_escapes_names() -> None:
    text = curve_chart(
        [Curve("<b>", [(0.0, 0.0), (1.0, 2.0)])],
        [Mark("chosen", 0.5, y=1.0, low=0.4, high=0.6)],
        title="t",
        low=0,
        high=1,
    )
    assert "chosen: 0.5 (0.4 to 0.6) at 1" in text
    assert "&lt;b&gt;" in text and "<b>" not in text
    assert curve_chart([Curve("a", [(0.0, 1.0)])], title="t", low=0, high=1) == ""


def test_no_bar_leaves_the_chart_where_ticks_between_whole_numbers_are_left_out() -> None:
    drawn = histogram([1, 7, 2], low=0, high=1, title="Few")
    tops = [float(bar.attrib["y"]) for bar in parse(drawn).iter("rect") if "bar" in bar.attrib["class"]]
    assert len(tops) == 3 and min(tops) >= TOP


@given(st.lists(st.tuples(numbers, st.floats(0, 1e3), st.floats(0, 1e3)), max_size=12))
def test_differences_lie_inside_the_frame_and_zero_is_marked(rows: list[tuple[float, float, float]]) -> None:
    gains = [Gain(f"<{i}>", value, value - down, value + up) for i, (value, down, up) in enumerate(rows)]
    text = difference_chart(gains, title="t")
    if not rows:
        assert text == ""
        return
    svg = parse(text)
    assert len([line for line in svg.findall(".//line") if line.attrib["class"] == "mark"]) == 1
    points, whiskers = svg.findall(".//circle"), svg.findall(".//line[@class='whisker']")
    assert len(points) == len(whiskers) == len(rows)
    for point, whisker in zip(points, whiskers, strict=True):
        low, high = float(whisker.attrib["x1"]), float(whisker.attrib["x2"])
        assert 0 <= low - 0.02 <= float(point.attrib["cx"]) <= high + 0.02 <= WIDTH
    best = [gain for gain in gains if gain.low > 0]
    zero = float(svg.find(".//line[@class='mark']").attrib["x1"])  # type: ignore[union-attr]
    assert all(float(whiskers[int(gain.name[1:-1])].attrib["x1"]) >= zero - 0.02 for gain in best)
