"""A small recogniser of words: six convolutions, connectionist temporal classification (CTC), trained in minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.recogniser_images import CHARACTERS

BATCH: Final = 64
_STEP: Final = 4  # pixels of width to a step of the output


class Recogniser(nn.Module):
    """Grey float32 (n, 1, 32, w), w a multiple of 4, to log probabilities (w / 4, n, 1 + characters), blank first."""

    def __init__(self) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, pool: tuple[int, int]) -> list[nn.Module]:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), nn.MaxPool2d(pool)]

        self.features = nn.Sequential(
            *block(1, 24, (2, 2)),
            *block(24, 56, (2, 2)),
            *block(56, 112, (2, 1)),
            *block(112, 128, (2, 1)),
            nn.Conv2d(128, 192, (2, 3), padding=(0, 1), bias=False),
            nn.BatchNorm2d(192),
            nn.ReLU(inplace=True),
        )
        self.context = nn.Sequential(
            nn.Conv1d(192, 192, 5, padding=2, bias=False), nn.BatchNorm1d(192), nn.ReLU(inplace=True), nn.Dropout(0.1)
        )
        self.classes = nn.Conv1d(192, 1 + len(CHARACTERS), 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(images).squeeze(2)
        features = features + self.context(features)
        return cast(Tensor, self.classes(features)).permute(2, 0, 1).float().log_softmax(2)


def to_batch(lines: list[NDArray[np.uint8]]) -> tuple[Tensor, Tensor]:
    """Lines (32, w), each brought to mean 0 and deviation 1, padded with 0; and how many steps each has."""
    width = -(-max(image.shape[1] for image in lines) // _STEP) * _STEP
    batch = np.zeros((len(lines), 1, lines[0].shape[0], width), np.float32)
    for row, image in zip(batch, lines, strict=True):
        values = image.astype(np.float32)
        row[0, :, : image.shape[1]] = (values - values.mean()) / (values.std() + 1.0)
    return torch.from_numpy(batch), torch.tensor([-(-image.shape[1] // _STEP) for image in lines])


def decode(classes: NDArray[np.int64]) -> str:
    """The text of the best path, one class a step: repetitions are one character, blanks (0) part characters."""
    kept = (now for before, now in zip([0, *classes[:-1]], classes, strict=True) if now != before and now)
    return "".join(CHARACTERS[now - 1] for now in kept)


def _batches(widths: list[int], rng: np.random.Generator) -> Iterator[list[int]]:
    """One epoch: batches of about the same width, in random order."""
    order = np.argsort(np.array(widths) * rng.uniform(0.9, 1.1, len(widths)))
    starts = np.arange(0, len(order) - BATCH + 1, BATCH)
    for start in rng.permutation(starts):
        yield [int(index) for index in order[start : start + BATCH]]


def train(
    lines: list[NDArray[np.uint8]], texts: list[str], steps: int, seed: int, tell: Callable[[str], None]
) -> Recogniser:
    """Train from scratch for `steps` batches of 64 with AdamW and a rate that rises, then falls. No augmentation."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Recogniser()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(weights, max_lr=3e-3, total_steps=steps, pct_start=0.15)
    codes = [torch.tensor([CHARACTERS.index(char) + 1 for char in text]) for text in texts]
    widths = [image.shape[1] for image in lines]
    model.train()
    done, begin, losses = 0, time.perf_counter(), 0.0
    while done < steps:
        for chosen in _batches(widths, rng):
            images, lengths = to_batch([lines[index] for index in chosen])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                predicted = model(images.contiguous(memory_format=torch.channels_last))
            labels = [codes[index] for index in chosen]
            sizes = torch.tensor([len(label) for label in labels])
            loss = nn.functional.ctc_loss(predicted, torch.cat(labels), lengths, sizes, zero_infinity=True)
            weights.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            weights.step()
            rate.step()
            losses = 0.98 * losses + 0.02 * loss.item()
            done += 1
            if done % 100 == 0:
                tell(f"step {done} of {steps}, loss {losses:.3f}, {time.perf_counter() - begin:.0f} s")
            if done == steps:
                break
    model.eval()
    return model


@torch.inference_mode()
def transcribe(model: Recogniser, lines: list[NDArray[np.uint8]]) -> list[str]:
    """What the model reads on each line."""
    texts = []
    for image in lines:
        batch, lengths = to_batch([image])
        texts.append(decode(model(batch)[: int(lengths[0]), 0].argmax(1).numpy()))
    return texts
