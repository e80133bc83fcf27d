"""Which key does what on the pages where people decide, and each person's own choice of keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from foundation.errors import Conflict, InvalidInput

GRID, QUESTION, EVERYWHERE = "grid", "question", "everywhere"


@dataclass(frozen=True)
class Shortcut:
    """One action that has a key.

    Attributes:
        key: as in `KeyboardEvent.key`, letters in lower case, with `ctrl+`, `shift+` before it.
        place: pages where it works; two actions may share a key only in different places.
    """

    action: str
    key: str
    does: str
    place: str


SHORTCUTS: dict[str, Shortcut] = {
    shortcut.action: shortcut
    for shortcut in (
        Shortcut("confirm", "Enter", "Confirm: one person, the same, as labelled", EVERYWHERE),
        Shortcut("reject", "r", "Reject: not this person, neither of them", EVERYWHERE),
        Shortcut("merge", "m", "Merge: two names, one person", EVERYWHERE),
        Shortcut("split", "s", "Split the selected faces out as another person", EVERYWHERE),
        Shortcut("name", "e", "Name the person", EVERYWHERE),
        Shortcut("not_a_face", "n", "Not a face", EVERYWHERE),
        Shortcut("ignore", "i", "Ignore: set aside", EVERYWHERE),
        Shortcut("different", "d", "Different people", QUESTION),
        Shortcut("skip", "Space", "Skip", QUESTION),
        Shortcut("photos", "p", "Show or hide the photos", QUESTION),
        Shortcut("next", "j", "Next", GRID),
        Shortcut("previous", "k", "Previous", GRID),
        Shortcut("search", "/", "Search a person", EVERYWHERE),
        Shortcut("undo", "ctrl+z", "Undo", EVERYWHERE),
        Shortcut("redo", "ctrl+shift+z", "Redo", EVERYWHERE),
    )
}
_NAMED = "Enter|Space|Backspace|Delete|Insert|F[2346789]|F10"
_POSSIBLE = re.compile(rf"[!-~\u00a1-\uffff]|shift\+(?:{_NAMED})|{_NAMED}|ctrl\+(?:shift\+)?[yz]")
# `?` lists the keys, numbers choose a proposal; Tab, Escape and the arrows don't fit `_POSSIBLE`.
_TAKEN = frozenset("?0123456789")


def keys_of(chosen: Mapping[str, str]) -> dict[str, str]:
    """{action: key} of all actions, by a person's own choice where there is one."""
    return {action: chosen.get(action, shortcut.key) for action, shortcut in SHORTCUTS.items()}


def key_of(chosen: Mapping[str, str], action: str) -> str:
    """The key of one action, as `keys_of` has it."""
    return chosen.get(action, SHORTCUTS[action].key)


def check_keys(chosen: Mapping[str, str]) -> dict[str, str]:
    """The choice without what is as by default.

    Raises:
        InvalidInput: `unknown_action`; `bad_key` for a key that can't be chosen.
        Conflict: `key_clash` where two actions of one place have the same key.
    """
    for action, key in chosen.items():
        if action not in SHORTCUTS:
            raise InvalidInput(f"There is no action {action!r}.", code="unknown_action")
        if not _POSSIBLE.fullmatch(key) or key in _TAKEN or (key != key.lower() and len(key) == 1):
            raise InvalidInput(f"{key!r} can't be a key: browsers or other actions need it.", code="bad_key")
    keys = keys_of(chosen)
    for one, first in SHORTCUTS.items():
        for other, second in SHORTCUTS.items():
            meet = EVERYWHERE in (first.place, second.place) or first.place == second.place
            if one < other and meet and keys[one] == keys[other]:
                text = f"“{shown(keys[one])}” can't be both “{first.does}” and “{second.does}”."
                raise Conflict(text, code="key_clash")
    return {action: key for action, key in chosen.items() if key != SHORTCUTS[action].key}


def shown(key: str) -> str:
    """As on a keyboard: `ctrl+z` becomes `Ctrl Z`."""
    return " ".join(part.upper() if len(part) == 1 else part[0].upper() + part[1:] for part in _parts(key))


def _parts(key: str) -> list[str]:
    return key.split("+") if len(key) > 1 else [key]
