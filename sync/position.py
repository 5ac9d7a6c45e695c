"""Where a phone is in a database's feed: opaque text to the phone, checked by the store that gave it.

A number alone does not say it. A store that was restored from a copy of its files counts on from the copy,
and soon has given the number that a phone knows to something else; the phone would go on from there and never
hear of what lies between. So a position names the life in which it was read: each process begins one in a
database with its first write there (`sync.store.schema`), and notes after which sequence. What was begun
after the copy was taken the copy does not know, and what was read beyond the copy lies beyond where its next
life begins. It holds for any number of processes on one store.

What lost: the revision of the last row alone, as the check of where one is. A restored store knows it again
as soon as somebody sends it, or what was built upon it; it is still compared, since a machine that is put
back to an earlier moment while it runs begins no life. A name of the store in one place (CouchDB's `uuid`):
it is in the copy, too. A digest of the whole feed, carried on with each row: right always, but written for
each row.
"""

from dataclasses import dataclass
from typing import Self

import orjson

from sync.rev import Rev
from sync.store.interface import Seq


@dataclass(frozen=True, slots=True)
class Position:
    """How far a phone has read a database: the last row it was given.

    `rev` is the beginning of the row's revision, 48 bits of it: each sync of each database carries them.
    """

    seq: Seq
    id: str
    rev: str
    life: str = ""
    """The application's epoch, if it has one, and then the database's life; none before stores had lives."""

    @classmethod
    def of(cls, seq: Seq, doc_id: str, rev: Rev, life: str = "") -> Self:
        """The position after a row."""
        return cls(seq, doc_id, str(Rev(rev.generation, rev.digest[:12])), life)

    def names(self, rev: Rev) -> bool:
        """Whether that is the revision that was given."""
        return str(rev).startswith(self.rev)


UNREADABLE = Position(-1, "", "")
"""A position that no server of ours has given: as good as lost."""


def encode_position(position: Position) -> str:
    """A position as the opaque text that a phone keeps."""
    # Plain text, not base64: its id and revision stand in the row before, so in the stream it costs nothing.
    said = [position.seq, position.id, position.rev]
    return orjson.dumps([*said, position.life] if position.life else said).decode()


def decode_position(text: str) -> Position:
    """The inverse of `encode_position`. Raises ValueError for any other text."""
    match orjson.loads(text):
        case [int() | str() as seq, str(doc_id), str(rev), *life] if type(seq) is not bool:
            Rev.parse(rev)
            if not life or (len(life) == 1 and isinstance(life[0], str)):
                return Position(seq, doc_id, rev, *life)
    raise ValueError("not a position")
