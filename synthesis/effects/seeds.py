"""One seed per item from one master seed: item 7,312 is the same however many workers made the others."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, SeedSequence


def item_rng(master_seed: int, *item: int) -> Generator:
    """The generator of one item, for example `item_rng(seed, epoch, index)`. All numbers are >= 0."""
    return np.random.default_rng(SeedSequence(master_seed, spawn_key=item))


def digest_rng(master_seed: int, digest: str) -> Generator:
    """The generator of the item with this hexadecimal content digest, whatever order the items come in."""
    return item_rng(master_seed, int(digest, 16))
