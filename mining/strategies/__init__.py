"""What is worth a person's second: one strategy per file. Adding one is a file here and a line in `STRATEGIES`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from foundation.errors import InvalidInput
from mining.strategies.base import Strategy

STRATEGIES: dict[str, str] = {
    "pairs_near_threshold": "mining.strategies.pairs_near_threshold:PairsNearThreshold",
    "label_suspects": "mining.strategies.label_suspects:LabelSuspects",
    "mixed_people": "mining.strategies.mixed_people:MixedPeople",
    "one_person_two_names": "mining.strategies.one_person_two_names:OnePersonTwoNames",
    "copies_under_two_names": "mining.strategies.copies_under_two_names:CopiesUnderTwoNames",
    "profile_leftovers": "mining.strategies.profile_leftovers:ProfileLeftovers",
    "clusters": "mining.strategies.clusters:Clusters",
    "merges": "mining.strategies.merges:Merges",
    "widest_pairs": "mining.strategies.widest_pairs:WidestPairs",
    "blocked_merges": "mining.strategies.blocked_merges:BlockedMerges",
    "model_disagreement": "mining.strategies.model_disagreement:ModelDisagreement",
    "decisive_low_quality": "mining.strategies.decisive_low_quality:DecisiveLowQuality",
    "rare_identities": "mining.strategies.rare_identities:RareIdentities",
}
# What these ask, the others ask too, or nobody asks unless somebody wants to know: a run looks with them if told to.
SPECIAL = frozenset(
    {
        "mixed_people",
        "widest_pairs",
        "blocked_merges",
        "model_disagreement",
        "decisive_low_quality",
        "rare_identities",
    }
)
USUAL = tuple(name for name in STRATEGIES if name not in SPECIAL)


def find_strategy(name: str, options: Mapping[str, object] | None = None) -> Strategy:
    """Load the strategy on first use.

    Raises InvalidInput: `unknown_strategy`, or `unknown_option` and `bad_option` for what it can't be told.
    """
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise InvalidInput(f"There is no strategy {name!r}; there are {known}.", code="unknown_strategy")
    module, _, attribute = STRATEGIES[name].partition(":")
    found: type[Strategy] = getattr(import_module(module), attribute)
    return found(**(options or {}))


def title_of(name: str) -> str:
    """What a strategy is called, also one that is no more."""
    return find_strategy(name).title if name in STRATEGIES else name.replace("_", " ").capitalize()
