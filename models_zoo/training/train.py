"""The training recipe, from top to bottom: a frozen dataset version and start weights in, a release's files out."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from foundation.errors import InvalidInput, Unavailable
from foundation.progress import Progress, silent
from models_zoo.networks.sface import SFace
from models_zoo.training.checkpoint import Checkpoints
from models_zoo.training.config import TrainConfig
from models_zoo.training.dataset import CropReader, TrainingSet, read_training_sets
from models_zoo.training.forward import embed, trained_parameters
from models_zoo.training.losses import ArcFaceHead, distillation
from models_zoo.training.release import write_release
from models_zoo.training.targets import start_embeddings
from models_zoo.training.views import Augment, Batch, Views, as_tensor

CURVE_POINTS = 100


@dataclass(frozen=True)
class TrainResult:
    """What a run wrote and how it went.

    Attributes:
        weights: `weights.safetensors`; beside it lies `release.json`.
        sha256: digest of the weights.
        faces, labelled, people: faces seen, those of them that had a class, and the classes.
        curve: losses along the way, [{"step", "loss", ...}], each the mean since the entry before.
        seconds: of this process; a resumed run counts from where it went on.
    """

    weights: Path
    sha256: str
    faces: int
    labelled: int
    people: int
    steps: int
    curve: list[dict[str, float]]
    seconds: float

    def summary(self) -> dict[str, Any]:
        """What fits on a page: everything but the paths and the curve's middle."""
        facts = {key: value for key, value in asdict(self).items() if key not in ("weights", "curve")}
        return facts | {"first_loss": self.curve[0]["loss"], "last_loss": self.curve[-1]["loss"]}


def train(
    config: TrainConfig,
    *,
    dataset: Path,
    start_weights: Path,
    output: Path,
    augment: Augment | None = None,
    device: str = "cpu",
    extras: Sequence[Path] = (),
    progress: Progress = silent,
) -> TrainResult:
    """Fine-tune SFace on the faces of the splits train and train_extra.

    Every face is pulled towards what the start model says of its clean view, whatever was done to the view; faces of
    people with enough faces also go to an ArcFace head. A killed run goes on from its last checkpoint in
    `output/checkpoint` and ends as if it hadn't been killed.

    Args:
        dataset: directory of a dataset version, see `read_training_set`.
        extras: directories of further versions, of which the split train_extra is used, capped and weighted as `config`
            says.
        start_weights: `.onnx` or `.safetensors`.
        output: gets `weights.safetensors` and `release.json`.
        augment: changes a uint8 RGB (112, 112, 3) crop, drawing from the generator only.
        device: cpu or cuda.
        progress: gets (steps done, steps in all); raising from it stops the run, which can go on later.

    Raises:
        InvalidInput: the dataset, the weights or the device's name can't be used.
        Unavailable: the device can't.
        Conflict: the output folder holds the checkpoint of another run.
    """
    started = time.monotonic()
    where = torch_device(device)
    autocast = torch.autocast(where.type, torch.bfloat16, enabled=precision_of(config, where) == "bf16")
    faces = read_training_sets([dataset, *extras]).weighted(config.extra_weight)
    classes = torch.from_numpy(faces.classes(config.min_faces)).to(where)
    network = SFace.load(start_weights).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with CropReader(faces) as reader:
        views = Views(reader, faces.extra, config, augment)
        with autocast:
            targets = start_embeddings(network, reader, len(faces), where)[torch.from_numpy(faces.teachers()).to(where)]
        objective = Objective(config, faces, classes, targets).to(where)
        optimiser = make_optimiser(config, network, objective)
        modules = {"network": network, "objective": objective}
        run = {"config": config.as_dict(), "dataset": faces.manifest_sha256, "start": _sha256(start_weights)}
        checkpoints = Checkpoints(output / "checkpoint", run)
        done = checkpoints.load(modules, optimiser)
        curve = done.curve
        trained = trained_parameters(network, config.frozen_units)
        for step, batch in enumerate(views.batches(done.step), start=done.step):
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * rate_at(step, views.steps, config.warmup)
            with autocast:
                embeddings = embed(network, as_tensor(batch.views, where), frozen_units=config.frozen_units)
            losses = objective(embeddings.float(), batch)
            optimiser.zero_grad()
            losses["loss"].backward()
            torch.nn.utils.clip_grad_norm_(trained, config.clip_norm)
            optimiser.step()
            _note(curve, step, views.steps, losses)
            if (step + 1) % config.checkpoint_steps == 0 and step + 1 < views.steps:
                checkpoints.save(step + 1, modules, optimiser, curve)
            progress(step + 1, views.steps)
    mix_in_start(network, SFace.load(start_weights), config.start_share)
    labelled = int((classes >= 0).sum())
    facts = {
        **run,
        "device": where.type,
        "precision": precision_of(config, where),
        "faces": len(faces),
        "extra": int(faces.extra.sum()),
        "faces_per_epoch": views.faces_per_epoch,
        "labelled": labelled,
        "people": objective.people,
        "curve": curve,
    }
    sha256 = write_release(network, output, facts)
    checkpoints.clear()
    seconds = time.monotonic() - started
    return TrainResult(
        output / "weights.safetensors",
        sha256,
        len(faces),
        labelled,
        objective.people,
        views.steps,
        curve,
        seconds,
    )


