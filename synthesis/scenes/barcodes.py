"""EAN-13: check digit and bars. Source: GS1 General Specifications, section 5.2 (EAN/UPC symbology)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from foundation.errors import InvalidInput

MODULES: Final = 95
_ODD: Final = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011"
_PARITY: Final = "LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL"


def check_digit(digits: str) -> int:
    """The thirteenth digit of the first twelve. Raises InvalidInput: not twelve digits."""
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        raise InvalidInput(f"An EAN-13 starts with twelve digits, not {digits!r}.", code="bad_ean")
    return -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10


def draw_ean(rng: Rng) -> str:
    """A number with a prefix from 200 to 299, which GS1 keeps for use inside shops: no real product has it."""
    digits = "2" + "".join(str(digit) for digit in rng.integers(10, size=11))
    return digits + str(check_digit(digits))


def bars(ean: str) -> NDArray[np.bool_]:
    """(95,) modules, true where dark, guards included, without the quiet zones (11 modules left, 7 right).

    Raises:
        InvalidInput: not thirteen digits, or the last one is wrong.
    """
    if len(ean) != 13 or check_digit(ean[:12]) != int(ean[12]):
        raise InvalidInput(f"{ean!r} is no EAN-13: its check digit is wrong.", code="bad_ean")
    left = [_left(int(digit), parity) for digit, parity in zip(ean[1:7], _PARITY.split()[int(ean[0])], strict=True)]
    right = [_inverted(_ODD.split()[int(digit)]) for digit in ean[7:]]
    pattern = "101" + "".join(left) + "01010" + "".join(right) + "101"
    return np.array([module == "1" for module in pattern])


def _left(digit: int, parity: str) -> str:
    """L is the odd code; G its inverse read backwards."""
    return _ODD.split()[digit] if parity == "L" else _inverted(_ODD.split()[digit])[::-1]


def _inverted(code: str) -> str:
    return code.translate({48: 49, 49: 48})
