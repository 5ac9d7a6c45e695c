"""Revisions: `N-text`, ordered as CouchDB orders them."""

from typing import NamedTuple, Self


class Rev(NamedTuple):
    """A revision. Tuple order is CouchDB's: generations as numbers, then the rest by byte."""

    generation: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N-text`. Raises ValueError where there is no positive generation."""
        head, dash, digest = text.partition("-")
        if not dash or not head.isascii() or not head.isdigit() or int(head) < 1:
            raise ValueError(f"not a revision: {text[:80]!r}")
        return cls(int(head), digest)

    def __str__(self) -> str:
        return f"{self.generation}-{self.digest}"
