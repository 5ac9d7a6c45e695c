"""What an application adds to the engine, and the only way in which it does.

The engine parses, the application says who is asking and what of it may enter, the engine writes and
answers. The bare engine (`camket engine`) is one implementation, Camket's product another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from starlette.requests import HTTPConnection

from sync.rev import Rev
from sync.store.interface import Edit

UNSAID: Mapping[tuple[str, Rev], str] = MappingProxyType({})
"""Where a caller told only names."""


class Action(Enum):
    """What a caller wants of a database (or, where none is named, of the server)."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: an id for logs and limits, and whatever the application must remember of them."""

    id: str
    grant: object = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that may not enter: the name and the reason that its outcome carries.

    Over the standard protocol every name travels as `forbidden`: PouchDB goes on after that one and stops at
    others.
    """

    id: str
    rev: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that the application has put on disk itself, in another database than it was sent to.

    `name` and `reason` are its outcome (received, absorbed); over the standard protocol it is a success.
    """

    id: str
    rev: str
    name: str
    reason: str


Answer = Edit | Refused | Stored
"""What the application makes of one edit: to be written as it says, not to enter, or written already."""


class Application(Protocol):
    """The hooks, in the order in which a request meets them."""

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Who is asking. Raises `sync.errors.Unauthorized`."""
        ...

    async def authorise(self, caller: Caller, action: Action, db: str | None) -> None:
        """May they? Raises `sync.errors.Forbidden`, or `DatabaseMissing` for what they may not know of."""
        ...

    def shows(self, caller: Caller, db: str, doc_id: str) -> bool:
        """Whether this document is among what the caller may read."""
        ...

    async def admit(self, caller: Caller, db: str, edits: Sequence[Edit]) -> Sequence[Answer]:
        """Check each edit before it is grafted: one answer for each, in order."""
        ...

    async def observe(self, db: str, doc_ids: Collection[str]) -> None:
        """These documents changed, and are on disk: merge them, project them."""
        ...

    async def accepted(
        self, caller: Caller, db: str, named: Collection[tuple[str, Rev]]
    ) -> Mapping[tuple[str, Rev], bytes]:
        """Of revisions that a tree names and whose bodies the store has not: those that were once accepted,
        with what they said. The others are asked for: by its name alone nothing was received."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What an exchange tells a caller before anything else."""

    dbs: Sequence[str]
    """The databases that the caller holds: what they name beside these is `gone`."""
    user: Mapping[str, str]
    """Who they are: id, name, role."""
    clock: int
    """The server's clock in milliseconds since 1970, UTC."""
    trusted: bool = True
    """False where the server's own clock is plainly wrong: then nobody is refused for theirs."""
    epoch: str = ""
    """Changes where all positions are to be lost, whatever the store knows of them."""


class ExchangeApplication(Application, Protocol):
    """What the exchange (`sync.http.exchange`) asks beyond the standard protocol."""

    async def terms(self, caller: Caller) -> Terms:
        """What the caller holds, who they are, what time it is."""
        ...

    async def outcomes(
        self,
        caller: Caller,
        db: str,
        asked: Sequence[tuple[str, Rev]],
        says: Mapping[tuple[str, Rev], str] = UNSAID,
    ) -> Sequence[Refused | Stored | None]:
        """What became of revisions that the store does not hold, or not with the caller's words: one answer
        for each, in order.

        `Refused` (quarantined, forbidden, erased …) where the application decided about it, `Stored` where it
        is in another database; None where this server has never had it, and the caller is asked to send it.
        `says`: the digests of what some of them say to the caller. By names alone nothing was decided.
        """
        ...

    async def withheld(
        self, caller: Caller, db: str, says: Mapping[tuple[str, Rev], str]
    ) -> Mapping[tuple[str, Rev], Refused]:
        """Of revisions whose names the store holds, and which say something else to the caller (`says`, in
        digests): what became of those that the caller has sent so."""
        ...

    async def hears(self, caller: Caller, dbs: Collection[str]) -> Collection[str]:
        """Of databases that the caller does not hold: those whose uploads are judged all the same."""
        ...
