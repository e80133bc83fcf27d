"""The stages of one round, in order. Adding one is a file here and a line in `STAGES`."""

from __future__ import annotations

from django.utils.module_loading import import_string

from loop.stages.base import Stage

STAGES: dict[str, str] = {
    "embed": "loop.stages.embed.EmbedStage",
    "cluster": "loop.stages.cluster.ClusterStage",
    "mine": "loop.stages.mine.MineStage",
    "freeze": "loop.stages.freeze.FreezeStage",
    "train": "loop.stages.train.TrainStage",
    "evaluate": "loop.stages.evaluate.EvaluateStage",
    "promote": "loop.stages.promote.PromoteStage",
    "reembed": "loop.stages.reembed.ReembedStage",
    "recluster": "loop.stages.cluster.ReclusterStage",
    "measure": "loop.stages.measure.MeasureStage",
}


def stage(name: str) -> Stage:
    """The stage of that name; KeyError where there is none."""
    made: Stage = import_string(STAGES[name])()
    return made
