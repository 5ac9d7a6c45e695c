"""What the tellers of the demo's history share: documents as they grow, calls, and how both are sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.demo.commune import Person
from sync.rev import Rev

Fields = dict[str, Any]


@dataclass(slots=True)
class Doc:
    """A document as it grows on one phone: its revisions, newest first, and what the newest says."""

    db: str
    id: str
    path: tuple[Rev, ...] = ()
    body: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call at a household: when, by whom, and when its phone next met a signal."""

    at: datetime
    person: Person
    reaches: datetime


@dataclass(frozen=True, slots=True)
class Pen:
    """How something is written: `stamp` of a call's device, `send` a document's next body on its way."""

    stamp: Callable[[Call], str]
    send: Callable[[Doc, Call, Mapping[str, Any]], None]
