"""The gate: a challenger is promoted only if it is better for sure, and worse nowhere."""

from __future__ import annotations

from typing import Any

from jobs.models import Job
from loop import measuring
from loop.models import Round
from loop.stages.base import Stage
from models_zoo.evaluation import Criterion, Difference, decide

# How far the true-accept rate of a slice may fall on the people kept out for choosing.
TOLERANCE = {measuring.CLEAN: 0.003, measuring.BOTH: 0.01}


class PromoteStage(Stage):
    title = "Promote or not"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        return None

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        compared = round.stages["evaluate"].get("result", {})
        changes: dict[str, Any] = (compared.get("changes") or [{}])[0]
        verdict = decide(
            [
                Criterion(
                    f"{_words(name)}, TAR at FAR {change['far']:g}",
                    Difference(change["value"], *change["ci"]),
                    primary=name in measuring.PRIMARY,
                    tolerance=TOLERANCE.get(name, 0.0),
                )
                for name, change in changes.items()
            ]
        )
        basis = "There was no challenger."
        if "basis" in compared:
            basis = f"Judged by {compared['basis']}." if changes else str(compared["basis"])
        if len(compared.get("models", [])) == 1:
            basis = "The data are those that the champion learned from, and gave it again."
        round.promoted, round.verdict = verdict.promoted, [basis, *verdict.reasons]
        round.save(update_fields=["promoted", "verdict"])
        return {"promoted": verdict.promoted, "reasons": round.verdict}


def _words(name: str) -> str:
    return "without labels" if name == measuring.LABEL_FREE else name.replace("_", " vs ")
