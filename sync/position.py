"""Where a phone is in a database's feed: opaque text to the phone, checked by the store that gave it."""

from dataclasses import dataclass
from typing import Self

import orjson

from sync.rev import Rev
from sync.store.interface import Seq


@dataclass(frozen=True, slots=True)
class Position:
    """How far a phone has read a database: the last row it was given.

    `rev` is the beginning of the row's revision: 48 bits of it tell a store that was restored or grew over
    from the one that gave the position, and each sync of each database carries them.
    """

    seq: Seq
    id: str
    rev: str
    epoch: str = ""
    """Which life of the store gave it: another one after each restore from a backup, none before."""

    @classmethod
    def of(cls, seq: Seq, doc_id: str, rev: Rev, epoch: str = "") -> Self:
        """The position after a row."""
        return cls(seq, doc_id, str(Rev(rev.generation, rev.digest[:12])), epoch)

    def names(self, rev: Rev) -> bool:
        """Whether that is the revision that was given."""
        return str(rev).startswith(self.rev)


UNREADABLE = Position(-1, "", "")
"""A position that no server of ours has given: as good as lost."""


def encode_position(position: Position) -> str:
    """A position as the opaque text that a phone keeps."""
    # Plain text, not base64: its id and revision stand in the row before, so in the stream it costs nothing.
    said = [position.seq, position.id, position.rev]
    return orjson.dumps([*said, position.epoch] if position.epoch else said).decode()


def decode_position(text: str) -> Position:
    """The inverse of `encode_position`. Raises ValueError for any other text."""
    match orjson.loads(text):
        case [int() | str() as seq, str(doc_id), str(rev), *epoch] if type(seq) is not bool:
            Rev.parse(rev)
            if not epoch or (len(epoch) == 1 and isinstance(epoch[0], str)):
                return Position(seq, doc_id, rev, *epoch)
    raise ValueError("not a position")
