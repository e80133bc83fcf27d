"""What an answer claims, and whether it is right where the truth is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEAVES = ("rejected", "ignored", "not_faces")  # and `split`, in groups


def claimed(asks: str, answer: str, payload: Mapping[str, Any]) -> str:
    """The answer as one of its kind's: who takes faces out of a cluster says that it is not one person."""
    return "different" if asks == "cluster" and leaving(payload) else answer


def leaving(payload: Mapping[str, Any]) -> set[int]:
    """The faces that an answer takes out of a cluster, in whatever way."""
    return {face for key in LEAVES for face in payload.get(key, ())}.union(*payload.get("split", ()))


def is_right(asks: str, gold: str, evidence: Mapping[str, Any], answer: str, payload: Mapping[str, Any]) -> bool:
    """Whether this answers a question whose known answer is `gold`.

    Of a cluster exactly the intruders must leave, or its widest pair be told apart where one of them is an intruder;
    and if it is said to be somebody else, that must be so.
    """
    if asks != "cluster":
        return answer == gold
    out = set(evidence["out"])
    if answer == "different":
        return bool(out & set(evidence["widest"]))
    return leaving(payload) == out and payload.get("into") in (None, evidence["person"])
