"""`python -m blender.worker REPLIES LIFELINE`: builds and renders one scene after another.

Requests are JSON lines on stdin; replies are JSON lines on the descriptor REPLIES, as Blender itself talks on stdout.
Files go into the folder that the request names. The process ends when the other end of LIFELINE closes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import oracle, passes, render


def main() -> None:
    _die_with_parent(int(sys.argv[2]))
    bpy.ops.wm.read_factory_settings(use_empty=True)  # nobody's preferences
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as replies:
        _reply(replies, {"ready": bpy.app.version_string})
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = _COMMANDS[request["command"]](request)
            except Exception as error:
                answer = {"problem": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
            _reply(replies, answer | {"number": request["number"]})


def _die_with_parent(lifeline: int) -> None:
    """The kernel ends this process (SIGIO) when the pipe's other end closes; a thread could not while Cycles runs."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # it closed before we listened
        sys.exit(1)


def _reply(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _build(request: dict[str, Any]) -> list[dict[str, Any]]:
    """An empty file, filled with the scene: nothing of an earlier one is left. Preferences and add-ons stay loaded."""
    spec = request["spec"]
    kind = str(spec["kind"])
    if not re.fullmatch("[a-z][a-z0-9_]*", kind):
        raise ValueError(f"{kind!r} is no kind of scene")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    instances: list[dict[str, Any]] = import_module(f".kinds.{kind}", __package__).build(
        spec | {"textures": request["textures"]}
    )
    render.configure(bpy.context.scene, spec["render"], int(spec["seed"]), request["threads"], request["device"])
    bpy.context.view_layer.update()
    return instances


def _render(request: dict[str, Any]) -> dict[str, Any]:
    out = Path(request["out"])
    instances = _build(request)
    scene = bpy.context.scene
    k, to_camera = passes.camera(scene)
    index, depth = passes.read(render.beauty(scene, out))
    arrays = passes.triangles(to_camera) | {"index": index, "depth": depth}
    np.savez(out / "passes.npz", **arrays)  # type: ignore[arg-type]
    return {
        "instances": instances,
        "camera": {"K": k.tolist(), "world_to_camera": [list(row) for row in to_camera]},
        "poses": passes.poses(instances, to_camera),
    }


def _rays(request: dict[str, Any]) -> dict[str, Any]:
    _build(request)
    return {"seen": oracle.cast(bpy.context.scene, request["pixels"])}


_COMMANDS = {"render": _render, "rays": _rays}

if __name__ == "__main__":
    main()
