"""One entry of the ledger. Entries speak of faces and identities, never of clusters, which come and go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import InvalidInput


class Kind(StrEnum):
    """What an entry says. `f` is any face of `faces`, `o` any face of `others`.

    same        faces=(a,), others=(b,): a and b are one person. A later answer about the pair beats an earlier one.
    different   faces=(a,), others=(b,): a and b are two persons.
    assign      every f is the person `identity`; so is every o, where given: the faces that stood for the person.
                Beats every earlier statement about f or o that does not fit.
    reject      no f is the person `identity`; a label that says so is cleared. Nor is f the person of any o, the
                faces kept beside it, which holds even where `identity` is only a guess of the clustering.
    ignore      faces are set aside; their labels are cleared.
    not_a_face  the same, because they show no face.
    merge       `identity` and `into` are one person, known as `into`. Where given, `faces` are assigned to
                `identity` and `others` to `into`: the faces that the person saw.
    split       every f is the person `into`, not `identity`, nor the person of any o. What remains stays.
    rename      `identity` is called `text`.
    tag         `text` applies to `identity`, or to every f.
    revert      takes the entry `reverts` back, as if it had never been made. A revert can itself be reverted.
    """

    SAME = "same"
    DIFFERENT = "different"
    ASSIGN = "assign"
    REJECT = "reject"
    IGNORE = "ignore"
    NOT_A_FACE = "not_a_face"
    MERGE = "merge"
    SPLIT = "split"
    RENAME = "rename"
    TAG = "tag"
    REVERT = "revert"


# Which fields an entry of a kind has: + needed, ? allowed, 1 exactly one face. Any other field must be empty.
_FIELDS: dict[Kind, dict[str, str]] = {
    Kind.SAME: {"faces": "1", "others": "1"},
    Kind.DIFFERENT: {"faces": "1", "others": "1"},
    Kind.ASSIGN: {"faces": "+", "others": "?", "identity": "+"},
    Kind.REJECT: {"faces": "+", "others": "?", "identity": "+"},
    Kind.IGNORE: {"faces": "+"},
    Kind.NOT_A_FACE: {"faces": "+"},
    Kind.MERGE: {"faces": "?", "others": "?", "identity": "+", "into": "+"},
    Kind.SPLIT: {"faces": "+", "others": "?", "identity": "+", "into": "+"},
    Kind.RENAME: {"identity": "+", "text": "?"},
    Kind.TAG: {"faces": "?", "identity": "?", "text": "+"},
    Kind.REVERT: {"reverts": "+"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement. Ids are positive; a larger id was said later.

    Raises:
        InvalidInput: a field that the kind needs is missing, one that it does not know is given, or faces and
            others overlap.
    """

    id: int
    kind: Kind
    faces: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    identity: int | None = None
    into: int | None = None
    text: str = ""
    reverts: int | None = None

    def __post_init__(self) -> None:
        allowed = _FIELDS[self.kind]
        for name in ("faces", "others", "identity", "into", "text", "reverts"):
            _check_field(self.kind, name, getattr(self, name), allowed.get(name, ""))
        if self.others and not set(self.others).isdisjoint(self.faces):
            raise InvalidInput(f"{self.kind}: a face can't be on both sides.", code="face_on_both_sides")
        if self.kind in (Kind.MERGE, Kind.SPLIT) and self.identity == self.into:
            raise InvalidInput(f"{self.kind}: needs two different persons.", code="same_identity")
        if self.kind is Kind.TAG and bool(self.faces) == (self.identity is not None):
            raise InvalidInput("tag: needs either a person or faces.", code="missing_field")


def _check_field(kind: Kind, name: str, value: object, rule: str) -> None:
    given = value is not None and value != () and value != ""
    if given and not rule:
        raise InvalidInput(f"{kind}: has no {name}.", code="unexpected_field")
    if not given and rule in ("+", "1"):
        raise InvalidInput(f"{kind}: needs {name}.", code="missing_field")
    if rule == "1" and isinstance(value, tuple) and len(value) != 1:
        raise InvalidInput(f"{kind}: needs exactly one face in {name}.", code="one_face_expected")
