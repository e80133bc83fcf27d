"""What a killed run needs to go on: tensors as safetensors, the rest as JSON. Nothing is ever unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from foundation.errors import Conflict


@dataclass(frozen=True)
class Checkpoint:
    """The state after `step` steps. `modules` by name, and one optimiser over their parameters."""

    step: int
    curve: list[dict[str, float]]


class Checkpoints:
    """The checkpoints of one run in one folder; the newest whole one counts.

    Args:
        run: what makes the run what it is (config, dataset, start weights). Going on with another is refused.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        self._folder, self._run = folder, dict(run)

    def save(self, step: int, modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer, curve: Any) -> None:
        """Replace the last checkpoint by this one; a kill in between leaves one of the two whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        tensors = _tensors(modules, optimiser)
        name = f"step-{step}.safetensors"
        part = self._folder / f".{name}.part"
        save_file(tensors, part)
        part.replace(self._folder / name)
        notes = self._folder / ".state.json.part"
        notes.write_text(json.dumps({"run": self._run, "step": step, "tensors": name, "curve": curve}))
        with notes.open("rb") as file:
            os.fsync(file.fileno())
        notes.replace(self._folder / "state.json")
        for old in self._folder.glob("*.safetensors"):
            if old.name != name:
                old.unlink()

    def load(self, modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer) -> Checkpoint:
        """Put the last checkpoint's state into the modules and the optimiser; step 0 where there is none.

        Raises:
            Conflict: the folder holds the checkpoint of another run.
        """
        path = self._folder / "state.json"
        if not path.is_file():
            return Checkpoint(0, [])
        notes = json.loads(path.read_text())
        if notes["run"] != self._run:
            raise Conflict("The output folder holds the checkpoint of another training run.", code="other_training_run")
        try:
            tensors = load_file(self._folder / notes["tensors"])
        except (OSError, SafetensorError):
            return Checkpoint(0, [])
        _restore(tensors, modules, optimiser)
        return Checkpoint(notes["step"], notes["curve"])

    def clear(self) -> None:
        """Remove all checkpoints: the run has ended well."""
        for path in self._folder.glob("*"):
            path.unlink()
        if self._folder.is_dir():
            self._folder.rmdir()


def _tensors(modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    tensors = {f"{name}/{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{number}/{key}": torch.as_tensor(value) for key, value in state.items()}
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def _restore(tensors: dict[str, Tensor], modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer) -> None:
    for name, module in modules.items():
        prefix = f"{name}/"
        module.load_state_dict({key[len(prefix) :]: tensors[key] for key in tensors if key.startswith(prefix)})
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            _, number, field = key.split("/")
            state.setdefault(int(number), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
