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
    """All batches of a run by step. Step s is the same whatever ran before it, so a run can go on from any step."""

    def __init__(self, reader: CropReader, count: int, config: TrainConfig, augment: Augment | None) -> None:
        self._reader, self._count, self._config, self._augment = reader, count, config, augment
        self.steps_per_epoch = math.ceil(count / config.batch_size)
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
        order = self._generator(epoch).permutation(self._count)
        rows = order[batch * self._config.batch_size :][: self._config.batch_size]
        return rows, [pool.submit(self._view, epoch, int(row)) for row in rows]

    def _view(self, epoch: int, row: int) -> Crop:
        rng = self._generator(epoch, row)
        crop = self._reader.read(row)
        mirrored, plain = rng.random() < 0.5, rng.random() < self._config.plain
        if mirrored:
            crop = np.ascontiguousarray(crop[:, ::-1])
        return crop if plain or self._augment is None else self._augment(crop, rng)

    def _generator(self, *item: int) -> Generator:
        return np.random.default_rng(SeedSequence(self._config.seed, spawn_key=item))


def as_tensor(views: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 (n, 112, 112, 3) to the network's float32 (n, 3, 112, 112), channels last in memory."""
    pixels = torch.from_numpy(views).to(device, non_blocking=True)
    return pixels.permute(0, 3, 1, 2).float()


def _collect(rows: NDArray[np.int64], views: list[Future[Crop]]) -> Batch:
    return Batch(rows, np.stack([view.result() for view in views]))
