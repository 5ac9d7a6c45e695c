"""The join of documents: what several concurrent versions of one document say together.

A document is a join-semilattice (a state-based CRDT): the join is commutative, associative and idempotent, so
a merge depends on what was written and never on who merged what first, and it needs no common ancestor. Each
field is joined on its own, by one of three rules that the schemas name (`x-merge`):

`set`     grow-only set of immutable elements, sorted by id (an element that is a text is its own id). A
          removal is an element too. Two elements of one id cannot honestly differ; if they do, the greater
          bytes stay.
`latest`  register: the greatest stamp wins, equal stamps by canonical bytes. An object moves whole.
`ask`     multi-value register: values that were written without having seen each other all stay, the latest
          is shown, and the others wait under `asks` until somebody settles them.

A field without a rule (an unknown one, from a newer program) is kept, by `latest`. `stamps` is in the
normal form of `sync.stamps`. `by` goes with the greatest stamp of all.

`asks`
------
How can a merge know, without an ancestor, whether one value replaced another or was written beside it? The
write says what it replaced:

    "asks": {"state": {"seen":   {"phone1": "1764547200000-0000-phone1"},
                       "others": [{"stamp": "1764547100000-0000-phone2", "value": "ended"}]}}

`seen` is, for each device, the greatest stamp of a value of this field that some write here has replaced. A
value whose stamp is not above its own device's entry is history, whoever still brings it. `others` are the
values that stand beside the shown one, the latest first; one without `value` cleared the field. The join
takes the greater of each entry of `seen`, and of all values those that are not history: a lattice whatever
a peer sends. A field written once, by one device, needs no entry, and an empty part is left out.

A write replaces every value that it had before it (`write`): so settling is writing the field, be it with a
value that is there already, and a settled question is opened again only by a value that had not seen the
settling. Who wrote a value is who holds the device in its stamp.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Literal

Body = Mapping[str, Any]
"""A document without its `_fields`."""
Rule = Literal["set", "latest", "ask"]
Rules = Mapping[str, Rule]

ENVELOPE: Final = frozenset({"type", "v", "by", "stamps", "asks"})


class Cleared(Enum):
    """The mark of a field that is to be cleared; null is a value like others."""

    CLEARED = "cleared"


CLEARED: Final = Cleared.CLEARED


class Unmergeable(ValueError):
    """Bodies that cannot be joined: of different type or version, or not of a mergeable shape."""


def join(bodies: Iterable[Body], rules: Rules) -> dict[str, Any]:
    """What the bodies say together, in normal form. One body alone is brought into normal form.

    Raises Unmergeable where their `type` or `v` differ, or one has no stamps to merge by; ValueError for
    none.
    """
    raise NotImplementedError


def write(body: Body, changes: Mapping[str, Any], stamp: str, by: str, rules: Rules) -> dict[str, Any]:
    """The body after one person's write: each changed field to its new value, or to `CLEARED`.

    For a `set` field the value is the elements to add. For an `ask` field the write settles what was open.
    `body` may be `{"type": …, "v": …}` alone: then this is the document's first write. Raises ValueError
    where `stamp` is not above the document's greatest (the writer has not received what it saw), or where a
    `set` is cleared.
    """
    raise NotImplementedError
