"""A preview with settings that a person chose in place of the calibration."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import ClusterRun
from annotation.services.clustering_jobs import start_clustering
from annotation.services.clustering_settings import checked_settings
from foundation.errors import Conflict, InvalidInput
from jobs import services as jobs
from jobs.models import Job
from tests.annotation.decisions.world import make_world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"core_distance": 0.0}, "bad_setting"),
        ({"core_distance": 1.2}, "bad_setting"),
        ({"core_distance": None}, "bad_setting"),
        ({"core_distance": float("nan")}, "bad_setting"),
        ({"core_distance": True}, "bad_setting"),
        ({"merge_similarity": "0.5"}, "bad_setting"),
        ({"merge_similarity": 1.01}, "bad_setting"),
        ({"joins": 1}, "bad_setting"),
        ({"min_size": 3}, "unknown_setting"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_settings(given)
    assert caught.value.code == code and next(iter(given)) in caught.value.message


def test_what_makes_sense_is_passed_on() -> None:
    given = {"core_distance": 0.4, "merge_similarity": None, "joins": False}
    assert checked_settings(given) == given
    assert checked_settings({"merge_similarity": 1}) == {"merge_similarity": 1.0}
    assert checked_settings({}) == {}


def test_a_preview_goes_by_what_was_chosen_and_the_next_run_by_the_calibration() -> None:
    world = make_world(40, 3)
    world.cluster()
    job = start_clustering(preview=True, settings={"core_distance": 0.3, "merge_similarity": None, "joins": False})
    done = jobs.run_to_end(job_id=job.pk)
    run = ClusterRun.objects.get(job=job)
    assert (done.state, run.state) == ("finished", "preview"), done.error
    assert [run.parameters[name] for name in ("core_distance", "merge_similarity", "joins")] == [0.3, None, None]
    plain = start_clustering(preview=True)
    jobs.run_to_end(job_id=plain.pk)
    calibrated = ClusterRun.objects.get(job=plain).parameters
    assert calibrated["core_distance"] == 1 - calibrated["calibration"]["core"]["similarity"] != 0.3
    assert calibrated["joins"] is not None


def test_settings_are_for_previews_and_never_dropped_silently() -> None:
    make_world(4)
    with pytest.raises(InvalidInput) as caught:
        start_clustering(settings={"core_distance": 0.4})
    assert caught.value.code == "preview_only"
    first = start_clustering(preview=True, settings={"core_distance": 0.4})
    assert start_clustering(preview=True, settings={"core_distance": 0.4}) == first
    for other in ({"core_distance": 0.5}, {}):
        with pytest.raises(Conflict) as conflict:
            start_clustering(preview=True, settings=other)
        assert conflict.value.code == "preview_running" and str(first.pk) in conflict.value.message
    assert Job.objects.count() == 1
