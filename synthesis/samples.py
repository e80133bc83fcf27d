"""What every generator gives: `recipe + seed + index -> Sample`, the same however many workers made the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.effects.base import Image, Params
from synthesis.effects.seeds import item_rng

# JSON values and arrays; which ones, the generator's docstring says.
Labels = dict[str, Any]
ATTEMPTS: Final = 32
AT_ONCE: Final = 2  # items in hand where another program renders: one there, one here


class Rejected(InvalidInput):
    """The parameters drawn make an item that isn't fit for use, such as text nobody can read. Draw others."""

    code = "sample_rejected"


@dataclass(frozen=True, slots=True)
class Sample:
    """One made item.

    Attributes:
        image: uint8 RGB (h, w, 3).
        labels: what the image shows.
        params: what was drawn, JSON values only: `generator.render(params)` makes the same image and labels again.
        seed, index: where the parameters came from.
        attempt: how many draws were rejected before this one.
    """

    image: Image
    labels: Labels
    params: Params
    seed: int
    index: int
    attempt: int

    @property
    def key(self) -> str:
        """A name that sorts by index and is unique within a seed."""
        return f"{self.index:09d}"


class Generator(ABC):
    """Makes labelled images. Subclasses are frozen dataclasses whose fields are what a recipe may set."""

    @abstractmethod
    def sample(self, rng: Rng) -> Params:
        """Draw parameters, using nothing but `rng` and the generator's own fields.

        Raises:
            Rejected: this draw can't be used; another may be.
        """

    @abstractmethod
    def render(self, params: Params) -> tuple[Image, Labels]:
        """The image and its labels. Draws nothing.

        Raises:
            Rejected: the image isn't fit for use.
        """

    def formats(self) -> tuple[str, ...]:
        """What its samples can be written as, names of `writers.formats.FORMATS`, the usual one first."""
        return ("webdataset",)

    def classes(self) -> tuple[str, ...]:
        """What its instances may be. The ids of formats that number them count from 1 in this order, also where a class
        does not occur; so a new class comes last. Empty where samples have no instances."""
        return ()

    def needs(self) -> str:
        """What must be set up before it can render: "blender" or nothing. Such samples take seconds each."""
        return ""

    def check(self) -> None:  # noqa: B027 many need nothing
        """Look whether all that the samples are drawn with is here, before any is made.

        Raises:
            LoupeError: a font, a glyph or a package is missing; the message names it.
        """

    def ingredients(self) -> dict[str, str]:
        """What outside Loupe its samples are drawn with, told with a digest, by what it is. Looked at anew each time.

        Raises:
            LoupeError: some of it is missing.
        """
        return {}

    def shard_size(self) -> int:
        """How many samples a worker makes before it puts them away: some seconds' worth."""
        return 500


def make_samples(generator: Generator, seed: int, indices: range) -> Iterator[tuple[int, Sample | Exception]]:
    """Each index with its item, or with what was raised instead, in order.

    Where another program renders, the next item is drawn and the last one read while it does.
    """
    if not generator.needs():
        for index in indices:
            yield index, _attempted(generator, seed, index)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        begun: deque[tuple[int, Future[Sample | Exception]]] = deque()
        try:
            for index in indices:
                begun.append((index, threads.submit(_attempted, generator, seed, index)))
                if len(begun) > AT_ONCE:
                    at, made = begun.popleft()
                    yield at, made.result()
            while begun:
                at, made = begun.popleft()
                yield at, made.result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _attempted(generator: Generator, seed: int, index: int) -> Sample | Exception:
    try:
        return make_sample(generator, seed, index)
    except Exception as error:  # whoever asked for the item decides what it means for the others
        return error


def make_sample(generator: Generator, seed: int, index: int) -> Sample:
    """Item `index` of the endless series that `seed` stands for.

    Rejected draws are repeated from a seed of their own, so no item depends on another.

    Raises:
        InvalidInput: seed or index is negative, or nothing usable was drawn in `ATTEMPTS` tries.
    """
    if seed < 0 or index < 0:
        raise InvalidInput(f"Seed and index are 0 or more, not {seed} and {index}.", code="bad_seed")
    reason = ""
    for attempt in range(ATTEMPTS):
        try:
            params = generator.sample(item_rng(seed, index, attempt))
            image, labels = generator.render(params)
        except Rejected as rejection:
            reason = rejection.message
            continue
        return Sample(np.ascontiguousarray(image), labels, params, seed, index, attempt)
    raise InvalidInput(
        f"Nothing usable in {ATTEMPTS} draws; the last one: {reason}",
        code="recipe_yields_nothing",
    )
