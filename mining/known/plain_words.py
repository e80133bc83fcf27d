"""What is said of a question in plain words, by nothing but what a known one shares with a real one."""

from __future__ import annotations

from mining.strategies.pool import Pool


def how_alike(pool: Pool, similarity: float) -> str:
    """Of two faces or rows, beside what clustering joins people from."""
    if similarity >= pool.threshold:
        return "look enough alike to be one person, but that is not sure"
    if similarity >= pool.threshold - pool.band:
        return "look almost alike enough to be one person"
    return "don't look much alike, and may still be one person"
