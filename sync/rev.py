"""Revisions: `N-text`, ordered as CouchDB orders them, and how one is derived from what it says."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Self

_USUAL = {str(n): n for n in range(1, 100)}
"""Generations that need no closer look: every row of a feed has one to read."""


def _generation(text: str) -> int:
    """0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


class Rev(NamedTuple):
    """A revision. Tuple order is CouchDB's: generations as numbers, then the rest by byte."""

    generation: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N-text`. Raises ValueError where there is no positive generation."""
        head, dash, digest = text.partition("-")
        generation = _USUAL.get(head) or _generation(head)
        if not dash or not generation:
            raise ValueError(f"not a revision: {text[:80]!r}")
        return cls(generation, digest)

    def __str__(self) -> str:
        return f"{self.generation}-{self.digest}"


def derive(parent: Rev, deleted: bool, body: bytes) -> Rev:
    """The child of `parent` that says `body` (canonical bytes), the same on every server.

    Nothing else enters the digest: no time, no server, no chance. So two servers that settle the same leaves
    write the same revision, and settling again after a crash writes nothing new. 32 lower-case hex digits,
    since CouchDB packs just those to 16 bytes and sorts other lengths differently.
    """
    said = b"%s\n%d\n" % (str(parent).encode(), deleted)
    return Rev(parent.generation + 1, hashlib.sha256(said + body).hexdigest()[:32])


def derived(parent: Rev, deleted: bool, body: bytes) -> Iterator[Rev]:
    """All names of that child: `derive`'s, and then each digested from the one before it, without end.

    Whoever has pulled a revision can name what will be derived from it, as an ancestor of a revision of his
    own; a name has one parent, and under that one the child would never be grafted. So its name is the first
    that is free (`sync.resolve.child`), which servers that hold the same tree find alike. (A random name
    lost: two servers, or one that was cut in between, would each write another.)

    >>> parent = Rev(1, "a")
    >>> next(derived(parent, True, b"{}")) == derive(parent, True, b"{}")
    True
    """
    rev = derive(parent, deleted, body)
    while True:
        yield rev
        rev = derive(rev, deleted, body)._replace(generation=rev.generation)


def is_derived(rev: Rev, parent: Rev, deleted: bool, body: bytes) -> bool:
    """Whether it is one of the first thousand names of that child: nobody takes more."""
    return rev in islice(derived(parent, deleted, body), 1000)
