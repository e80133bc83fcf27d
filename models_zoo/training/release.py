"""Writes what a release consists of: the weights, and beside them what they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from models_zoo.networks.sface import SFace


def write_release(network: SFace, folder: Path, facts: Mapping[str, Any]) -> str:
    """Write `weights.safetensors`, then `release.json`, each whole or not at all; the weights' SHA-256.

    The JSON holds `facts` (config, dataset and start digests, device, precision, counts, loss curve) with the digest
    and torch's version, and nothing that differs between two runs that gave the same weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / ".weights.safetensors.part"
    network.save_safetensors(part)
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    part.replace(folder / "weights.safetensors")
    notes = {"format": 1, "weights": {"file": "weights.safetensors", "sha256": digest}, "torch": torch.__version__}
    part = folder / ".release.json.part"
    part.write_text(json.dumps({**notes, **facts}, indent=1) + "\n")
    part.replace(folder / "release.json")
    return digest
