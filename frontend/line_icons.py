"""Line icons on a 24 x 24 grid, put into the page as SVG: no request, no font, colour from the text.

Adding one is adding `icons/<name>.svg`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(__file__).parent / "icons"


@cache
def icon(name: str) -> SafeString:
    """The markup of one icon, hidden from screen readers: the text beside it says what it means."""
    drawing = (FOLDER / f"{name}.svg").read_text().strip().partition(">")[2].removesuffix("</svg>")
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(drawing),  # noqa: S308 - a file of ours, nothing of a user
    )
