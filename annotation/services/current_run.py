"""Which run of clustering labels follow from."""

from __future__ import annotations

from collections.abc import Callable

from annotation.models import ClusterRun

_LISTENERS: list[Callable[[ClusterRun], None]] = []


def on_new_run(listener: Callable[[ClusterRun], None]) -> None:
    """Have an app above told of the run that labels follow from now, in the same transaction."""
    if listener not in _LISTENERS:
        _LISTENERS.append(listener)


def make_current(run: ClusterRun) -> None:
    """Labels follow from this run now; the caller has made them."""
    run.state, run.current = ClusterRun.State.DONE, True
    run.save()
    for listener in _LISTENERS:
        listener(run)
