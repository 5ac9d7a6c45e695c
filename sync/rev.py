"""Revisions: `N-text`, ordered as CouchDB orders them, and how one is derived from what it says."""

import hashlib
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