class Objective(torch.nn.Module):
    """The weighted sum of the losses that the config asks for."""

    def __init__(self, config: TrainConfig, faces: TrainingSet, classes: Tensor, targets: Tensor) -> None:
        super().__init__()
        self.people = int(classes.max()) + 1
        self._config, self._classes, self._targets = config, classes, targets
        self._weights = torch.from_numpy(faces.weights).to(targets.device)
        self._trust = self._weights * torch.from_numpy(faces.confidences).to(targets.device)
        # Starting the class centres where the start model sees the people spares the head its own long training.
        count = max(self.people, 1)
        known = classes >= 0
        centres = torch.zeros(count, targets.shape[1], device=targets.device)
        centres = functional.normalize(centres.index_add(0, classes[known], targets[known]))
        told = torch.zeros(count, dtype=torch.bool, device=targets.device)
        told[classes[known & torch.from_numpy(faces.told).to(targets.device)]] = True
        spared = (centres @ centres.T >= config.alike) & ~(told[:, None] & told[None, :])
        self.head = ArcFaceHead(centres, spared, scale=config.scale, margin=config.margin)

    def forward(self, embeddings: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The total as "loss" and its parts, each a mean over the batch's faces."""
        config = self._config
        rows = torch.from_numpy(batch.rows).to(embeddings.device)
        classes = self._classes[rows]
        parts = {"distillation": (self._weights[rows] * distillation(embeddings, self._targets[rows])).mean()}
        total = config.distillation * parts["distillation"]
        known = classes >= 0
        if config.arcface and bool(known.any()):
            margins = self._trust[rows][known] * self.head(embeddings[known], classes[known])
            parts["arcface"] = margins.sum() / len(rows)
            total = total + config.arcface * parts["arcface"]
        return {"loss": total, **parts}


def make_optimiser(config: TrainConfig, network: SFace, objective: Objective) -> torch.optim.Optimizer:
    """AdamW over what is trained; each group's `peak` is the learning rate that the schedule scales."""
    groups = [
        {"params": trained_parameters(network, config.frozen_units), "peak": config.learning_rate},
        {"params": list(objective.parameters()), "peak": config.learning_rate * config.head_rate},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate at `step` of `steps`: a straight rise, then half a cosine down to 0."""
    done = step / steps
    if done < warmup:
        return (step + 1) / (warmup * steps + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (done - warmup) / max(1.0 - warmup, 1e-9)))


def mix_in_start(network: SFace, start: SFace, share: float) -> None:
    """Move every weight of `network` this share of the way back to where it started."""
    with torch.no_grad():
        for weight, origin in zip(network.parameters(), start.parameters(), strict=True):
            weight.lerp_(origin.to(weight.device), share)


def torch_device(name: str) -> torch.device:
    """Raises InvalidInput for an unknown name, Unavailable where torch can't use the device."""
    if name not in ("cpu", "cuda"):
        raise InvalidInput(f"Training runs on cpu or cuda, not on {name!r}.", code="unknown_device")
    if name == "cuda" and not torch.cuda.is_available():
        raise Unavailable("This build of torch finds no CUDA device.", code="device_unavailable")
    return torch.device(name)


def precision_of(config: TrainConfig, device: torch.device) -> str:
    """bf16 or float32; `auto` takes bf16 where the device computes it natively."""
    if config.precision != "auto":
        return config.precision
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if native else "float32"


def _note(curve: list[dict[str, float]], step: int, steps: int, losses: dict[str, Tensor]) -> None:
    """Keep about a hundred points, each the mean since the last; an open one has a count of its steps."""
    values = {name: float(value.detach()) for name, value in losses.items()}
    every = max(1, steps // CURVE_POINTS)
    if step % every == 0 or not curve:
        curve.append({"step": step, **values})
        return
    last, count = curve[-1], step % every
    for name, value in values.items():
        last[name] = (last.get(name, value) * count + value) / (count + 1)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
