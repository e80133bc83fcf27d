"""What is probable after a few votes on one question, given how often each voter errs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mining.consensus.dawid_skene import BELIEVED_ACCURACY

Rates = Mapping[str, Mapping[str, float]]


def posterior(
    answers: Sequence[str],
    votes: Iterable[tuple[str, Rates | None]],
    prevalence: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """How probable each answer is; sums to 1.

    Args:
        answers: all that can be given.
        votes: each an answer, and how often its voter gives which answer where which is true: `{true: {given: rate}}`;
            None for somebody of whom nothing is known yet, who is believed to be right nine times in ten.
        prevalence: how often each answer is true; all alike if not known.

    Source: Dawid and Skene, 1979, the step that infers the truth from known error rates.
    """
    odds = {answer: (prevalence or {}).get(answer, 0.0) or 1 / len(answers) for answer in answers}
    believed = (1 - BELIEVED_ACCURACY) / max(1, len(answers) - 1)
    for given, rates in votes:
        for true in answers:
            unknown = BELIEVED_ACCURACY if true == given else believed
            odds[true] *= unknown if rates is None else rates.get(true, {}).get(given, unknown)
    total = sum(odds.values())
    return {answer: one / total for answer, one in odds.items()} if total > 0 else dict.fromkeys(answers, 1 / len(odds))
