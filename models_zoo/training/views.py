"""What the network sees: each face once per epoch, mirrored at random, augmented at random, ready one batch ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from torch import Tensor

from models_zoo.training.config import TrainConfig
from models_zoo.training.dataset import Crop, CropReader

Augment = Callable[[Crop, Generator], Crop]


@dataclass(frozen=True)
class Batch:
    """Faces' rows int64 (n,), and one view of each: uint8 RGB (n, 112, 112, 3)."""

    rows: NDArray[np.int64]
    views: NDArray[np.uint8]


class Views:
    """All batches of a run by step. Step s is the same whatever ran before it, so a run can go on from any step.

    Args:
        extra: bool (n,), which of the n faces are of train_extra; `config.extra_share` caps how many an epoch sees.
    """

    def __init__(
        self, reader: CropReader, extra: NDArray[np.bool_], config: TrainConfig, augment: Augment | None
    ) -> None:
        self._reader, self._extra, self._config, self._augment = reader, extra, config, augment
        self._capped = capped(extra, config.extra_share)
        self.faces_per_epoch = int((~extra).sum()) + self._capped
        self.steps_per_epoch = math.ceil(self.faces_per_epoch / config.batch_size)
        self.steps = self.steps_per_epoch * config.epochs

    def batches(self, first_step: int) -> Iterator[Batch]:
        """The batches from `first_step` on, each made while the one before is in use."""
        with ThreadPoolExecutor(self._config.workers) as pool:
            waiting: list[tuple[NDArray[np.int64], list[Future[Crop]]]] = []
            try:
                for step in range(first_step, self.steps):
                    waiting.append(self._submit(pool, step))
                    if len(waiting) == 2:
                        yield _collect(*waiting.pop(0))
                if waiting:
                    yield _collect(*waiting.pop(0))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, step: int) -> tuple[NDArray[np.int64], list[Future[Crop]]]:
        epoch, batch = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        rows = order[batch * self._config.batch_size :][: self._config.batch_size]
        return rows, [pool.submit(self._view, epoch, int(row)) for row in rows]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch: all faces, or, where train_extra has too many, others of it each time."""
        order = self._generator(epoch).permutation(len(self._extra))
        return order[~self._extra[order] | (np.cumsum(self._extra[order]) <= self._capped)]

    def _view(self, epoch: int, row: int) -> Crop:
        rng = self._generator(epoch, row)
        crop = self._reader.read(row)
        mirrored, plain = rng.random() < 0.5, rng.random() < self._config.plain
        if mirrored:
            crop = np.ascontiguousarray(crop[:, ::-1])
        return crop if plain or self._augment is None else self._augment(crop, rng)

    def _generator(self, *item: int) -> Generator:
        return np.random.default_rng(SeedSequence(self._config.seed, spawn_key=item))


def capped(extra: NDArray[np.bool_], share: float) -> int:
    """How many faces of train_extra an epoch may see, so that they are at most `share` of what it sees.

    Where there are no other faces, or the share is 1, all of them.
    """
    many, others = int(extra.sum()), int((~extra).sum())
    if share >= 1 or not others:
        return many
    return min(many, int(others * share / (1 - share)))


def as_tensor(views: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 (n, 112, 112, 3) to the network's float32 (n, 3, 112, 112), channels last in memory."""
    pixels = torch.from_numpy(views).to(device, non_blocking=True)
    return pixels.permute(0, 3, 1, 2).float()


def _collect(rows: NDArray[np.int64], views: list[Future[Crop]]) -> Batch:
    return Batch(rows, np.stack([view.result() for view in views]))
