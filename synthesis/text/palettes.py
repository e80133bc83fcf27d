"""Colours of things as they are printed."""

from __future__ import annotations

from typing import Final

from numpy.random import Generator as Rng

from synthesis.text.legibility import Colour

_WHITE, _PAPER, _BLACK, _RED = (250, 250, 248), (240, 234, 220), (20, 20, 20), (190, 20, 25)
# Ground and text of what is printed like that, as often as it stands here.
PALETTES: Final[dict[str, tuple[tuple[Colour, Colour], ...]]] = {
    "price_tag": (
        *[(_WHITE, _BLACK)] * 6,
        *[((255, 221, 0), _BLACK)] * 4,
        *[((250, 235, 120), _BLACK)] * 2,
        *[(_WHITE, _RED)] * 2,
        ((255, 221, 0), _RED),
        (_RED, _WHITE),
        (_BLACK, _WHITE),
    ),
    "paper": (
        *[(_WHITE, _BLACK)] * 6,
        *[(_PAPER, _BLACK)] * 3,
        *[((228, 228, 224), (40, 40, 42))] * 3,
        (_WHITE, (30, 40, 110)),
        (_PAPER, (70, 45, 30)),
        (_WHITE, (90, 90, 90)),
    ),
}
FROM_PALETTE: Final = 0.9  # of images; the others have any colours


def printed(rng: Rng, palette: str) -> tuple[list[Colour], list[Colour]]:
    """A ground and a text of one of `PALETTES`, as some printer and some camera would give them."""
    pairs = PALETTES[palette]
    ground, ink = pairs[int(rng.integers(len(pairs)))]
    return [_near(rng, ground)], [_near(rng, ink)]


def _near(rng: Rng, colour: Colour) -> Colour:
    light = int(rng.integers(-14, 15))
    red, green, blue = (min(max(level + light + int(rng.integers(-6, 7)), 0), 255) for level in colour)
    return red, green, blue
