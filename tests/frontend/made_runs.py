"""Cluster runs in every state, with made-up figures."""

from __future__ import annotations

from typing import Any

from annotation.models import Cluster, ClusterMember, ClusterRun
from tests.factories import World

MODEL = {"shares": [0.7, 0.3], "means": [0.02, 0.08], "spreads": [0.1, 0.13]}
PARAMETERS = {
    "core_distance": 0.52,
    "merge_similarity": 0.46,
    "calibration": {
        "core": {"false_match_rate": 1e-5, "similarity": 0.48, "low": 0.44, "high": 0.53, "basis": "random"},
        "merge": {"false_match_rate": 1e-5, "similarity": 0.46, "low": 0.43, "high": 0.5, "basis": "same_photo"},
        "random": MODEL,
        "same_photo": {"shares": [1.0], "means": [0.05], "spreads": [0.11]},
        "people": 812,
        "same_photo_pairs": 4031,
        "answers": {
            "answers": 12,
            "same": 7,
            "expected": 4.23,
            "shift": 0.6,
            "without": 0.471,
            "similarity": 0.46,
            "low": 0.43,
            "high": 0.5,
        },
    },
}


def make_preview(world: World) -> ClusterRun:
    """The world's clusters, of which the first has lost its last two faces to a new one."""
    ClusterRun.objects.filter(pk=world.run.pk).update(parameters=PARAMETERS, metrics=metrics_of(world))
    run = ClusterRun.objects.create(
        space=world.run.space, state="preview", parameters=PARAMETERS, metrics=metrics_of(world)
    )
    split = list(world.clusters[0].members.order_by("face_id"))
    for ordinal, cluster in enumerate([*world.clusters, None]):
        members = split[-2:] if cluster is None else list(cluster.members.order_by("face_id"))
        if cluster == world.clusters[0]:
            members = members[:-2]
        first, last = members[0].face_id, members[-1].face_id
        made = Cluster.objects.create(
            run=run,
            ordinal=ordinal,
            size=len(members),
            diameter=0.4,
            widest_a_id=first,
            widest_b_id=last,
            medoid_id=first,
        )
        ClusterMember.objects.bulk_create(
            [ClusterMember(run=run, cluster=made, face_id=one.face_id, similarity=one.similarity) for one in members]
        )
    return run


def metrics_of(world: World) -> dict[str, Any]:
    return {
        "faces": len(world.faces),
        "clusters": len(world.clusters),
        "alone": 0,
        "largest": world.clusters[0].size,
        "edges": 40,
        "clashes": 0,
        "heights": {"low": 0.0, "high": 0.52, "counts": [1] * 40},
        "merges": {"low": 0.46, "high": 1.0, "counts": [2] * 40},
        "seconds": {"cluster": 0.4, "calibrate": 0.2},
    }


def make_runs(world: World) -> dict[str, ClusterRun]:
    """A run of every state beside the world's own, which is `current`."""
    space = world.run.space
    made = {
        name: ClusterRun.objects.create(space=space, state=state, parameters=parameters, metrics=metrics)
        for name, state, parameters, metrics in (
            ("forgotten", "done", PARAMETERS, metrics_of(world)),
            ("dropped", "dropped", PARAMETERS, metrics_of(world)),
            ("failed", "failed", {}, {}),
            ("running", "running", {}, {}),
        )
    }
    earlier = make_preview(world)
    earlier.state = ClusterRun.State.DONE
    earlier.metrics |= {"labels": {"moved": 1, "known": 12}}
    earlier.save()
    preview = make_preview(world)
    preview.parameters |= {"core_distance": 0.61, "joins": None}
    preview.save()
    space.calibration = {"core_distance": 0.52, "merge_similarity": 0.46}
    space.save(update_fields=["calibration"])
    return {**made, "earlier": earlier, "preview": preview, "current": world.run}
