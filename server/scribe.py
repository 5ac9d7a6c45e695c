"""Writes documents for people at a browser or a command line: the office's edits, imports, the demo.

There is one way in: what is written here passes the same rules as what a phone sends, is archived, grafted
and merged alike. A call is all or nothing, over several databases too.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from anyio import to_thread

import schemas
from server.admission import asking_of, office_device, refused
from server.auth.grant import COMMUNE
from server.clock import Clock, milliseconds
from server.follower import Follower
from server.intake import Intake
from sync import canonical, merge, revtree
from sync.hooks import Caller, Refused
from sync.merge import CLEARED, Body
from sync.rev import Rev
from sync.stamps import Stamp, advance, plausible
from sync.store.interface import DatabaseExists, Document, Edit, Store


class Change(NamedTuple):
    """New values of some fields of a document, which need not exist yet.

    `CLEARED` (`sync.merge`) clears a field; of a field with the rule `set` the value is the elements to add.
    """

    id: str
    fields: Mapping[str, Any]
    seen: Body | None = None
    """The body that the writer had before them: what was changed since in these fields is not overwritten."""


class Overtaken(Exception):
    """Somebody else changed the same fields since the writer looked: nothing was written."""

    def __init__(self, doc_id: str, rev: Rev, body: Body, fields: Sequence[str]) -> None:
        self.id, self.rev, self.body, self.fields = doc_id, str(rev), body, tuple(fields)
        super().__init__(doc_id)


class NotTaken(Exception):
    """At least one of the documents breaks a rule: nothing was written."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        self.refused = tuple(refused)
        super().__init__(f"{len(refused)} refused")


class Scribe:
    """Writes as a caller who is at this server: stamps by its clock, revisions of 128 random bits."""

    def __init__(self, store: Store, intake: Intake, follower: Follower, clock: Clock) -> None:
        self._store = store
        self._intake = intake
        self._follower = follower
        self._clock = clock
        self._last: Stamp | None = None
        self._one = asyncio.Lock()

    async def write(
        self,
        caller: Caller,
        changes: Mapping[str, Sequence[Change]],
        derived: Mapping[str, Sequence[Edit]] | None = None,
    ) -> int:
        """Write, by database; how many documents that changed. The rows know of it when this returns.

        `derived` are edits that follow from what others wrote, archived by whoever derived them: they are
        written with the changes or not at all, and after them. A database is made where there is none.
        Raises `NotTaken`, `Overtaken`, `StoreFull`.
        """
        for db in {COMMUNE, *changes}:
            with suppress(DatabaseExists):
                await self._store.create(db)
        changes = await self._where_they_are(changes)
        admitted: dict[str, list[Edit]] = {}
        rejected: list[Refused] = []
        for db, wanted in changes.items():
            drafts = await self._edits(caller, db, wanted)
            answers = await self._intake.admit(caller, db, [one for one in drafts if isinstance(one, Edit)])
            rejected += [one for one in (*drafts, *answers) if isinstance(one, Refused)]
            admitted[db] = [one for one in answers if isinstance(one, Edit)]
        if rejected:
            raise NotTaken(rejected)
        for db, edits in (derived or {}).items():
            admitted.setdefault(db, []).extend(edits)
        await self._store.graft_all(admitted)
        for db, edits in admitted.items():
            await self._intake.observe(db, {edit.id for edit in edits})
        await self._follower.catch_up(admitted)
        return sum(len(edits) for edits in admitted.values())

    async def _where_they_are(
        self, changes: Mapping[str, Sequence[Change]]
    ) -> Mapping[str, Sequence[Change]]:
        """A form may have been opened before its household moved: the change goes after it."""
        found: dict[str, list[Change]] = {}
        for db, wanted in changes.items():
            places = await self._intake.where.places(db, {change.id: {} for change in wanted})
            for change in wanted:
                found.setdefault(places.get(change.id, db), []).append(change)
        return found

    async def _edits(self, caller: Caller, db: str, changes: Sequence[Change]) -> list[Edit | Refused]:
        ids = {change.id for change in changes}
        documents = await self._store.read(db, ids, lambda _id, tree: revtree.live(tree)[:1])

        def draft() -> list[Edit | Refused]:
            written = (self._edit(caller, change, documents.get(change.id)) for change in changes)
            return [edit for edit in written if edit]

        async with self._one:
            return await to_thread.run_sync(draft)  # an import of a commune takes seconds

    def _edit(self, caller: Caller, change: Change, document: Document | None) -> Edit | Refused | None:
        """The revision that makes a change, None where it would change nothing."""
        asking, kind = asking_of(caller), change.id.partition(":")[0]
        path: tuple[Rev, ...] = ()
        body: Body = {"type": kind, "v": schemas.version(kind)}
        if document:
            winner = revtree.winner(document.tree)
            path = revtree.ancestry(document.tree, winner)
            if held := document.bodies.get(winner):  # a deleted document begins anew, on top of its deletion
                body = orjson.loads(held.json)
        if schemas.newer(body):
            return refused(change.id, path[0], "forbidden", asking.words.say("rule.newer"))
        if _says(body, change):
            return None
        if met := _met(body, change):
            raise Overtaken(change.id, path[0], body, met)
        user = asking.grant.user
        stamp = self._stamp(office_device(user), body)
        new = merge.write(body, change.fields, stamp, user, schemas.rules(kind))
        rev = Rev(path[0].generation + 1 if path else 1, secrets.token_hex(16))
        return Edit(change.id, (rev, *path), canonical.encode(new))

    def _stamp(self, device: str, body: Body) -> str:
        seen = map(Stamp.parse, body.get("stamps", {}).values())
        last = max([*filter(plausible, seen), *([self._last] if self._last else [])], default=None)
        self._last = advance(last, milliseconds(self._clock()), device)
        return str(self._last)


def _says(body: Body, change: Change) -> bool:
    """Whether a document says all of a change already; an open question is answered by saying it again."""
    if merge.questions(body).keys() & change.fields.keys():
        return False
    rules = schemas.rules(body["type"])
    for name, value in change.fields.items():
        if rules.get(name) == "set":
            if any(element not in body.get(name, []) for element in value):
                return False
        elif body.get(name, CLEARED) != value:
            return False
    return True


def _met(body: Body, change: Change) -> list[str]:
    """The fields of a change of which a document says something else than the writer has seen."""
    seen = change.seen
    if seen is None:
        return []
    return [name for name in change.fields if _told(body, name) != _told(seen, name)]


def _told(body: Body, name: str) -> tuple[Any, Any]:
    return body.get(name, CLEARED), body.get("asks", {}).get(name, {}).get("others", [])
