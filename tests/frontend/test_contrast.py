"""Text is readable in both themes: WCAG AA, 4.5 to 1, for every pair of colours that the pages put together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import frontend

TOKENS = (Path(frontend.__file__).parent / "static/frontend/css/tokens.css").read_text()
PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "surface", "surface-2", "sunken")],
    *[("accent", ground) for ground in ("paper", "surface", "surface-2")],
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
    *[(name, f"{name}-soft") for name in ("good", "warn", "bad", "info")],
    *[(name, "surface") for name in ("good", "warn", "bad", "info")],
    ("ink-2", "accent-soft"),
]


def colours(selector: str) -> dict[str, str]:
    start = TOKENS.index(selector)
    block = TOKENS[start : TOKENS.index("}", start)]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("selector", [":root {", ':root[data-theme="dark"]'])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_is_readable(selector: str, ink: str, ground: str) -> None:
    theme = colours(selector)
    assert contrast(theme[ink], theme[ground]) >= 4.5


def test_the_dark_theme_is_the_same_by_system_and_by_switch() -> None:
    assert colours(':root:not([data-theme="light"])') == colours(':root[data-theme="dark"]')


def test_no_other_sheet_names_a_colour() -> None:
    folder = Path(frontend.__file__).parent / "static/frontend/css"
    for sheet in folder.glob("*.css"):
        if sheet.name == "tokens.css":
            continue
        for line in sheet.read_text().splitlines():
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b", line), f"{sheet.name}: {line}"
