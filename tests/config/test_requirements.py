"""The pins of both kinds of machine are the same, but for the builds that differ."""

from __future__ import annotations

import re

from config.environment import REPOSITORY

# package -> what takes its place on machines with a GPU; nothing where it would not be used
INSTEAD = {"faiss-cpu": "faiss-gpu", "onnxruntime": "onnxruntime-gpu", "openvino": ""}


def pins(name: str) -> dict[str, str]:
    lines = (REPOSITORY / name).read_text().splitlines()
    return dict(found.groups() for line in lines if (found := re.match(r"([\w.-]+)(?:\[\w+\])?==(\S+)", line)))


def test_a_machine_with_a_gpu_gets_what_others_get() -> None:
    usual, gpu = pins("requirements.txt"), pins("requirements-gpu.txt")
    assert len(usual) > 20
    assert gpu.keys() == {INSTEAD.get(package, package) for package in usual} - {""}
    assert {package: pin for package, pin in gpu.items() if usual.get(package, pin) != pin} == {}
